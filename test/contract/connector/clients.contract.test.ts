/** Requests of InfluxDB clients to the local server, and the responses that they get. */
import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { InfluxDB, Point, setLogger } from '@influxdata/influxdb-client';
import { errorOf, numberedLines, type Stack, startStack, TIME } from './harness';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ environment: { max_compressed_bytes: '50000' } });
});
afterAll(() => stack.close());

/** Sends a request with a chunked body, without its length. */
function send(path: string, method: string, headers: Record<string, string>, chunks: readonly Uint8Array[] = []) {
  return new Promise<{ status: number | undefined; headers: Record<string, unknown>; body: string }>(
    (resolve, reject) => {
      const message = request(`${stack.url}${path}`, { method, headers }, async (response) => {
        const parts: Buffer[] = [];
        for await (const part of response as AsyncIterable<Buffer>) parts.push(part);
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts).toString() });
      });
      message.on('error', reject);
      for (const chunk of chunks) message.write(chunk);
      message.end();
    },
  );
}

test('accepts curl --data-binary, which sends a Content-Type of a form', async () => {
  const response = await stack.write(
    `weather,city=Lisbon temperature=21.5 ${TIME}`,
    { 'Content-Type': 'application/x-www-form-urlencoded', 'User-Agent': 'curl/8.5.0', Accept: '*/*' },
    '&precision=s',
  );
  expect(response.status).toBe(204);
  expect(await response.text()).toBe('');
  expect(await stack.select('city, measure_name, to_milliseconds(time), temperature', 'weather')).toEqual([
    ['Lisbon', 'influxdb-measure', `${TIME}000`, '21.5'],
  ]);
});

test('accepts gzip', async () => {
  const body = gzipSync(numberedLines('gzip', 1_000).join('\n'));
  expect((await stack.write(new Uint8Array(body), { 'Content-Encoding': 'gzip' })).status).toBe(204);
  expect(await stack.count('gzip')).toBe(1_000);
});

describe('Telegraf', () => {
  // Source: plugins/outputs/influxdb_v2/http.go of Telegraf.
  const HEADERS = {
    Authorization: 'Token secret',
    'Content-Encoding': 'gzip',
    'Content-Type': 'text/plain; charset=utf-8',
    'User-Agent': 'Telegraf/1.36.0 Go/1.25.0',
    'Transfer-Encoding': 'chunked',
  };
  const write = (lines: readonly string[]) => {
    const body = gzipSync(`${lines.join('\n')}\n`);
    const halves = [body.subarray(0, body.length >> 1), body.subarray(body.length >> 1)];
    return send('/api/v2/write?bucket=telegraf&org=influxdata', 'POST', HEADERS, halves);
  };

  test('writes gzip in chunks', async () => {
    const lines = [
      `telegraf_cpu,cpu=cpu0,host=a.example usage_idle=98.1,usage_user=0.5 ${TIME}000000000`,
      `telegraf_mem,host=a.example active=4294967296i,available_percent=51.2 ${TIME}000000000`,
    ];
    expect(await write(lines)).toMatchObject({ status: 204, body: '' });
    expect(await stack.select('cpu, host, usage_idle, usage_user', 'telegraf_cpu')).toEqual([
      ['cpu0', 'a.example', '98.1', '0.5'],
    ]);
    expect(await stack.select('active', 'telegraf_mem')).toEqual([['4294967296']]);
  });

  test('gets 400 for lines that it must drop; the other lines are stored', async () => {
    const { status, headers, body } = await write(['broken', `telegraf_other,host=a v=1 ${TIME}000000000`]);
    expect(status).toBe(400);
    expect(headers['x-platform-error-code']).toBe('invalid');
    expect(JSON.parse(body)).toMatchObject({ code: 'invalid', message: expect.stringContaining('unable to parse') });
    expect(await stack.count('telegraf_other')).toBe(1);
  });

  test('gets 413 for a body that is too large, and then splits its batch', async () => {
    const noise = Array.from(
      { length: 6_000 },
      (_, n) => `m,a=${Math.imul(n, 2654435761) >>> 0} v=${Math.sin(n)} ${n}`,
    );
    const { status, body } = await write(noise);
    expect(status).toBe(413);
    expect(JSON.parse(body)).toMatchObject({ code: 'request too large' });
  });
});

