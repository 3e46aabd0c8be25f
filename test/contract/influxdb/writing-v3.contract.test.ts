/** Writes to InfluxDB 3. */

import { staticToken } from 'shared/influxdb/token';
import { loadLoaderConfig } from 'shared/loader-config';
import { FakeInfluxDB3, V3_TOKEN } from '../../support/fake-influxdb3';
import { batchOf, clientOf, numberedBatches, streamOf, write } from '../../support/influx-writing';
import { ScriptedServer } from '../../support/scripted-server';
import { VirtualClock } from '../../support/virtual-clock';

const V3 = loadLoaderConfig({ INFLUXDB_ENGINE: 'v3', INFLUXDB_URL: 'http://localhost', INFLUXDB_TOKEN: V3_TOKEN });

let influxdb: FakeInfluxDB3;
let server: ScriptedServer;
async function serve(fake = new FakeInfluxDB3()): Promise<void> {
  influxdb = fake;
  server = await ScriptedServer.start(fake.answer);
}
afterEach(() => server.stop());

function client({ token = V3_TOKEN, bucket = 'energy_data' } = {}) {
  return clientOf(server.url, { engine: 'v3', bucket, tokens: staticToken(token) });
}

async function load(lines: string[], settings: Parameters<typeof client>[0] = {}, skipFailedBatches = false) {
  const made = client(settings);
  try {
    return await write(made, streamOf(batchOf(lines)), { skipFailedBatches });
  } finally {
    made.close();
  }
}

test('stores valid lines', async () => {
  await serve();
  expect(await load(['m v=1 1', 'm v=2 2'])).toMatchObject({ pointsWritten: 2, failure: undefined, rejectedLines: 0 });
  expect(influxdb.stored.get('energy_data')).toEqual(['m v=1 1', 'm v=2 2']);
});

test('reports rejected lines as they were sent, and stores the others with one request', async () => {
  await serve();
  const bad = ['m v="a\nb" 2', 'm v="c" 4'];
  const result = await load(['m v=1 1', bad[0] ?? '', 'm v=2 3', bad[1] ?? '']);
  expect(result).toMatchObject({ pointsWritten: 2, rejectedLines: 2, failedLines: 0, failure: undefined });
  expect(result.rejected).toEqual([
    { reason: expect.stringContaining("invalid column type for column 'v', expected"), lines: 2, examples: bad },
  ]);
  expect(influxdb.stored.get('energy_data')).toEqual(['m v=1 1', 'm v=2 3']);
  expect(server.requests).toHaveLength(1);
});

test.each([
  ['a wrong token', { token: 'wrong' }, 'the request was not authenticated'],
  ['a database name with an invalid character', { bucket: 'a b' }, 'invalid character in database or rp name'],
  [
    'a database name with an invalid first character',
    { bucket: '_x' },
    'db name did not start with a number or letter',
  ],
])('%s ends the load, even if failed batches are skipped', async (_, settings, reason) => {
  await serve();
  const made = client(settings);
  const result = await write(made, numberedBatches(20, 1), { skipFailedBatches: true, concurrency: 1 });
  made.close();
  expect(result).toMatchObject({ pointsWritten: 0, failedLines: 1, retries: 0 });
  expect(result.failure).toMatchObject({ name: 'InfluxDBWriteError', message: expect.stringContaining(reason) });
});

test('a sixth database ends the load, even if failed batches are skipped', async () => {
  await serve();
  for (const bucket of ['a', 'b', 'c', 'd', 'e']) await load(['m v=1 1'], { bucket });
  const { failure } = await load(['m v=1 1'], {}, true);
  expect(failure?.message).toBe('InfluxDB returned 422: Adding a new database would exceed limit of 5 databases');
});

test('a batch above the limit of columns fails with the reason', async () => {
  await serve();
  const wide = `m ${Array.from({ length: 501 }, (_, n) => `f${n}=1`).join(',')} 1`;
  const result = await load([wide], {}, true);
  expect(result).toMatchObject({ pointsWritten: 0, failedBatches: 1, failedLines: 1, failure: undefined });
});

test('splits a batch of more than 10 MB into halves', async () => {
  await serve();
  const lines = Array.from({ length: 6 }, (_, n) => `m s="${'x'.repeat(2_000_000)}" ${n}`);
  expect(await load(lines)).toMatchObject({ pointsWritten: 6, failure: undefined });
});

test('by default, 16 writes wait for each flush of the WAL', async () => {
  await serve(new FakeInfluxDB3(16));
  const made = client();
  const { concurrency, maxBytesInFlight } = V3;
  const result = await write(made, numberedBatches(64, 10), { concurrency, maxBytesInFlight });
  made.close();
  expect(result).toMatchObject({ pointsWritten: 640, failure: undefined });
  expect(influxdb.flushes).toEqual([16, 16, 16, 16]);
});

test('throttled writes wait for Retry-After, and none is lost', async () => {
  const clock = new VirtualClock();
  const fake = new FakeInfluxDB3();
  const throttled = new Set<string>();
  server = await ScriptedServer.start((request) => {
    if (throttled.size === 16 || throttled.has(request.body)) return fake.answer(request);
    throttled.add(request.body);
    return { status: 429, headers: { 'retry-after': '7' } };
  });
  const made = client();
  const { concurrency, maxBytesInFlight } = V3;
  const options = { concurrency, maxBytesInFlight, clock, maxRetries: 1, random: () => 0 };
  const result = await write(made, numberedBatches(64, 10), options);
  made.close();
  expect(result).toMatchObject({ pointsWritten: 640, failedLines: 0, retries: 16, failure: undefined });
  expect(fake.stored.get('energy_data')).toHaveLength(640);
  expect(clock.now()).toBeGreaterThanOrEqual(7_000);
});
