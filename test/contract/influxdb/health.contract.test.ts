/** The health check of servers with both engines, and of other servers. */
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

/** Responses by path; any other path returns 404. */
async function check(
  engine: Engine,
  responses: Record<string, Answer | ((request: ReceivedRequest) => Answer)>,
): Promise<HealthReport> {
  server = await ScriptedServer.start((request) => {
    const response = responses[request.path] ?? { status: 404, body: 'not found' };
    return typeof response === 'function' ? response(request) : response;
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
test('InfluxDB 2: reports version, latency and each check, and writes only an empty body', async () => {
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

test('a server with only /ping is alive', async () => {
  const report = await check('v2', {
    '/ping': { status: 204, headers: { 'x-influxdb-version': 'v2.0.9' } },
    '/api/v2/write': { status: 204 },
  });
  expect(report).toMatchObject({ healthy: true, version: 'v2.0.9' });
});

test('is healthy if the token may not read, and reports it', async () => {
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
])('status %d of the empty write becomes %s', async (status, name, retryable) => {
  const refusal = body(status, { message: 'why not' });
  const report = await check('v2', { '/health': { status: 200 }, '/api/v2/write': refusal });
  expect(report).toMatchObject({ healthy: false, retryable });
  expect(() => assertHealthy(report)).toThrow(
    expect.objectContaining({ name, message: expect.stringContaining('why not') }),
  );
});

test.each([
  ['organization name "ons-energy" not found', 'not found: name the organization'],
  ['bucket "energy_data" not found', 'not found: create the bucket'],
])('the advice for a 404 with the message %j', async (message, expected) => {
  server = await ScriptedServer.start((request) =>
    request.path.startsWith('/health') ? { status: 200 } : body(404, { code: 'not found', message }),
  );
  const client = clientOf(server.url);
  const missing = { org: 'name the organization', bucket: 'create the bucket' };
  const report = await checkHealth(client, { ...ADVICE, missing }).finally(() => client.close());
  expect(report.checks[1]?.detail).toContain(`${message.split(' not')[0]} ${expected}`);
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

  test('is healthy if it rejects the empty body after it has accepted token and database name', async () => {
    expect(await checkV3()).toMatchObject({ healthy: true, version: '3.7.0' });
  });

  test('with only /health is alive', async () => {
    const report = await check('v3', { '/health': { status: 200, body: 'OK' }, '/api/v3/write_lp': { status: 204 } });
    expect(report).toMatchObject({ healthy: true, version: null });
  });

  test.each([
    ['with an invalid character', 'a b', 'invalid character in database or rp name'],
    ['with a character beyond ASCII', 'energía', 'invalid character in database or rp name'],
    ['with an invalid first character', '_energy', 'db name did not start with a number or letter'],
    ['with two retention policies', 'a/b/c', 'db name with invalid retention policy'],
    ['that is empty', '', 'db name cannot be empty'],
  ])('fails for a database name %s', async (_, bucket, reason) => {
    const report = await checkV3({ bucket });
    expect(report).toMatchObject({ healthy: false, retryable: false });
    expect(() => assertHealthy(report)).toThrow(
      expect.objectContaining({ name: 'InfluxDBWriteError', message: expect.stringContaining(reason) }),
    );
  });

  test('fails for a wrong token', async () => {
    const report = await checkV3({ token: 'wrong' });
    expect(report).toMatchObject({ healthy: false, retryable: false });
    expect(() => assertHealthy(report)).toThrow('401: the request was not authenticated: look at the token');
  });

  test('that is configured as v2 fails and names the engine to use', async () => {
    const report = await checkV3({ engine: 'v2' });
    expect(report).toMatchObject({ healthy: false, retryable: false, version: '3.7.0' });
    expect(() => assertHealthy(report)).toThrow('InfluxDB cannot be written to: this is InfluxDB 3.7.0: use engine v3');
  });
});

test.each(['v2.7.12', '1.8.10'])(
  'an InfluxDB %s that is configured as v3 fails and names the engine to use',
  async (version) => {
    const headers = { 'x-influxdb-version': version };
    const report = await check('v3', { '/ping': { status: 204, headers } });
    expect(() => assertHealthy(report)).toThrow(`this is InfluxDB ${version.replace('v', '')}: use engine v2`);
  },
);

test('keeps the configured engine if the version is not a number', async () => {
  const headers = { 'x-influxdb-version': 'Cloud' };
  const report = await check('v2', { '/ping': { status: 204, headers }, '/api/v2/write': { status: 204 } });
  expect(report).toMatchObject({ healthy: true, version: 'Cloud' });
});

test('without a server: one failed check, which is retryable', async () => {
  const closed = await ScriptedServer.start(() => ({ status: 204 }));
  const { url } = closed;
  await closed.stop();
  const report = await checkHealth(clientOf(url), ADVICE);
  expect(report).toMatchObject({ healthy: false, retryable: true, version: null });
  expect(report.checks.map(({ name, status }) => [name, status])).toEqual([['alive', 'fail']]);
  expect(() => assertHealthy(report)).toThrow(expect.objectContaining({ name: 'InfluxDBConnectionError' }));
});

test('stops waiting for a server that hangs after the timeout, which all checks share', async () => {
  let hung = 0;
  const hang = (): Answer => {
    hung += 1;
    return 'hang';
  };
  server = await ScriptedServer.start(hang);
  // The clock reports 4,999.9 ms when the first request is sent.
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

test('the report is JSON and does not contain the token', async () => {
  const report = await check('v2', { '/health': { status: 200 }, '/api/v2/write': { status: 401 } });
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  expect(JSON.stringify(report)).not.toContain('test-token');
});
