import { gunzipSync } from 'node:zlib';
import { InfluxDB, type Transport } from '@influxdata/influxdb-client';
import { type LineWriterOptions, writeLines } from '../../../samples/client/line-writer';
import { SigningTransport } from '../../../samples/client/signing-transport';
import { type Answer, ScriptedServer } from '../../support/scripted-server';

const OK = { status: 204 };
const LINES = ['a,t=1 v=1 1', 'a,t=1 v=2 2', 'a,t=1 v=3 3'];

/** Writes the lines to a server with scripted responses; the last response repeats. */
async function write(
  responses: readonly Answer[],
  { lines = LINES, ...options }: Partial<LineWriterOptions> & { readonly lines?: readonly string[] } = {},
) {
  const server = await ScriptedServer.start(
    (_request, index) => responses[index] ?? responses[responses.length - 1] ?? OK,
  );
  const reports: string[] = [];
  const delays: number[] = [];
  try {
    const result = await writeLines(lines, {
      url: server.url,
      precision: 'ns',
      batchLines: 5_000,
      report: (message) => reports.push(message),
      delay: (ms) => Promise.resolve(delays.push(ms)),
      ...options,
    });
    return { result, reports, delays, bodies: server.requests.map(({ body }) => body), requests: server.requests };
  } finally {
    await server.stop();
  }
}

const counts = (result: object) => ({ stored: 0, accepted: 0, dropped: 0, unstored: 0, ...result });

const refusal = (status: number, message: string, headers = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify({ code: 'invalid', message }),
});

describe('batches', () => {
  test('go one after the other, in order', async () => {
    const { result, bodies } = await write([OK], { batchLines: 2 });
    expect(result).toEqual(counts({ stored: 3 }));
    expect(bodies).toEqual(['a,t=1 v=1 1\na,t=1 v=2 2', 'a,t=1 v=3 3']);
  });

  test('have their precision, and are compressed if they are large', async () => {
    const { requests } = await write([OK], { precision: 'ms' });
    expect(requests[0]?.path).toBe('/api/v2/write');
    expect(requests[0]?.query.get('precision')).toBe('ms');
    expect(requests[0]?.headers['content-encoding']).toBeUndefined();
  });

  test('have the token, if one is given', async () => {
    const authorizations = async (options: Partial<LineWriterOptions>) =>
      (await write([OK], options)).requests.map(({ headers }) => headers.authorization);
    expect(await authorizations({ token: 'abc=' })).toEqual(['Token abc=']);
    expect(await authorizations({})).toEqual([undefined]);
  });

  test('are halved if they are too large', async () => {
    const { result, bodies } = await write([refusal(413, 'too large'), OK]);
    expect(result).toEqual(counts({ stored: 3 }));
    expect(bodies.slice(1)).toEqual(['a,t=1 v=1 1', 'a,t=1 v=2 2\na,t=1 v=3 3']);
  });
});

describe('failures', () => {
  test.each([400, 422])('%d drops the number of lines in the response, and writing continues', async (status) => {
    const { result, reports } = await write([refusal(status, 'partial write: line 2: no dropped=1'), OK], {
      batchLines: 2,
    });
    expect(result).toEqual(counts({ stored: 2, dropped: 1 }));
    expect(reports).toEqual([expect.stringMatching(/^lines 1 to 2: HTTP 4\d\d: partial write: line 2: no$/)]);
  });

  test('name the lines by their number in the file, in all batches, also after a string with a newline', async () => {
    const first = "partial write: unable to parse 'a': at line 2:3: no line 7\nline 3: this dropped=2";
    const { result, reports } = await write(
      [refusal(400, first), refusal(422, 'failure: partial write: line 1: no dropped=1')],
      {
        lines: ['a,t=1 v="x\ny" 1', 'b', 'c'],
        lineNumbers: [3, 8, 10],
        batchLines: 2,
      },
    );
    expect(result).toEqual(counts({ dropped: 3 }));
    expect(reports).toEqual([
      "lines 3 to 8: HTTP 400: partial write: unable to parse 'a': at line 4:3: no line 7\nline 8: this",
      'line 10: HTTP 422: failure: partial write: line 10: no',
    ]);
  });

  test('report at most 5 refused lines, and the number of the others', async () => {
    const reasons = [1, 2, 3].map((line) => `line ${line}: no`).join('\n');
    const lines = Array.from({ length: 200 }, (_, index) => `a,t=1 v=${index}`);
    const response = refusal(
      422,
      `partial write: ${reasons}\nand 97 more lines\nthe rejected lines are in s3://b/k dropped=100`,
    );
    const { result, reports } = await write([response], { lines, batchLines: 100 });
    expect(result).toEqual(counts({ dropped: 200 }));
    expect(reports).toEqual([
      'lines 1 to 100: HTTP 422: partial write: line 1: no\nline 2: no\nline 3: no\nthe rejected lines are in s3://b/k',
      'lines 101 to 200: HTTP 422: partial write: line 101: no\nline 102: no\nthe rejected lines are in s3://b/k',
      'and 195 more',
    ]);
  });

  test('429 and 503 are retried after Retry-After, in seconds', async () => {
    const later = { 'retry-after': '2' };
    const { result, delays } = await write([refusal(429, 'later', later), refusal(503, 'later', later), OK]);
    expect(result).toEqual(counts({ stored: 3 }));
    expect(delays).toEqual([2_000, 2_000]);
  });

  test('a lost connection is retried', async () => {
    const { result, delays } = await write(['drop', OK]);
    expect(result).toEqual(counts({ stored: 3 }));
    expect(delays).toHaveLength(1);
  });

  test('that persist end the writing; all remaining lines are counted as unstored', async () => {
    const { result, reports, bodies } = await write([OK, refusal(503, 'later')], { batchLines: 1 });
    expect(result).toEqual(counts({ stored: 1, unstored: 2 }));
    expect(bodies).toHaveLength(1 + 6);
    expect(reports).toEqual(['line 2: HTTP 503: later']);
  });

  test.each([401, 403, 404])('%d ends the writing at once', async (status) => {
    const { result, bodies } = await write([refusal(status, 'no')], { batchLines: 1 });
    expect(result).toEqual(counts({ unstored: 3 }));
    expect(bodies).toHaveLength(1);
  });

  test('202 is not a failure: the endpoint stores the lines later', async () => {
    expect((await write([{ status: 202 }])).result).toEqual(counts({ accepted: 3 }));
  });

  test('an endpoint where nothing listens is reported at once', async () => {
    const { result, reports, delays } = await write([], { url: 'http://127.0.0.1:1' });
    expect(result).toEqual(counts({ unstored: 3 }));
    expect(reports).toEqual([
      expect.stringMatching(/nothing listens at the endpoint .*ECONNREFUSED.*npm start.*--endpoint/),
    ]);
    expect(delays).toEqual([]);
  });
});

