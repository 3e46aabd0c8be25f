/** HTTP responses, read in pieces of any size: the result is that of node:http, and invalid bytes give a typed error. */
import { Agent, request } from 'node:http';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { HttpResponseError } from 'shared/errors';
import { HttpResponse } from '../../functions/write-line-protocol/http-response';
import { runs } from '../support/fuzz';

interface Reading {
  readonly status: number;
  readonly body: string;
  readonly date: string | undefined;
  /** Whether the connection may be used again. */
  readonly isPersistent: boolean;
}

/** Splits bytes at positions given as parts of 1,000. */
function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const positions = [0, ...cuts.map((cut) => Math.floor((cut * bytes.length) / 1000)), bytes.length];
  positions.sort((a, b) => a - b);
  return positions.slice(1).map((end, index) => bytes.subarray(positions[index], end));
}

const bytewise = (bytes: Buffer): Buffer[] => [...bytes].map((byte) => Buffer.of(byte));

/** Reads pieces, then the end of the connection. Undefined if they are no complete response. */
function read(pieces: readonly Buffer[]): Reading | undefined {
  const response = new HttpResponse();
  // As the connection does: one buffer, which the next read overwrites.
  const buffer = Buffer.alloc(100_000);
  const isComplete = pieces.some((piece) => {
    piece.copy(buffer);
    const isLast = response.read(buffer.subarray(0, piece.length));
    buffer.fill(0x7a);
    return isLast;
  });
  if (!isComplete && !response.end()) return undefined;
  const { status, date, isPersistent } = response;
  return { status, body: response.body.toString('latin1'), date, isPersistent };
}

/** What node:http reads from the same pieces; undefined if it reports an error before the end of the response. */
function readByNode(pieces: readonly Buffer[]): Promise<Reading | undefined> {
  const socket = new Duplex({
    read: () => undefined,
    write: (_chunk, _encoding, done) => {
      done();
    },
    final(done) {
      done();
    },
  });
  return new Promise((resolve) => {
    const agent = new Agent({ keepAlive: true });
    agent.createConnection = () => socket;
    agent.keepSocketAlive = () => false;
    const sent = request({ method: 'POST', host: 'server.test', agent });
    sent.on('error', () => resolve(undefined));
    sent.on('response', (message) => {
      const chunks: Buffer[] = [];
      const isPersistent = sent.shouldKeepAlive;
      message.on('data', (chunk: Buffer) => chunks.push(chunk));
      message.on('error', () => resolve(undefined));
      message.on('end', () => {
        const { statusCode = 0, rawHeaders } = message;
        // node:http joins repeated dates, which are no date then.
        const date = rawHeaders[rawHeaders.findIndex((name) => name.toLowerCase() === 'date') + 1];
        const isDated = message.headers.date !== undefined;
        resolve({
          status: statusCode,
          body: Buffer.concat(chunks).toString('latin1'),
          date: isDated ? date : undefined,
          isPersistent,
        });
      });
    });
    sent.end('request');
    const next = (index: number): void => {
      socket.push(pieces[index] ?? null);
      if (index < pieces.length) setImmediate(next, index + 1);
    };
    setImmediate(next, 0);
  });
}

const anyCase = (text: string) =>
  fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map((upper) => [...text].map((letter, index) => (upper[index] ? letter.toUpperCase() : letter)).join(''));
const space = fc.constantFrom('', ' ', '\t', '  ');
/** After a value that has a meaning, because node:http does not recognize `chunked` and `close` before a tab. */
const blank = fc.constantFrom('', ' ', '  ');
const fieldValue = fc.string({ unit: fc.constantFrom(...'abc ,;=":/\té'), maxLength: 20 }).map((value) => value.trim());
const field = (name: string, value: fc.Arbitrary<string>, end = space) =>
  fc.tuple(anyCase(name), space, value, end).map(([key, before, text, after]) => `${key}:${before}${text}${after}\r\n`);
const otherField = fc
  .constantFrom('x-amzn-requestid', 'content-type', 'x-content-length', 'server', "!#$%&'*+-.^_`|~")
  .chain((name) => field(name, fieldValue));
const dateField = field('date', fc.constantFrom('Sun, 29 Nov 2026 06:00:00 GMT', 'now'));
const reason = fc.constantFrom('', ' ', ' OK', ' Any reason at all', ' \xe9');
const interim = fc
  .tuple(fc.constantFrom(100, 102, 103, 199), reason, fc.array(fc.oneof(otherField, dateField), { maxLength: 2 }))
  .map(([status, text, fields]) => `HTTP/1.1 ${status}${text}\r\n${fields.join('')}\r\n`);
const content = fc
  .oneof(fc.uint8Array({ maxLength: 60 }), fc.constantFrom('{}', '\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n', '0\r\n\r\n'))
  .map((bytes) => Buffer.from(bytes as Uint8Array).toString('latin1'));
