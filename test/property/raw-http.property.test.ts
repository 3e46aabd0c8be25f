/**
 * Requests of any bytes to the local server: each gets an HTTP response or a closed connection, none stops the server,
 * and a write gets 2xx only if the function has read exactly the body that was sent.
 */
import fc from 'fast-check';
import type { WriteEvent } from '../../functions/write-line-protocol/request';
import { type RunningConnector, startConnector } from '../../local/connector/server';
import { handlerOf } from '../support/connector-handler';
import { runs } from '../support/fuzz';
import { exchange } from '../support/raw-http';

let connector: RunningConnector;
let bodies: string[];
let failures: string[];

beforeAll(async () => {
  const handler = async (event: unknown) => {
    const { body, isBase64Encoded } = event as WriteEvent;
    const { handle } = handlerOf({ environment: { cors_allowed_origins: '*' } });
    const response = await handle(event);
    const isWrite = (event as WriteEvent).httpMethod === 'POST' && response?.statusCode === 204;
    if (isWrite) bodies.push(Buffer.from(String(body), isBase64Encoded ? 'base64' : 'utf8').toString('latin1'));
    return response;
  };
  connector = await startConnector({
    handler,
    host: '127.0.0.1',
    port: 0,
    maxBodyBytes: 1_000_000,
    writeDeadlineMs: 60_000,
    corsAllowedOrigins: ['*'],
    arrivalMs: 60_000,
    log: (line) => {
      // A client may disconnect before the end of its body.
      if (line.includes(' failed: ') && !line.endsWith('aborted')) failures.push(line);
    },
  });
});
afterAll(() => connector.close());
beforeEach(() => {
  bodies = [];
  failures = [];
});

const LINE = 'm,t=a v=1i 7';
const method = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('POST', 'GET', 'HEAD', 'OPTIONS', 'PUT') },
  fc.constantFrom('post', 'PROPFIND', 'CONNECT', 'constructor', ''),
);
const path = fc.constantFrom(
  '/api/v2/write',
  '/api/v2/write/',
  '/write',
  '/health',
  '/query',
  '/',
  '*',
  '//',
  '/%',
  '/__proto__',
);
const prefix = fc.constantFrom('', 'http://a.example', 'http://[::1]:9000', 'https://', 'ftp://a');
const query = fc.array(
  fc.constantFrom('precision=s', 'precision=ns', 'bucket=b', '%', '%zz', '&', '=', '__proto__=1', '#x', '?'),
);
const target = fc
  .tuple(prefix, path, query)
  .map(([before, at, parameters]) => `${before}${at}?${parameters.join('&')}`);
const header = fc.constantFrom(
  'Host: a',
  'Origin: http://app.example',
  'Origin: null',
  'Content-Encoding: gzip',
  'Content-Encoding: utf-8',
  'Content-Type: application/json',
  'Expect: 100-continue',
  'Access-Control-Request-Headers: x, y',
  'Transfer-Encoding: gzip',
  'Content-Length: x',
  'X: \u0001',
  ': empty',
  'no colon',
);
const body = fc.oneof(
  fc.constant(LINE),
  fc.constant(`\ufeff${LINE}`),
  fc.string({ unit: fc.constantFrom(...'m,t=a v1"\\\n\r\u0000 é'), maxLength: 60 }),
);
const framed = fc.tuple(body, fc.constantFrom('length', 'chunks', 'none')).map(([text, framing]) => {
  const bytes = Buffer.from(text);
  if (framing === 'length') return { headers: [`Content-Length: ${bytes.length}`], bytes, sent: bytes };
  if (framing === 'none') return { headers: [], bytes: Buffer.alloc(0), sent: bytes };
  const chunk = [`${bytes.length.toString(16)}\r\n`, bytes, '\r\n0\r\n\r\n'].map((part) => Buffer.from(part));
  const sent = bytes.length === 0 ? Buffer.from('0\r\n\r\n') : Buffer.concat(chunk);
  return { headers: ['Transfer-Encoding: chunked'], bytes, sent };
});

test('handles a request of any form', async () => {
  const request = fc.record({
    method,
    target,
    headers: fc.array(header, { maxLength: 4 }),
    framed,
    version: fc.constantFrom('1.0', '1.1'),
  });
  await fc.assert(
    fc.asyncProperty(
      request,
      async ({ method: verb, target: to, headers, framed: { headers: framing, bytes, sent }, version }) => {
        bodies = [];
        const lines = [`${verb} ${to} HTTP/${version}`, 'Host: a', 'Connection: close', ...headers, ...framing];
        const { status } = await exchange(connector.url, [`${lines.join('\r\n')}\r\n\r\n`, sent]);
        expect(status === 0 || (status >= 100 && status < 600 && status !== 500)).toBe(true);
        expect(failures).toEqual([]);
        if (bodies.length > 0) expect(bodies).toEqual([bytes.toString('latin1')]);
      },
    ),
    runs(300),
  );
});

test('handles any bytes', async () => {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.tuple(fc.nat(200), fc.nat(255)).map(([at, byte]) => {
      const bytes = Buffer.from(
        `POST /api/v2/write HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 12\r\n\r\n${LINE}`,
      );
      bytes[at % bytes.length] = byte;
      return bytes;
    }),
  );
  await fc.assert(
    fc.asyncProperty(anything, async (bytes) => {
      bodies = [];
      const { status } = await exchange(connector.url, [bytes], { end: true });
      expect(status).not.toBe(500);
      expect(failures).toEqual([]);
      for (const read of bodies) expect(Buffer.from(bytes).toString('latin1')).toContain(read);
    }),
    runs(200),
  );
});
