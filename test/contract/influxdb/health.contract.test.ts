/** The health check against servers of both engines, and against what is none. */
import { assertHealthy, checkHealth, type HealthReport } from 'shared/influxdb/health';
import type { Engine } from 'shared/influxdb/protocol';
import { clientOf } from '../../influx-writing';
import { type Answer, type ReceivedRequest, ScriptedServer } from '../../scripted-server';

let server: ScriptedServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

/** Answers by path; what is not listed is 404. */
async function check(
  engine: Engine,
  answers: Record<string, Answer | ((request: ReceivedRequest) => Answer)>,
): Promise<HealthReport> {
  server = await ScriptedServer.start((request) => {
    const answer = answers[request.path] ?? { status: 404, body: 'not found' };
    return typeof answer === 'function' ? answer(request) : answer;
  });
  const client = clientOf(server.url, { engine });
  try {
    return await checkHealth(client);
  } finally {
    client.close();
  }
}

const body = (status: number, value: unknown, headers = {}): Answer => ({
  status,
  body: JSON.stringify(value),
  headers,
});
const V3_PING = body(200, { version: '3.5.0', revision: 'abc', process_id: 'x' });
const EMPTY_REFUSED = body(400, { error: 'incoming write was empty' });

test('InfluxDB 2: version, latency and each check are told; nothing but an empty body is written', async () => {
  const report = await check('v2', {
    '/health': body(200, { name: 'influxdb', status: 'pass', version: 'v2.7.12' }),
    '/api/v2/write': ({ size }) => (size === 0 ? { status: 204 } : { status: 500 }),
    '/api/v2/query': { status: 200, body: '' },
  });
  expect(report).toMatchObject({ healthy: true, engine: 'v2', version: 'v2.7.12' });
  expect(report.checks.map(({ name, status }) => [name, status])).toEqual([
    ['alive', 'pass'],
    ['write', 'pass'],
    ['read', 'pass'],
  ]);
  expect(report.latencyMs).toBeGreaterThanOrEqual(0);
  expect(() => assertHealthy(report)).not.toThrow();
});

test('a server with /ping alone is alive', async () => {
  const report = await check('v2', {
    '/ping': { status: 204, headers: { 'x-influxdb-version': 'v1' } },
    '/api/v2/write': { status: 204 },
  });
  expect(report).toMatchObject({ healthy: true, version: 'v1' });
});

test('a token that may not read is healthy, and it is told', async () => {
  const report = await check('v2', {
    '/health': { status: 200 },
    '/api/v2/write': { status: 204 },
    '/api/v2/query': body(403, { message: 'insufficient permissions' }),
  });
  expect(report.healthy).toBe(true);
  expect(report.checks[2]).toMatchObject({ name: 'read', status: 'fail', detail: '403: insufficient permissions' });
});

test.each<[number, string, boolean]>([
  [401, 'InfluxDBWriteError', false],
  [403, 'InfluxDBWriteError', false],
  [404, 'InfluxDBWriteError', false],
  [429, 'InfluxDBConnectionError', true],
  [503, 'InfluxDBConnectionError', true],
])('an empty write that is answered %d is a %s', async (status, name, retryable) => {
  const refusal = body(status, { message: 'why not' });
  const report = await check('v2', { '/health': { status: 200 }, '/api/v2/write': refusal });
  expect(report).toMatchObject({ healthy: false, retryable });
  expect(() => assertHealthy(report)).toThrow(
    expect.objectContaining({ name, message: expect.stringContaining('why not') }),
  );
});

test('InfluxDB 3 refuses an empty body after it has accepted the token', async () => {
  const report = await check('v3', { '/ping': V3_PING, '/api/v3/write_lp': EMPTY_REFUSED });
  expect(report).toMatchObject({ healthy: true, version: '3.5.0' });
});

test('InfluxDB 3 that wants no token for /health only is alive', async () => {
  const report = await check('v3', { '/health': { status: 200, body: 'OK' }, '/api/v3/write_lp': { status: 204 } });
  expect(report).toMatchObject({ healthy: true, version: null });
});

test.each([
  [body(400, { error: 'db name did not start with a number or letter' }), 'db name'],
  [body(401, { error: 'the request was not authenticated' }), '401'],
  [body(403, { error: 'access denied' }), '403'],
])('InfluxDB 3 that refuses database or token is unhealthy: %j', async (answer, reason) => {
  const report = await check('v3', { '/ping': V3_PING, '/api/v3/write_lp': answer });
  expect(report).toMatchObject({ healthy: false, retryable: false });
  expect(() => assertHealthy(report)).toThrow(reason);
});

test('nobody there: one failed check, and worth a later try', async () => {
  const closed = await ScriptedServer.start(() => ({ status: 204 }));
  const { url } = closed;
  await closed.stop();
  const report = await checkHealth(clientOf(url));
  expect(report).toMatchObject({ healthy: false, retryable: true, version: null });
  expect(report.checks.map(({ name, status }) => [name, status])).toEqual([['alive', 'fail']]);
  expect(() => assertHealthy(report)).toThrow(expect.objectContaining({ name: 'InfluxDBConnectionError' }));
});

test('a server that hangs is left after the limit, which all checks share', async () => {
  let hung = 0;
  const hang = (): Answer => {
    hung += 1;
    return 'hang';
  };
  server = await ScriptedServer.start(hang);
  // The clock says that 4,999.9 ms are over as soon as the first request leaves.
  const times = [0, 4999.9];
  const client = clientOf(server.url);
  const report = await checkHealth(client, { now: () => times.shift() ?? 5000, delay: () => Promise.resolve() });
  client.close();
  expect(report).toMatchObject({ healthy: false, retryable: true });
  expect(hung).toBeLessThanOrEqual(1);
});

test('the report is JSON and holds no token', async () => {
  const report = await check('v2', { '/health': { status: 200 }, '/api/v2/write': { status: 401 } });
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  expect(JSON.stringify(report)).not.toContain('test-token');
});