const extension = fc.constantFrom('', ';a', ';a=b', ';a="b"');

const byLength = content.chain((body) =>
  field(
    'content-length',
    fc.constantFrom('', '00').map((zeros) => zeros + body.length),
    blank,
  ).map((header) => ({ header, body, isChunked: false })),
);
const byChunks = fc
  .tuple(
    field('transfer-encoding', anyCase('chunked'), blank),
    fc.array(fc.tuple(content, extension, fc.constantFrom('', '0'), fc.boolean()), { maxLength: 4 }),
    extension,
    fc.array(otherField, { maxLength: 2 }),
  )
  .map(([header, chunks, lastExtension, trailers]) => {
    const parts = chunks
      .filter(([data]) => data.length > 0)
      .map(([data, suffix, zero, isUpper]) => {
        const size = data.length.toString(16);
        return `${zero}${isUpper ? size.toUpperCase() : size}${suffix}\r\n${data}\r\n`;
      });
    return { header, body: `${parts.join('')}0${lastExtension}\r\n${trailers.join('')}\r\n`, isChunked: true };
  });
const byEnd = content.map((body) => ({ header: '', body, isChunked: false }));

/** A valid response, with its framing, as one string of bytes. */
const response = fc
  .record({
    interims: fc.array(interim, { maxLength: 2 }),
    version: fc.constantFrom('1.1', '1.1', '1.1', '1.0'),
    status: fc.constantFrom(200, 200, 201, 299, 304, 204, 400, 419, 421, 500, 503, 999),
    text: reason,
    fields: fc.array(fc.oneof(otherField, dateField), { maxLength: 4 }),
    connection: fc.option(
      field('connection', fc.constantFrom('close', 'Close', 'keep-alive', 'x, close', 'closed'), blank),
    ),
    framed: fc.oneof(byLength, byChunks, byEnd),
    position: fc.nat(4),
  })
  .map(({ interims, version, status, text, fields, connection, framed, position }) => {
    const hasBody = status !== 204 && status !== 304;
    const isOld = version === '1.0';
    // HTTP 1.0 has no chunks, and a status without a body has no framing.
    const { header, body } = hasBody && !(isOld && framed.isChunked) ? framed : { header: '', body: '' };
    const all = [...fields];
    if (!isOld && connection !== null) all.push(connection);
    all.splice(position, 0, header);
    return Buffer.from(
      `${isOld ? '' : interims.join('')}HTTP/${version} ${status}${text}\r\n${all.join('')}\r\n${body}`,
      'latin1',
    );
  });
const cuts = fc.array(fc.nat(1000), { maxLength: 6 });

test('reads a valid response as node:http does, wherever it is split', async () => {
  await fc.assert(
    fc.asyncProperty(response, cuts, async (bytes, at) => {
      const expected = await readByNode([bytes]);
      expect(expected).toBeDefined();
      expect(read(split(bytes, at))).toEqual(expected);
      expect(read(bytewise(bytes))).toEqual(expected);
    }),
    runs(300),
  );
});

/** Valid responses with changed, removed or added bytes, and any bytes. */
const damaged = fc.oneof(
  fc
    .tuple(
      response,
      fc.array(
        fc.record({
          at: fc.nat(1000),
          removed: fc.nat(2),
          added: fc.oneof(
            fc.constantFrom('', '\r', '\n', '\r\n', ':', ' ', '\0', '0', '1', '5', 'content-length: 3\r\n'),
            fc.constantFrom('transfer-encoding: chunked\r\n', 'transfer-encoding: gzip\r\n', ' folded\r\n', '\x7f'),
          ),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    )
    .map(([bytes, edits]) => {
      let text = bytes.toString('latin1');
      for (const { at, removed, added } of edits) {
        const start = Math.floor((at * text.length) / 1000);
        text = text.slice(0, start) + added + text.slice(start + removed);
      }
      return Buffer.from(text, 'latin1');
    }),
  fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
);

test('reads damaged bytes as node:http does, or refuses them with a typed error, wherever they are split', async () => {
  await fc.assert(
    fc.asyncProperty(damaged, cuts, async (bytes, at) => {
      const outcomes = [[bytes], split(bytes, at), bytewise(bytes)].map((pieces) => {
        try {
          return read(pieces);
        } catch (error) {
          expect(error).toBeInstanceOf(HttpResponseError);
          return undefined;
        }
      });
      const [whole, ...inPieces] = outcomes.map((outcome) => outcome && { ...outcome, isPersistent: undefined });
      for (const outcome of inPieces) expect(outcome).toEqual(whole);
      if (whole !== undefined) {
        const expected = await readByNode(bytewise(bytes));
        expect(expected && { ...expected, isPersistent: undefined }).toEqual(whole);
      }
    }),
    runs(500),
  );
});
