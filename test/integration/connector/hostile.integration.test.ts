/**
 * Hostile requests to the programs that users run: `npm start`, and the bundled function in a Lambda-like runtime. Each gets
 * a response, the next request is stored, and memory use stays low.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { gzipSync } from 'node:zlib';
import { TIME } from '../../contract/connector/harness';
import { type Harness, startHarness } from '../../contract/timestream/harness';
import { bundleWriteFunction } from '../../support/bundled-function';
import { LambdaRuntime } from '../../support/lambda-runtime';
import { PEAK_MEMORY_IS_KNOWN, peakMegabytes } from '../../support/peak-memory';
import { exchange, writeRequest } from '../../support/raw-http';

const ROOT = path.resolve(__dirname, '../../..');
const MAX_MEGABYTES = 300;
/** Makes V8 collect garbage: with a large heap it waits, longer on a faster machine. Too much memory in use at once ends the process. */
const HEAP = { NODE_OPTIONS: '--disable-warning=Warning --max-old-space-size=128 --max-semi-space-size=4' };
const GOOD = `good,host=a v=1 ${TIME}`;
/** Long enough for a busy machine: no response may come from the deadline. */
const ENVIRONMENT = { write_deadline_millis: '50000', rest_api_gateway_timeout_in_millis: '60000' };

const list = (count: number, part: (n: number) => string, separator: string): string =>
  Array.from({ length: count }, (_, n) => part(n)).join(separator);

interface Attack {
  readonly name: string;
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
  /** The status of the local server, if it differs. */
  readonly localStatus?: number;
  /** Part of the response. */
  readonly says: string;
}

const megabyteOfLines = gzipSync('m,t=a v=1\n'.repeat(100_000));
const ATTACKS: readonly Attack[] = [
  {
    name: 'a gzip bomb of 1 GB',
    body: Buffer.concat(Array.from({ length: 16 }, () => gzipSync(Buffer.alloc(64 * 1024 ** 2)))),
    status: 413,
    says: 'more than 26214400 bytes',
  },
  {
    name: 'a body of 50 MB',
    body: list(50, () => `${GOOD}\n`.repeat(1_000_000 / (GOOD.length + 1)), ''),
    status: 413,
    says: 'points batch is too large',
  },
  {
    name: 'a line of 5 MB',
    body: `m,t=a s="${'x'.repeat(5 * 1024 ** 2)}" 1`,
    status: 422,
    says: 'line 1: line of 52428',
  },
  {
    name: 'a measurement of 5 MB',
    body: `${'m'.repeat(5 * 1024 ** 2)} v=1`,
    status: 422,
    says: 'line 1: line of 52428',
  },
  { name: '100,000 tags', body: `m,${list(100_000, (n) => `t${n}=a`, ',')} v=1`, status: 422, says: 'line 1: line of' },
  {
    name: '10,000 tags, within the length of a line',
    body: `m,${list(10_000, (n) => `${n}=a`, ',')} v=1`,
    headers: {},
    status: 422,
    says: 'line',
  },
  {
    name: '10,000 measurements, each a new table',
    body: list(10_000, (n) => `m${n},t=a v=1 ${TIME}`, '\n'),
    status: 422,
    says: 'MaxNewTables allows 100',
  },
  {
    name: '2,500,000 lines',
    body: Buffer.concat(Array.from({ length: 25 }, () => megabyteOfLines)),
    status: 413,
    says: 'more than 100000 lines',
  },
  {
    name: '480,000 distinct fields',
    body: gzipSync(list(2_000, (line) => `m,t=a ${list(240, (n) => `f${line * 240 + n}=1`, ',')}`, '\n')),
    status: 413,
    says: 'distinct tags and fields',
  },
  {
    name: 'invalid UTF-8',
    body: Buffer.from([0x6d, 0x2c, 0x74, 0x3d, 0xff, 0x20, 0x76, 0x3d, 0x31]),
    status: 400,
    says: 'invalid UTF-8',
  },
  {
    name: 'a header of 1 MB',
    body: GOOD,
    headers: { 'X-Long': 'x'.repeat(1024 ** 2) },
    status: 204,
    localStatus: 431,
    says: '',
  },
  {
    name: 'an encoding of 1 MB, which names no compression',
    body: GOOD,
    headers: { 'Content-Encoding': 'x'.repeat(1024 ** 2) },
    status: 204,
    localStatus: 431,
    says: '',
  },
];

if (!PEAK_MEMORY_IS_KNOWN) test.skip('the peak of the memory: /proc is not here', () => undefined);

function expectLittleMemory(pid: number): void {
  if (PEAK_MEMORY_IS_KNOWN) expect(peakMegabytes(pid)).toBeLessThan(MAX_MEGABYTES);
}

describe('npm start', () => {
  let connector: ChildProcess;
  let url = '';

  beforeAll(() => execFileSync(process.execPath, ['scripts/bundle-cli.mjs'], { cwd: ROOT }));
  beforeEach(async () => {
    const args = ['bin/influxdb-timestream.mjs', 'start', '--memory', '--port', '0', '--timestream-port', '0'];
    connector = spawn(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...HEAP, ...ENVIRONMENT } });
    connector.stderr?.resume();
    const lines = createInterface({ input: connector.stdout as NodeJS.ReadableStream });
    url = await new Promise((resolve, reject) => {
      connector.once('exit', (code) => reject(new Error(`npm start ended with ${code}`)));
      lines.on('line', (line) => {
        const found = /^InfluxDB v2 write endpoint: (\S+)/.exec(line)?.[1];
        if (found !== undefined) resolve(found);
      });
    });
  });
  afterEach(async () => {
    const exit = once(connector, 'exit');
    connector.kill();
    await exit;
  });

  const send = (body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}) => {
    const text = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return exchange(url, writeRequest(body, { query: '?precision=s', headers: text.join('') }));
  };

  test.each(ATTACKS)('$name', async ({ body, headers, status, localStatus = status, says }) => {
    const response = await send(body, headers);
    expect(response.status).toBe(localStatus);
    expect(response.body).toContain(says);
    expect((await send(GOOD)).status).toBe(204);
    expectLittleMemory(connector.pid ?? 0);
  });
});

describe('the function', () => {
  let folder: string;
  let timestream: Harness;
  let runtime: LambdaRuntime;

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'hostile-'));
    bundleWriteFunction(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    timestream = await startHarness({ now: Date.now });
    const environment = { AWS_ENDPOINT_URL_TIMESTREAM_WRITE: timestream.server.url, ...HEAP, ...ENVIRONMENT };
    runtime = await LambdaRuntime.start({ folder, handler: 'handler.handler', environment });
  });
  afterEach(async () => {
    await runtime.stop();
    await timestream.close();
  });

  const send = async (body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}) => {
    const isBase64Encoded = typeof body !== 'string';
    const outcome = await runtime.invoke({
      httpMethod: 'POST',
      path: '/api/v2/write',
      headers,
      queryStringParameters: { precision: 's' },
      body: isBase64Encoded ? Buffer.from(body).toString('base64') : body,
      isBase64Encoded,
    });
    return 'result' in outcome ? (outcome.result as { statusCode: number; body: string }) : outcome;
  };

  test.each(ATTACKS)('$name', async ({ body, headers, status, says }) => {
    expect(await send(body, headers)).toMatchObject({ statusCode: status, body: expect.stringContaining(says) });
    expect(await send(GOOD)).toMatchObject({ statusCode: 204 });
    expectLittleMemory(runtime.pid);
  });
});