describe('@influxdata/influxdb-client', () => {
  beforeAll(() => setLogger({ error: () => undefined, warn: () => undefined }));
  const writeApi = () =>
    new InfluxDB({ url: stack.url, token: 'token' }).getWriteApi('org', 'bucket', 'ms', { maxRetries: 0 });

  test('writes points of every type', async () => {
    const writer = writeApi();
    const point = new Point('client')
      .tag('city', 'São Paulo')
      .floatField('f', -0.25)
      .intField('i', -7)
      .uintField('u', 7);
    writer.writePoint(
      point
        .booleanField('b', true)
        .stringField('s', 'a "b" \\ c')
        .timestamp(TIME * 1_000 + 7),
    );
    await writer.close();
    expect(await stack.select('city, f, i, u, b, s, to_milliseconds(time)', 'client')).toEqual([
      ['São Paulo', '-0.25', '-7', '7', 'true', 'a "b" \\ c', `${TIME}007`],
    ]);
  });

  test('fails with 422 for a point that cannot be stored', async () => {
    const writer = writeApi();
    writer.writePoint(new Point('client').tag('time', 'x').intField('i', 1));
    await expect(writer.close()).rejects.toMatchObject({ statusCode: 422 });
  });
});

describe('the v1 API', () => {
  test.each([
    ['n', `${TIME}000000000`],
    ['ns', `${TIME}000000001`],
    ['u', `${TIME}000002`],
    ['us', `${TIME}000003`],
    ['ms', `${TIME}004`],
    ['s', `${TIME + 5}`],
    ['m', `${TIME / 60 + 6}`],
    ['h', `${Math.floor(TIME / 3600) + 7}`],
  ])('writes with precision %s', async (precision, time) => {
    const path = `/write?db=any&u=me&p=secret&precision=${precision}`;
    const line = Buffer.from(`v1,precision=${precision} v=1 ${time}`);
    expect(await send(path, 'POST', {}, [line])).toMatchObject({ status: 204 });
    const unit = { n: 1n, ns: 1n, u: 1_000n, us: 1_000n, ms: 1_000_000n, s: 1_000_000_000n, m: 60_000_000_000n }[
      precision
    ];
    const nanos = BigInt(time) * (unit ?? 3_600_000_000_000n);
    expect(await stack.select('precision, to_nanoseconds(time)', 'v1')).toContainEqual([precision, String(nanos)]);
  });
});

test('/ping, /health and /ready respond as InfluxDB does', async () => {
  const ping = await send('/ping', 'HEAD', {});
  expect(ping).toMatchObject({ status: 204, body: '' });
  expect(ping.headers['x-influxdb-version']).toMatch(/^2\./);
  const health = await send('/health', 'GET', {});
  expect(health.status).toBe(200);
  expect(JSON.parse(health.body)).toMatchObject({
    name: 'influxdb',
    status: 'pass',
    checks: [{ name: 'timestream', status: 'pass' }],
  });
  expect(JSON.parse((await send('/ready', 'GET', {})).body)).toMatchObject({ status: 'ready' });
});

test.each(['/', '//', '/api/v2/query', '/api/v2/write//'])('%s returns 404', async (path) => {
  expect((await send(path, 'POST', {}, [Buffer.from('m,a=b v=1')])).status).toBe(404);
});

test('a body far above the limit gets a response, not a broken connection', async () => {
  const chunks = Array.from({ length: 100 }, () => Buffer.alloc(64 * 1024, 'x'));
  expect(await send('/api/v2/write', 'POST', {}, chunks)).toMatchObject({ status: 413 });
});

test('an empty body returns 204', async () => {
  expect((await stack.write('')).status).toBe(204);
});

test('points without a timestamp get the time of their request', async () => {
  const before = Date.now();
  expect((await stack.write('now,host=a v=1')).status).toBe(204);
  const after = Date.now();
  const [[milliseconds]] = (await stack.select('to_milliseconds(time)', 'now')) as [[string]];
  expect(Number(milliseconds)).toBeGreaterThanOrEqual(before);
  expect(Number(milliseconds)).toBeLessThanOrEqual(after);
});

test('a point written again with other values is overwritten', async () => {
  const event = (body: string, time: number) => ({ body, requestContext: { requestTimeEpoch: time } });
  const line = (value: number) => `overwritten,host=a v=${value} ${TIME}000000000`;
  const now = TIME * 1_000;
  expect(await stack.handler(event(line(1), now))).toMatchObject({ statusCode: 204 });
  expect(await stack.handler(event(line(2), now + 1))).toMatchObject({ statusCode: 204 });
  expect(await stack.select('v', 'overwritten')).toEqual([['2.0']]);
  // An older request that arrives late, for example from the dead-letter queue, does not replace newer values.
  expect(await stack.handler(event(line(3), now - 1))).toMatchObject({ statusCode: 204 });
  expect(await stack.select('v', 'overwritten')).toEqual([['2.0']]);
  // If two requests have the same millisecond, the later one counts.
  expect(await stack.handler(event(line(4), now + 1))).toMatchObject({ statusCode: 204 });
  expect(await stack.select('v', 'overwritten')).toEqual([['4.0']]);
});

test('405 names the method that the path supports', async () => {
  const response = await fetch(`${stack.url}/api/v2/write`);
  expect(response.status).toBe(405);
  expect(response.headers.get('allow')).toBe('POST');
  expect(await errorOf(response)).toMatchObject({ code: 'method not allowed' });
});
