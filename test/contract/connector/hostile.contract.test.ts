/** The local server against misbehaving clients: each gets a response, and the next client is served. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { type RunningConnector, startConnector } from '../../../local/connector/server';
import { exchange, type RawResponse, writeRequest } from '../../support/raw-http';

const DONE = { statusCode: 204, headers: {}, body: '', isBase64Encoded: false } as const;

let connector: RunningConnector;
let log: string[];

async function start(arrivalMs: number): Promise<void> {
  log = [];
  const handler = () => Promise.resolve(DONE);
  const options = {
    host: '127.0.0.1',
    port: 0,
    maxBodyBytes: 1_000_000,
    writeDeadlineMs: 60_000,
    corsAllowedOrigins: [],
    arrivalMs,
    log: (line: string) => log.push(line),
  };
  connector = await startConnector({ ...options, handler });
}

afterEach(async () => {
  // The next client is served as usual.
  expect((await exchange(connector.url, writeRequest('m,a=b v=1'))).status).toBe(204);
  await connector.close();
});

const codeOf = ({ body }: RawResponse): unknown => (JSON.parse(body) as { code?: unknown }).code;

describe('responds while the client is still sending:', () => {
  beforeEach(() => start(60_000));

  test.each([
    ['a header of 1 MB', `POST /api/v2/write HTTP/1.1\r\nHost: a\r\nX-Long: ${'x'.repeat(1_000_000)}\r\n\r\n`],
    ['a URL of 1 MB', `POST /api/v2/write?${'x'.repeat(1_000_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
    ['10,000 headers', `POST / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(10_000)}\r\n`],
  ])('431 to %s', async (_, request) => {
    const response = await exchange(connector.url, [request]);
    expect(response.status).toBe(431);
    expect(codeOf(response)).toBe('request too large');
    expect(response.headers).toMatch(/content-type: application\/json/i);
    expect(log.join()).not.toContain('xxx');
  });

  test('413 to a body of 50 MB', async () => {
    const response = await exchange(connector.url, writeRequest(Buffer.alloc(50_000_000, 'x')));
    expect(response.status).toBe(413);
    expect(codeOf(response)).toBe('request too large');
  });

  test.each([
    ['a request that is not HTTP', 'm,a=b v=1\n\n'],
    ['a length that is not a number', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n'],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nm'],
    ['a length and chunks', 'POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ])('400 to %s', async (_, request) => {
    const response = await exchange(connector.url, [request]);
    expect(response.status).toBe(400);
    expect(codeOf(response)).toBe('invalid');
  });

  test('404 to a path of 10 KB, with a short line in the log', async () => {
    const response = await exchange(connector.url, [
      `POST /${'x'.repeat(10_000)} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
    ]);
    expect(response.status).toBe(DONE.statusCode);
    expect(log.at(-1)).toMatch(/^\d\d:\d\d:\d\d POST \/x+ 204/);
    expect(log.at(-1)?.length).toBeLessThan(300);
  });
});

describe('returns 408 to a client that is too slow to send', () => {
  beforeEach(() => start(300));

  test.each([
    ['its headers', 'POST /api/v2/write HTTP/1.1\r\nHost: a\r\nX-'],
    ['its body', 'POST /api/v2/write HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nm,a=b'],
  ])('%s', async (_, beginning) => {
    const response = await exchange(connector.url, [beginning]);
    expect(response.status).toBe(408);
    expect(codeOf(response)).toBe('request timeout');
  });
});

test('a client that disconnects in the middle of its body does not disturb the server', async () => {
  await start(60_000);
  const socket = connect(Number(new URL(connector.url).port), '127.0.0.1');
  socket.write('POST /api/v2/write HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nm,a=b');
  socket.end();
  await once(socket.resume(), 'close');
});
