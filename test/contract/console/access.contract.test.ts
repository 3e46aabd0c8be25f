/** Who may use the console: its own page, by an address of this machine, with a token if the server requires one. */
import { startConsole, type TestConsole } from './harness';

const API = ['overview', 'databases', 'table', 'query', 'writes', 'try', 'work'].map((name) => `/console/api/${name}`);
const PAGE = { 'X-Console': '1' };

let open: TestConsole;
let closed: TestConsole;
beforeAll(async () => {
  open = await startConsole();
  closed = await startConsole({ tokens: ['one', 'two'] });
});
afterAll(async () => {
  await open.close();
  await closed.close();
});

describe('the page', () => {
  test('is served without a token, under a policy that allows only its own files', async () => {
    for (const server of [open, closed]) {
      const { status, headers, text } = await server.send('GET', '/');
      expect([status, text]).toEqual([200, '<!doctype html><title>Console</title>']);
      expect(headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy':
          "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
          "base-uri 'none'; frame-ancestors 'none'; form-action 'none'",
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-cache',
      });
    }
    const script = await open.send('GET', '/console/console.js');
    expect([script.status, script.text, script.headers['content-type']]).toEqual([
      200,
      'export {};',
      'text/javascript; charset=utf-8',
    ]);
    expect((await open.send('HEAD', '/')).text).toBe('');
  });

  test.each([
    '/console/',
    '/console/none.js',
    '/console/../secret.js',
    '/console/..%2fsecret.js',
    '/console/%2e%2e/secret.js',
    '/console/.hidden',
    '/console/sub/console.js',
    '/console/console.js%00.html',
  ])('has no file %s', async (path) => {
    const { status, text, headers } = await open.send('GET', path);
    expect([status, headers['x-content-type-options']]).toEqual([404, 'nosniff']);
    expect(JSON.parse(text)).toMatchObject({ code: 'not found' });
  });

  test('refuses other methods', async () => {
    for (const path of ['/', '/console/console.js', '/metrics']) {
      expect(await open.send('POST', path)).toMatchObject({ status: 405, headers: { allow: 'GET' } });
    }
  });
});

describe.each(API)('%s', (path) => {
  const method = /query|try/.test(path) ? 'POST' : 'GET';

  test('refuses a request without the header of the page, as another web page would send it', async () => {
    expect(await open.send(method, path)).toMatchObject({ status: 403, text: expect.stringContaining('X-Console') });
    expect(await open.send(method, path, { 'X-Console': '0' })).toMatchObject({ status: 403 });
  });

  test('refuses a preflight request, and never allows another origin', async () => {
    const origin = { Origin: 'https://example.com' };
    const asked = { ...origin, 'Access-Control-Request-Method': method, 'Access-Control-Request-Headers': 'x-console' };
    for (const reply of [
      await open.send('OPTIONS', path, asked),
      await open.send(method, path, { ...origin, ...PAGE }),
    ]) {
      expect(Object.keys(reply.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
    expect(await open.send('OPTIONS', path, asked)).toMatchObject({ status: 403 });
  });

  test.each(['example.com', 'example.com:9000', 'localhost.example.com', '127.0.0.1.example.com', 'local host'])(
    'refuses the Host %j, which a DNS server of others may point to this machine',
    async (Host) => {
      expect(await open.send(method, path, { ...PAGE, Host })).toMatchObject({ status: 403 });
    },
  );

  test('requires a token of the server', async () => {
    const refused = { status: 401, headers: { 'www-authenticate': 'Token' } };
    expect(await closed.send(method, path, PAGE)).toMatchObject(refused);
    expect(await closed.send(method, path, { ...PAGE, Authorization: 'Token three' })).toMatchObject(refused);
    expect(await closed.send(method, `${path}?u=x&p=one`, PAGE)).toMatchObject(refused);
    for (const token of ['one', 'two']) {
      const { status } = await closed.send(method, path, { ...PAGE, Authorization: `Token ${token}` });
      expect([200, 400]).toContain(status);
    }
  });

  test('refuses another method', async () => {
    const { status, headers } = await open.send(method === 'GET' ? 'POST' : 'GET', path, PAGE);
    expect([status, headers.allow]).toEqual([405, method]);
  });
});

test.each(['localhost', 'localhost:80', 'console.localhost', '127.0.0.1:1', '[::1]:9000', '192.0.2.1', 'LOCALHOST'])(
  'accepts the Host %s',
  async (Host) => {
    expect(await open.send('GET', '/console/api/overview', { ...PAGE, Host })).toMatchObject({ status: 200 });
  },
);

test('the metrics require a token of the server, and no header of the page', async () => {
  expect(await open.send('GET', '/metrics', { Host: 'connector:9000' })).toMatchObject({ status: 200 });
  expect(await closed.send('GET', '/metrics')).toMatchObject({ status: 401 });
  expect(await closed.send('GET', '/metrics', { Authorization: 'Bearer one' })).toMatchObject({ status: 200 });
});

test('an unknown path of the API is 404, and other paths go to the write endpoint', async () => {
  expect(await open.send('GET', '/console/api/none', PAGE)).toMatchObject({ status: 404 });
  expect(await open.send('GET', '/console/api/constructor', PAGE)).toMatchObject({ status: 404 });
  expect(await open.send('GET', '/consoles')).toMatchObject({
    status: 404,
    text: expect.stringContaining('send writes to POST /api/v2/write'),
  });
});

test('an error of the server is logged, and shows no internals', async () => {
  const broken = await startConsole({ consoleFolders: { assets: __dirname, runs: __filename } });
  const { status, code, message } = await broken.api('work');
  await broken.close();
  expect({ status, code, message }).toEqual({
    status: 500,
    code: 'internal error',
    message: 'an internal error has occurred: see the log of the server',
  });
});
