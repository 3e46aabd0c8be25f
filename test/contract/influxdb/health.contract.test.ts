/** The health check against servers of both engines, and against what is none. */
import { assertHealthy, checkHealth, type HealthReport } from 'shared/influxdb/health';
import type { Engine } from 'shared/influxdb/protocol';
import { staticToken } from 'shared/influxdb/token';
import { FakeInfluxDB3, V3_TOKEN } from '../../support/fake-influxdb3';
import { ADVICE, clientOf } from '../../support/influx-writing';
import { type Answer, type ReceivedRequest, ScriptedServer } from '../../support/scripted-server';

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
    return await checkHealth(client, ADVICE);
  } finally {
    client.close();
  }
}

const body = (status: number, value: unknown, headers = {}): Answer => ({
  status,
  body: JSON.stringify(value),
  headers,
});
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
    '/ping': { status: 204, headers: { 'x-influxdb-version': 'v2.0.9' } },
    '/api/v2/write': { status: 204 },
  });
  expect(report).toMatchObject({ healthy: true, version: 'v2.0.9' });
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

describe('InfluxDB 3', () => {
  async function checkV3({ engine = 'v3' as Engine, token = V3_TOKEN, bucket = 'energy_data' } = {}) {
    server = await ScriptedServer.start(new FakeInfluxDB3().answer);
    const client = clientOf(server.url, { engine, bucket, tokens: staticToken(token) });
    try {
      return await checkHealth(client, ADVICE);
    } finally {
      client.close();
    }
  }

  test('is healthy where it refuses an empty body after it has accepted token and name', async () => {
    expect(await checkV3()).toMatchObject({ healthy: true, version: '3.7.0' });
  });

  test('that has /health only is alive', async () => {
    const report = await check('v3', { '/health': { status: 200, body: 'OK' }, '/api/v3/write_lp': { status: 204 } });
    expect(report).toMatchObject({ healthy: true, version: null });
  });

  test.each([
    ['with a bad character', 'a b', 'invalid character in database or rp name'],
    ['with a character beyond ASCII', 'energía', 'invalid character in database or rp name'],
    ['with a bad beginning', '_energy', 'db name did not start with a number or letter'],
    ['with two retention policies', 'a/b/c', 'db name with invalid retention policy'],
    ['that is empty', '', 'db name cannot be empty'],
  ])('refuses a database name %s', async (_, bucket, reason) => {
    const report = await checkV3({ bucket });
    expect(report).toMatchObject({ healthy: false, retryable: false });
    expect(() => assertHealthy(report)).toThrow(
      expect.objectContaining({ name: 'InfluxDBWriteError', message: expect.stringContaining(reason) }),
    );
  });

  test('refuses a token', async () => {
    const report = await checkV3({ token: 'wrong' });
    expect(report).toMatchObject({ healthy: false, retryable: false });
    expect(() => assertHealthy(report)).toThrow('401: the request was not authenticated: look at the token');
  });

  test('that is checked as an InfluxDB 2 says which engine to use', async () => {
    const report = await checkV3({ engine: 'v2' });
    expect(report).toMatchObject({ healthy: false, retryable: false, version: '3.7.0' });
    expect(() => assertHealthy(report)).toThrow('InfluxDB cannot be written to: this is InfluxDB 3.7.0: use engine v3');
  });
});

test.each(['v2.7.12', '1.8.10'])('an InfluxDB %s that is checked as a 3 says which engine to use', async (version) => {
  const headers = { 'x-influxdb-version': version };
  const report = await check('v3', { '/ping': { status: 204, headers } });
  expect(() => assertHealthy(report)).toThrow(`this is InfluxDB ${version.replace('v', '')}: use engine v2`);
});

test('a version that is no number leaves the engine as it is', async () => {
  const headers = { 'x-influxdb-version': 'Cloud' };
  const report = await check('v2', { '/ping': { status: 204, headers }, '/api/v2/write': { status: 204 } });
  expect(report).toMatchObject({ healthy: true, version: 'Cloud' });
});

test('nobody there: one failed check, and worth a later try', async () => {
  const closed = await ScriptedServer.start(() => ({ status: 204 }));
  const { url } = closed;
  await closed.stop();
  const report = await checkHealth(clientOf(url), ADVICE);
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
  const report = await checkHealth(client, ADVICE, {
    now: () => times.shift() ?? 5000,
    delay: () => Promise.resolve(),
  });
  client.close();
  expect(report).toMatchObject({ healthy: false, retryable: true });
  expect(hung).toBeLessThanOrEqual(1);
});

test('the report is JSON and holds no token', async () => {
  const report = await check('v2', { '/health': { status: 200 }, '/api/v2/write': { status: 401 } });
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  expect(JSON.stringify(report)).not.toContain('test-token');
});
