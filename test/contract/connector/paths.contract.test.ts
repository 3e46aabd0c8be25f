/** Paths, methods, request targets and cross-origin requests: InfluxDB's responses, or a message that says what to do. */

import { TokenVerifier } from 'shared/tokens/verifier';
import { PATH_CASES } from '../../support/influxdb-paths';
import { sendTarget } from '../../support/send-target';
import { type Stack, silentLogger, startStack } from './harness';

const ORIGIN = 'http://app.example';
const WRITE = '/api/v2/write?org=o&bucket=b&precision=s';
const LINE = 'cors,t=a v=1.5 1709294400';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ environment: { cors_allowed_origins: '*' } });
});
afterAll(() => stack.close());

test.each(PATH_CASES.map((each) => [each.method, each.target, each.headers ?? '', each] as const))(
  '%s %s %j',
  async (_method, _target, _headers, given) => {
    const { status, body } = await sendTarget(stack.url, given);
    expect(status).toBe(given.connector ?? given.influxdb);
    if (given.message !== undefined) expect((JSON.parse(body) as { message: string }).message).toMatch(given.message);
  },
);

test('responds to a preflight request as InfluxDB 2.7.12 does', async () => {
  const headers = { Origin: ORIGIN, 'Access-Control-Request-Method': 'POST' };
  const { status, headers: got, body } = await sendTarget(stack.url, { method: 'OPTIONS', target: WRITE, headers });
  expect([status, body]).toEqual([204, '']);
  expect(got).toMatchObject({
    'access-control-allow-origin': ORIGIN,
    'access-control-allow-methods': 'POST, GET, OPTIONS, PUT, DELETE, PATCH',
    'access-control-allow-headers': 'Accept, Content-Type, Content-Length, Accept-Encoding, Authorization, User-Agent',
  });
});

test('allows compressed and signed requests if a preflight request names their headers', async () => {
  const headers = {
    Origin: ORIGIN,
    'Access-Control-Request-Headers': 'authorization,content-encoding, x-amz-date,x-other',
  };
  const { headers: got } = await sendTarget(stack.url, { method: 'OPTIONS', target: WRITE, headers });
  expect(got['access-control-allow-headers']).toMatch(/, User-Agent, Content-Encoding, X-Amz-Date$/);
});

test.each([
  ['a stored write', 'POST', WRITE, LINE, 204],
  ['an invalid line', 'POST', WRITE, 'x', 400],
  ['a body that is too large', 'POST', WRITE, 'x'.repeat(11_000_000), 413],
  ['an unknown path', 'GET', '/api/v2/query', '', 404],
  ['a method that a path lacks', 'PUT', WRITE, '', 405],
  ['/health', 'GET', '/health', '', 200],
  ['/ping', 'HEAD', '/ping', '', 204],
])('lets the page read the response: %s', async (_, method, target, body, status) => {
  const sent = await sendTarget(stack.url, { method, target, body, headers: { Origin: ORIGIN } });
  expect(sent.status).toBe(status);
  expect(sent.headers).toMatchObject({ 'access-control-allow-origin': ORIGIN, vary: 'Origin' });
});

test('sends no CORS headers to a request without an origin', async () => {
  const { headers } = await sendTarget(stack.url, { method: 'GET', target: '/ping' });
  expect(headers['access-control-allow-origin']).toBeUndefined();
  expect(headers.vary).toBe('Origin');
});

describe('with tokens', () => {
  let guarded: Stack;
  beforeAll(async () => {
    const verifier = new TokenVerifier(() => Promise.resolve('{"tokens":[{"token":"right"}]}'), silentLogger);
    guarded = await startStack({
      environment: { cors_allowed_origins: 'http://app.example,https://b.example:8443' },
      verify: (request) => verifier.verify(request),
    });
  });
  afterAll(() => guarded.close());

  test.each(['http://app.example', 'https://b.example:8443'])(
    'a preflight request needs no token: %s',
    async (Origin) => {
      const sent = await sendTarget(guarded.url, { method: 'OPTIONS', target: WRITE, headers: { Origin } });
      expect([sent.status, sent.headers['access-control-allow-origin']]).toEqual([204, Origin]);
    },
  );

  test.each(['http://other.example', 'https://app.example', 'http://app.example:80', 'http://app.example.org', 'null'])(
    'refuses the origin %s, and lets it read no response',
    async (Origin) => {
      const asked = await sendTarget(guarded.url, { method: 'OPTIONS', target: WRITE, headers: { Origin } });
      expect([asked.status, asked.headers['access-control-allow-origin']]).toEqual([403, undefined]);
      const headers = { Origin, Authorization: 'Token right' };
      const sent = await sendTarget(guarded.url, { method: 'POST', target: WRITE, body: LINE, headers });
      expect([sent.status, sent.headers['access-control-allow-origin']]).toEqual([204, undefined]);
    },
  );

  test('lets a page read a 401 response', async () => {
    const sent = await sendTarget(guarded.url, {
      method: 'POST',
      target: WRITE,
      body: LINE,
      headers: { Origin: ORIGIN },
    });
    expect([sent.status, sent.headers['access-control-allow-origin']]).toEqual([401, ORIGIN]);
  });

  test('OPTIONS without an origin needs a token', async () => {
    expect((await sendTarget(guarded.url, { method: 'OPTIONS', target: WRITE })).status).toBe(401);
  });
});

test('if no origin is allowed, sends no CORS headers and returns 405 for OPTIONS', async () => {
  const off = await startStack();
  try {
    const headers = { Origin: ORIGIN };
    const asked = await sendTarget(off.url, { method: 'OPTIONS', target: WRITE, headers });
    expect([asked.status, asked.headers.vary]).toEqual([405, undefined]);
    const sent = await sendTarget(off.url, { method: 'POST', target: WRITE, body: LINE, headers });
    expect([sent.status, sent.headers['access-control-allow-origin']]).toEqual([204, undefined]);
  } finally {
    await off.close();
  }
});
