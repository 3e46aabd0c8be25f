/** Clients with a token against the local server, which verifies tokens like the deployed authorizer. */
import { gzipSync } from 'node:zlib';
import { HttpError, setLogger } from '@influxdata/influxdb-client';
import { TokenVerifier } from 'shared/tokens/verifier';
import { errorOf, type Stack, silentLogger, startStack, TIME, writePoint } from './harness';

const SECRET = '{"tokens":[{"token":"right-token"},{"token":"bound+/token==","buckets":["metrics"],"orgs":["plant"]}]}';
const LINE = `m,host=a v=1 ${TIME}000000000`;
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

let stack: Stack;
const printed: string[] = [];

beforeAll(async () => {
  setLogger({ error: () => undefined, warn: () => undefined });
  const verifier = new TokenVerifier(() => Promise.resolve(SECRET), silentLogger);
  stack = await startStack({ verify: (request) => verifier.verify(request), log: (line) => printed.push(line) });
});
afterAll(() => stack.close());

const post = (path: string, headers: Record<string, string> = {}, body: string | Uint8Array<ArrayBuffer> = LINE) =>
  fetch(`${stack.url}${path}`, { method: 'POST', headers, body });

test.each([
  [
    'Telegraf, with gzip',
    '/api/v2/write?bucket=b&org=o',
    { Authorization: 'Token right-token', 'Content-Encoding': 'gzip' },
  ],
  ['a client of InfluxDB 3', '/api/v2/write?bucket=b', { Authorization: 'Bearer right-token' }],
  ['a v1 client, with Basic', '/write?db=d', { Authorization: basic('user:right-token') }],
  ['a v1 client, with u and p', '/write?db=d&u=user&p=right-token', {}],
  ['a token with signs that a URL escapes', '/write?db=metrics&u=&p=bound%2B%2Ftoken%3D%3D', {}],
])('%s is authorized', async (_client, path, headers: Record<string, string>) => {
  const body = 'Content-Encoding' in headers ? new Uint8Array(gzipSync(LINE)) : LINE;
  expect((await post(path, headers, body)).status).toBe(204);
});

test.each([
  ['no token', '/api/v2/write', {}],
  ['a wrong token', '/api/v2/write', { Authorization: 'Token wrong-token' }],
  ['a wrong password', '/write?db=d', { Authorization: basic('right-token:wrong') }],
  ['a wrong p', '/write?db=d&u=right-token&p=wrong', {}],
])('%s returns 401 in the form of InfluxDB', async (_what, path, headers: Record<string, string>) => {
  const response = await post(path, headers);
  expect(response.status).toBe(401);
  expect(response.headers.get('X-Platform-Error-Code')).toBe('unauthorized');
  expect(await errorOf(response)).toEqual({ code: 'unauthorized', message: 'unauthorized access' });
});

test.each(['/ping', '/health', '/ready', '/unknown'])('%s needs the token too', async (path) => {
  const token = { Authorization: 'Token right-token' };
  expect((await fetch(stack.url + path)).status).toBe(401);
  expect((await fetch(stack.url + path, { headers: token })).status).not.toBe(401);
});

test('a token with a bucket may write only to that bucket', async () => {
  const headers = { Authorization: 'Token bound+/token==' };
  expect((await post('/api/v2/write?bucket=metrics&org=plant', headers)).status).toBe(204);
  const refused = await post('/api/v2/write?bucket=other&org=plant', headers);
  expect(refused.status).toBe(403);
  expect((await errorOf(refused)).code).toBe('forbidden');
});

test('@influxdata/influxdb-client writes with the right token, and reports a wrong one', async () => {
  await writePoint(stack.url, 'right-token');
  expect(await stack.select('city, i', 'client')).toEqual([['Lisbon', '7']]);
  const refusal = await writePoint(stack.url, 'wrong-token').catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(HttpError);
  expect(refusal).toMatchObject({ statusCode: 401, code: 'unauthorized' });
});

test('no token is printed', () => {
  expect(printed.length).toBeGreaterThan(0);
  expect(printed.join('\n')).not.toMatch(/right|wrong|bound/);
});