describe('signing', () => {
  const credentials = {
    accessKeyId: 'AKIDEXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
    sessionToken: 'token',
  };
  const options = { region: 'eu-west-1', service: 'execute-api', credentials };

  test('gives the same signature as botocore 1.43', async () => {
    const sent = await new Promise<Parameters<Transport['send']>>((resolve) => {
      const inner = { send: (...args: Parameters<Transport['send']>) => resolve(args) };
      const url = 'https://abc.execute-api.eu-west-1.amazonaws.com/dev';
      const now = () => new Date('2026-01-02T03:04:05Z');
      new SigningTransport(inner as unknown as Transport, { ...options, url, now }).send(
        '/api/v2/write?org=sample&bucket=sample&precision=ns',
        'weather,city=Lisbon temperature=21.5 1767225600000000000',
        { method: 'POST', headers: { 'content-type': 'text/plain; charset=utf-8' }, gzipThreshold: 1_000 },
      );
    });
    expect(sent[2].headers).toMatchObject({
      'x-amz-date': '20260102T030405Z',
      'x-amz-security-token': 'token',
      authorization:
        'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/eu-west-1/execute-api/aws4_request, ' +
        'SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token, ' +
        'Signature=fa4d793f6ee142dbb226cdb73c97721b2c82fd170a929116efc4d9160e3a2f5e',
    });
  });

  test('covers the compressed body, which is compressed once', async () => {
    const bodies: Buffer[] = [];
    const inner = new InfluxDB({ url: 'http://127.0.0.1:1' }).transport;
    inner.send = (_path, body, { gzipThreshold, headers }, callbacks) => {
      bodies.push(Buffer.from(body));
      expect(gzipThreshold).toBeUndefined();
      expect(headers?.['content-encoding']).toBe('gzip');
      expect(headers?.authorization).toMatch(/SignedHeaders=content-encoding;content-type;host;/);
      callbacks?.responseStarted?.({}, 204);
      callbacks?.complete?.();
    };
    const lines = Array.from({ length: 100 }, (_, index) => `a,t=1 v=${index} ${index}`);
    const wrapTransport = () => new SigningTransport(inner, { ...options, url: 'http://127.0.0.1:1/dev' });
    const report = (message: string) => expect(message).toBe('');
    const writer = { url: 'http://127.0.0.1:1/dev', precision: 'ns', batchLines: 5_000, report, wrapTransport };
    expect(await writeLines(lines, writer)).toEqual(counts({ stored: 100 }));
    expect(bodies.map((body) => gunzipSync(body).toString())).toEqual([lines.join('\n')]);
  });

  test('without credentials ends the writing', async () => {
    const missing = () =>
      Promise.reject(Object.assign(new Error('no credentials'), { name: 'CredentialsProviderError' }));
    const { result, reports, delays } = await write([OK], {
      wrapTransport: (inner) =>
        new SigningTransport(inner, { ...options, url: 'http://127.0.0.1:1', credentials: missing }),
    });
    expect(result).toEqual(counts({ unstored: 3 }));
    expect(reports).toEqual(['lines 1 to 3: no credentials']);
    expect(delays).toEqual([]);
  });
});
