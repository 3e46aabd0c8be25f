/** The local server against clients that are no good clients: each gets its answer, and the next one is served. */
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
    corsAllowedOrigins: [],
    arrivalMs,
    log: (line: string) => log.push(line),
  };
  connector = await startConnector({ ...options, handler });
}

afterEach(async () => {
  // The next client is served as if nothing had been.
  expect((await exchange(connector.url, writeRequest('m,a=b v=1'))).status).toBe(204);
  await connector.close();
});

const codeOf = ({ body }: RawResponse): unknown => (JSON.parse(body) as { code?: unknown }).code;

describe('gets its answer though it is still sending:', () => {
  beforeEach(() => start(60_000));

  test.each([
    ['a header of 1 MB', `POST /api/v2/write HTTP/1.1\r\nHost: a\r\nX-Long: ${'x'.repeat(1_000_000)}\r\n\r\n`],
    ['a URL of 1 MB', `POST /api/v2/write?${'x'.repeat(1_000_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
    ['10,000 headers', `POST / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(10_000)}\r\n`],
  ])('%s with 431', async (_, request) => {
    const answer = await exchange(connector.url, [request]);
    expect(answer.status).toBe(431);
    expect(codeOf(answer)).toBe('request too large');
    expect(answer.headers).toMatch(/content-type: application\/json/i);
    expect(log.join()).not.toContain('xxx');
  });

  test('a body of 50 MB with 413', async () => {
    const answer = await exchange(connector.url, writeRequest(Buffer.alloc(50_000_000, 'x')));
    expect(answer.status).toBe(413);
    expect(codeOf(answer)).toBe('request too large');
  });

  test.each([
    ['no HTTP', 'm,a=b v=1\n\n'],
    ['a length that is none', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n'],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nm'],
    ['a length and chunks', 'POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ])('%s with 400', async (_, request) => {
    const answer = await exchange(connector.url, [request]);
    expect(answer.status).toBe(400);
    expect(codeOf(answer)).toBe('invalid');
  });

  test('a path of 10 KB as any other path, with a short line in the log', async () => {
    const answer = await exchange(connector.url, [
      `POST /${'x'.repeat(10_000)} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
    ]);
    expect(answer.status).toBe(DONE.statusCode);
    expect(log.at(-1)).toMatch(/^\d\d:\d\d:\d\d POST \/x+ 204/);
    expect(log.at(-1)?.length).toBeLessThan(300);
  });
});

describe('a client that sends too slowly is answered 408', () => {
  beforeEach(() => start(300));

  test.each([
    ['its headers', 'POST /api/v2/write HTTP/1.1\r\nHost: a\r\nX-'],
    ['its body', 'POST /api/v2/write HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nm,a=b'],
  ])('%s', async (_, beginning) => {
    const answer = await exchange(connector.url, [beginning]);
    expect(answer.status).toBe(408);
    expect(codeOf(answer)).toBe('request timeout');
  });
});

test('a client that leaves in the middle of its body is no trouble', async () => {
  await start(60_000);
  const socket = connect(Number(new URL(connector.url).port), '127.0.0.1');
  socket.write('POST /api/v2/write HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nm,a=b');
  socket.end();
  await once(socket.resume(), 'close');
});
