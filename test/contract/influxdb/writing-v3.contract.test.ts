/** Writing to an InfluxDB 3 as its reference describes it. */
import { batchOf, clientOf, streamOf, write } from '../../influx-writing';
import { type Answer, type ReceivedRequest, ScriptedServer } from '../../scripted-server';

const TOKEN = 'apiv3_secret';

/** Answers as `/api/v3/write_lp` does: a line with `bad` in it is refused, `cpu` may not have more than 2 columns. */
function influxdb3({ method, path, query, headers, body }: ReceivedRequest): Answer {
  const error = (status: number, text: string, data?: unknown): Answer => ({
    status,
    body: JSON.stringify({ error: text, data }),
    headers: { 'content-type': 'application/json' },
  });
  if (headers.authorization !== `Bearer ${TOKEN}`) return error(401, 'the request was not authenticated');
  if (method !== 'POST' || path !== '/api/v3/write_lp') return { status: 404, body: 'not found' };
  if (!/^[A-Za-z0-9][\w-]*$/.test(query.get('db') ?? ''))
    return error(400, 'db name did not start with a number or letter');
  if (query.get('precision') !== 'nanosecond') return error(400, 'invalid precision');
  if (body.length > 10_485_760) return error(413, 'max body size (10485760 bytes) exceeded');
  if (body.includes('too_many_columns'))
    return error(422, 'Update to schema would exceed number of columns per table limit of 500');
  const data = body
    .split('\n')
    .map((line, index) => ({ original_line: line, line_number: index + 1, error_message: 'No fields were provided' }))
    .filter(({ original_line }) => original_line.includes('bad'));
  if (data.length === 0) return { status: 204 };
  if (query.get('accept_partial') === 'true') return error(400, 'partial write of line protocol occurred', data);
  return error(400, 'parsing failed for write_lp endpoint', data[0]);
}

let server: ScriptedServer;
beforeAll(async () => {
  server = await ScriptedServer.start(influxdb3);
});
afterAll(() => server.stop());

async function load(lines: string[], { token = TOKEN, bucket = 'energy_data', skipFailedBatches = false } = {}) {
  const tokens = { get: () => Promise.resolve(token), renew: () => Promise.resolve(undefined) };
  const client = clientOf(server.url, { engine: 'v3', bucket, tokens });
  try {
    return await write(client, streamOf(batchOf(lines)), { skipFailedBatches });
  } finally {
    client.close();
  }
}

test('good lines are stored', async () => {
  expect(await load(['m v=1 1', 'm v=2 2'])).toMatchObject({ pointsWritten: 2, failure: undefined, rejectedLines: 0 });
});

test('refused lines are told with their numbers, the others are stored and sent once', async () => {
  const before = server.requests.length;
  const result = await load(['m v=1 1', 'bad', 'm v=2 2', 'bad too']);
  expect(result).toMatchObject({ pointsWritten: 2, rejectedLines: 2, failedLines: 0, failure: undefined });
  expect(result.rejected).toEqual([
    { reason: 'No fields were provided', lines: 2, examples: ['line 2: bad', 'line 4: bad too'] },
  ]);
  expect(server.requests.length).toBe(before + 1);
});

test.each([
  ['a wrong token', { token: 'wrong' }, 'the request was not authenticated'],
  ['an impossible database name', { bucket: '_x' }, 'db name'],
])('%s ends the load', async (_, settings, reason) => {
  const result = await load(['m v=1 1'], settings);
  expect(result).toMatchObject({ pointsWritten: 0, failedLines: 1, retries: 0 });
  expect(result.failure).toMatchObject({ name: 'InfluxDBWriteError' });
  expect(result.failure?.message).toContain(reason);
});

test('a limit of columns fails the batch with its reason', async () => {
  const result = await load(['m too_many_columns=1 1'], { skipFailedBatches: true });
  expect(result).toMatchObject({ pointsWritten: 0, failedBatches: 1, failedLines: 1, failure: undefined });
});

test('more than 10 MB are halved', async () => {
  const lines = Array.from({ length: 6 }, (_, n) => `m s="${'x'.repeat(2_000_000)}" ${n}`);
  expect(await load(lines)).toMatchObject({ pointsWritten: 6, failure: undefined });
});
