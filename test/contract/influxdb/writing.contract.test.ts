/** Writes to a scripted InfluxDB 2: the requests, and the effect of each response and network error. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { LineWriter } from 'shared/influxdb/client';
import type { Retryable } from 'shared/influxdb/outcome';
import { secretToken } from 'shared/influxdb/token';
import { checkLines } from '../../support/check-lines';
import { batchOf, clientOf, numberedBatches, recordingLogger, streamOf, write } from '../../support/influx-writing';
import { type Answer, type ReceivedRequest, ScriptedServer } from '../../support/scripted-server';
import { VirtualClock } from '../../support/virtual-clock';

const STORED: Answer = { status: 204 };
let server: ScriptedServer;
let clients: { close(): void }[] = [];

async function serve(response: (request: ReceivedRequest, index: number) => Answer | Promise<Answer>): Promise<void> {
  server = await ScriptedServer.start(response);
}

/** Returns the entries of the script in turn, then 204. */
function script(...responses: Answer[]): Promise<void> {
  return serve((_, index) => responses[index] ?? STORED);
}

function client(settings: Parameters<typeof clientOf>[1] = {}): ReturnType<typeof clientOf> {
  const made = clientOf(server.url, settings);
  clients.push(made);
  return made;
}

afterEach(async () => {
  for (const made of clients) made.close();
  clients = [];
  await server.stop();
});

const json = (status: number, body: unknown, headers = {}): Answer => ({
  status,
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
});

const ONE = batchOf(['m,a=b v="ü" 1']);

describe('a request', () => {
  test('has bucket, organization, precision, token and gzip, and the bytes of the batch unchanged', async () => {
    await script();
    await write(client({ bucket: 'a b&c', org: 'ö', gzipLevel: 1 }), streamOf(ONE));
    const [request] = server.requests;
    expect(request).toMatchObject({ method: 'POST', path: '/api/v2/write', body: 'm,a=b v="ü" 1\n' });
    expect(Object.fromEntries(request?.query ?? [])).toEqual({ bucket: 'a b&c', org: 'ö', precision: 'ns' });
    expect(request?.headers).toMatchObject({
      authorization: 'Token test-token',
      'content-encoding': 'gzip',
      'content-type': 'text/plain; charset=utf-8',
    });
  });

  test('is plain text at level 0, and smaller at higher levels', async () => {
    await script();
    for (const gzipLevel of [0, 1, 9]) await write(client({ gzipLevel }), numberedBatches(1, 2000));
    const [plain = 0, fast = 0, best = 0] = server.requests.map(({ size }) => size);
    expect(server.requests[0]?.headers['content-encoding']).toBeUndefined();
    expect(plain).toBe(Buffer.byteLength(server.requests[0]?.body ?? ''));
    expect(fast).toBeLessThan(plain / 4);
    expect(best).toBeLessThan(fast);
  });

  test('keeps a path in the URL as a prefix', async () => {
    await script();
    const made = clientOf(`${server.url}/proxy/`);
    clients.push(made);
    await write(made, streamOf(ONE));
    expect(server.requests[0]?.path).toBe('/proxy/api/v2/write');
  });

  test('may get a response before its end; the rest of its bytes is then not read', async () => {
    const early = createServer();
    await once(early.listen(0, '127.0.0.1'), 'listening');
    early.once('connection', (socket) => {
      // The server responds after the first bytes of the body.
      socket
        .on('error', () => undefined)
        .once('data', () => {
          socket.pause().write('HTTP/1.1 413 Payload Too Large\r\ncontent-length: 0\r\n\r\n');
        });
    });
    const connected = once(early, 'connection') as Promise<[Socket]>;
    await script();
    const made = clientOf(`http://127.0.0.1:${(early.address() as AddressInfo).port}`);
    clients.push(made);
    const bytes = new Uint8Array(64 * 1024 * 1024);
    expect(await made.write({ lines: bytes, body: bytes })).toMatchObject({ kind: 'too-large' });
    const [socket] = await connected;
    socket.resume();
    if (!socket.closed) await once(socket, 'close');
    expect(socket.bytesRead).toBeLessThan(bytes.length);
    early.close();
  });

  test('reuses its connection', async () => {
    await script();
    await write(client(), numberedBatches(20, 1), { concurrency: 1 });
    expect(server.requests).toHaveLength(20);
    expect(server.connections).toBe(1);
  });
});

describe('a retryable error', () => {
  test.each<[string, Answer, string]>([
    ['429', json(429, { code: 'too many requests', message: 'slow down' }), 'throttled'],
    ['500 with text', { status: 500, body: 'engine: write /data: no space left on device' }, 'error'],
    ['502', { status: 502, body: '<html>' }, 'unavailable'],
    ['503', { status: 503 }, 'unavailable'],
    ['a connection dropped after the request', 'drop', 'unavailable'],
    ['an incomplete response', 'cut', 'unavailable'],
  ])('%s: the batch is sent again and stored', async (_, response, cause) => {
    await script(response);
    const logger = recordingLogger();
    const result = await write(client(), streamOf(ONE), { clock: new VirtualClock(), logger });
    expect(result).toMatchObject({ pointsWritten: 1, failedLines: 0, retries: 1, failure: undefined });
    expect(server.requests.map(({ body }) => body)).toEqual(['m,a=b v="ü" 1\n', 'm,a=b v="ü" 1\n']);
    expect(logger.entries).toMatchObject([{ message: 'a write will be retried', fields: { cause } }]);
  });

  test.each([
    ['7', 7000],
    ['100000', 30_000],
    ['-1', 0],
    ['soon', 0],
    ['Wed, 21 Oct 2099 07:28:00 GMT', 0],
  ])('Retry-After %s: waits for that many seconds, at most 30', async (value, expected) => {
    await script(json(429, { message: 'slow down' }, { 'retry-after': value }));
    const clock = new VirtualClock();
    await write(client(), streamOf(ONE), { clock, random: () => 0 });
    expect(clock.now()).toBe(expected);
  });

  test.each<[string, Partial<Retryable>, number]>([
    ['connections that had been closed', { cause: 'unavailable', atOnce: true }, 8],
    ['errors', { cause: 'error' }, 8],
    ['429', { cause: 'throttled' }, 4],
    ['no response', { cause: 'unavailable' }, 4],
  ])('after %s, once for each write in flight, %j, at most %i are sent at once', async (_, failure, expected) => {
    await script();
    let calls = 0;
    let running = 0;
    let atOnce = 0;
    const influxdb: LineWriter = {
      encode: (lines) => Promise.resolve({ lines, body: lines }),
      write: async () => {
        calls += 1;
        const isFirst = calls <= 8;
        if (!isFirst) running += 1;
        atOnce = Math.max(atOnce, running);
        // All writes that may be sent at the same time have begun.
        for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
        if (isFirst) return { kind: 'retryable', cause: 'error', reason: 'busy', ...failure };
        running -= 1;
        return { kind: 'written' };
      },
    };
    const options = { concurrency: 8, clock: new VirtualClock(), random: () => 0, breaker: { failures: 99 } };
    const result = await write(influxdb, numberedBatches(8, 1), options);
    expect(result).toMatchObject({ pointsWritten: 8, failure: undefined });
    expect(atOnce).toBe(expected);
  });

  test('a batch has at most MAX_RETRIES retries', async () => {
    await serve(() => json(429, { message: 'slow down' }));
    const result = await write(client(), streamOf(ONE), { maxRetries: 2, clock: new VirtualClock() });
    expect(server.requests).toHaveLength(3);
    expect(result).toMatchObject({ pointsWritten: 0, failedLines: 1, failedBatches: 1, retries: 2 });
    expect(result.failure).toMatchObject({ name: 'InfluxDBConnectionError' });
    expect(result.failure?.message).toContain('slow down');
  });

  test('a request to an InfluxDB that hangs is aborted after the timeout', async () => {
    await script('hang');
    const result = await write(client({ timeoutMs: 50 }), streamOf(ONE), { clock: new VirtualClock() });
    expect(result).toMatchObject({ pointsWritten: 1, retries: 1 });
    expect(server.connections).toBe(2);
  });

  test.each<[Answer[], number]>([
    [['drop'], 0],
    [['drop', 'drop'], 1000],
    [[{ status: 502 }], 500],
  ])('only the first reset connection is replaced without a delay: %j', async (responses, expected) => {
    await script(...responses);
    const clock = new VirtualClock();
    await write(client(), streamOf(ONE), { clock, random: () => 1, breaker: { failures: 99 } });
    expect(clock.now()).toBe(expected);
  });

  test('connections that were closed while idle are replaced without a delay', async () => {
    await script();
    const made = client();
    await write(made, numberedBatches(8, 1));
    const before = server.connections;
    server.dropIdleConnections();
    const clock = new VirtualClock();
    const result = await write(made, numberedBatches(8, 1), { clock });
    expect(result).toMatchObject({ pointsWritten: 8, failure: undefined });
    expect(server.connections).toBeGreaterThan(before);
    expect(clock.now()).toBe(0);
  });
});

describe('an unavailable InfluxDB', () => {
  test('an outage of 20 s does not use up the retries of a batch', async () => {
    const clock = new VirtualClock();
    await serve(() => (clock.now() < 20_000 ? { status: 502 } : STORED));
    const result = await write(client(), numberedBatches(30, 10), { clock, maxRetries: 2, concurrency: 1 });
    expect(result).toMatchObject({ pointsWritten: 300, failedLines: 0, failure: undefined });
    expect(result.retries).toBeGreaterThan(10);
  });

  test('a load that is stopped by its signal aborts its requests and reports it', async () => {
    const abort = new AbortController();
    let hung = 0;
    await serve(() => {
      if (++hung === 4) abort.abort(new Error('deadline'));
      return 'hang';
    });
    const result = await write(client(), numberedBatches(30, 10), { signal: abort.signal });
    expect(result).toMatchObject({ pointsWritten: 0, batches: 4, failedLines: 40 });
    expect(result.failure).toMatchObject({ name: 'InfluxDBConnectionError', cause: { message: 'deadline' } });
  });

  test('reports an error of the source, and writes the batches before it', async () => {
    await script();
    async function* corrupt() {
      yield* numberedBatches(3, 10);
      throw new RangeError('corrupt page');
    }
    const result = await write(client(), corrupt());
    expect(result.failure).toMatchObject({ name: 'RangeError', message: 'corrupt page' });
    expect(result).toMatchObject({ pointsWritten: 30, failedLines: 0 });
  });
});

describe('the token', () => {
  const guarded = (good: string): ((request: ReceivedRequest) => Answer) => {
    return ({ headers }) =>
      headers.authorization === `Token ${good}` ? STORED : json(401, { message: 'unauthorized access' });
  };

  test('is read again once after a 401, and the load continues', async () => {
    await serve(guarded('t2'));
    let fetches = 0;
    const tokens = secretToken(() => Promise.resolve(`t${++fetches}`));
    const result = await write(client({ tokens }), numberedBatches(8, 10));
    expect(result).toMatchObject({ pointsWritten: 80, failure: undefined });
    expect(fetches).toBe(2);
  });

  test('that cannot be read ends the load without a request', async () => {
    await script();
    const tokens = secretToken(() => Promise.reject(new Error('AccessDenied')));
    const result = await write(client({ tokens }), numberedBatches(8, 10), { skipFailedBatches: true });
    expect(result.failure).toMatchObject({ name: 'InfluxDBConnectionError' });
    expect(server.requests).toEqual([]);
  });
});

describe('a rejection', () => {
  test.each([
    [401, 'unauthorized access'],
    [403, 'insufficient permissions'],
    [404, 'bucket not found'],
    [405, 'method not allowed'],
    [302, 'moved'],
  ])('with %d ends the load, even if failed batches are skipped', async (status, message) => {
    await serve(() => json(status, { code: 'x', message }));
    const options = { skipFailedBatches: true, concurrency: 1 };
    const result = await write(client(), numberedBatches(100, 2), options);
    expect(server.requests).toHaveLength(1);
    expect(result).toMatchObject({ batches: 1, failedBatches: 1, failedLines: 2, retries: 0 });
    expect(result.failure).toMatchObject({ name: 'InfluxDBWriteError' });
    expect(result.failure?.message).toBe(`InfluxDB returned ${status}: ${message}`);
  });

  test.each([
    [200, '<html>please log in</html>'],
    [202, ''],
  ])('status %d does not count as stored', async (status, body) => {
    await script({ status, body });
    const result = await write(client(), streamOf(ONE));
    expect(result).toMatchObject({ pointsWritten: 0, failedLines: 1 });
    expect(result.failure).toMatchObject({ name: 'InfluxDBWriteError' });
  });

  test.each([
    [true, 10, undefined],
    [false, 1, expect.objectContaining({ name: 'InfluxDBWriteError' })],
  ])(
    'of a whole batch with 400: the load continues only if failed batches are skipped (%p)',
    async (skipFailedBatches, requests, failure) => {
      await script(json(400, { code: 'invalid', message: 'something is wrong' }));
      const result = await write(client(), numberedBatches(10, 3), { skipFailedBatches, concurrency: 1 });
      expect(server.requests).toHaveLength(requests);
      expect(result).toMatchObject({ failedBatches: 1, failedLines: 3, pointsWritten: (requests - 1) * 3 });
      expect(result.failure).toEqual(failure);
    },
  );

  const CONFLICT =
    'field type conflict: input field "v" on measurement "m" is type string, already exists as type float';
  const partial = (reason: string, dropped: number): Answer => {
    const message = `failure writing points to database: partial write: ${reason} dropped=${dropped}`;
    return json(422, { code: 'unprocessable entity', message });
  };

  test('of some points with 422: the others count as written once InfluxDB has accepted them alone', async () => {
    await script(partial(CONFLICT, 2));
    const lines = ['m v=1 1', 'm v="x" 2', 'm v=3 3', 'm v="y" 4', 'm v=5 5'];
    const result = await write(client(), streamOf(batchOf(lines)));
    expect(server.requests.map(({ body }) => body).slice(1)).toEqual(['m v=1 1\nm v=3 3\nm v=5 5\n']);
    expect(result).toMatchObject({ pointsWritten: 3, rejectedLines: 2, failedLines: 0, failure: undefined });
    const example = `failure writing points to database: partial write: ${CONFLICT} dropped=2`;
    expect(result.rejected).toEqual([{ reason: CONFLICT, lines: 2, examples: [example] }]);
  });

  test.each([CONFLICT, 'unknown cause'])('of all points with 422 takes no second request: %s', async (reason) => {
    await script(partial(reason, 5));
    const result = await write(client(), numberedBatches(1, 5));
    expect(server.requests).toHaveLength(1);
    expect(result).toMatchObject({ pointsWritten: 0, rejectedLines: 5, failedLines: 0, failure: undefined });
  });

  test('of points for two causes with 422: the suspects of the first cause are sent alone', async () => {
    const second = CONFLICT.replace('"v"', '"w"');
    await script(partial(CONFLICT, 3), partial(CONFLICT, 2), partial(second, 1));
    const lines = ['m v=1 1', 'm v="x" 2', 'm w="x" 3', 'm v="y" 4', 'm w=5 5'];
    const result = await write(client(), streamOf(batchOf(lines)));
    expect(server.requests.map(({ body }) => body).slice(1)).toEqual([
      'm v="x" 2\nm v="y" 4\n',
      'm v=1 1\nm w="x" 3\nm w=5 5\n',
      'm v=1 1\nm w=5 5\n',
    ]);
    expect(result).toMatchObject({ pointsWritten: 2, rejectedLines: 3, failedLines: 0, failure: undefined });
  });

  test('of points with 422 for an unknown cause: the lines are found in halves', async () => {
    await serve(({ body }) => (body.includes('bad') ? partial('unknown cause', 1) : STORED));
    const lines = Array.from({ length: 1_000 }, (_, n) => `m,t=${n === 777 ? 'bad' : 'good'} v=${n} ${n}`);
    const result = await write(client(), streamOf(batchOf(lines)));
    expect(result).toMatchObject({ pointsWritten: 999, rejectedLines: 1, failedLines: 0, failure: undefined });
    expect(server.requests.length).toBeLessThan(25);
  });

  test('of a single point with 422 and no dropped point counts as written', async () => {
    await script(partial('unknown cause', 0));
    expect(await write(client(), streamOf(ONE))).toMatchObject({ pointsWritten: 1, rejectedLines: 0, failedLines: 0 });
    expect(server.requests).toHaveLength(1);
  });

  test.each([1, 0])(
    'of %d points in every response with 422 for an unknown cause: the lines fail after a limited number of requests',
    async (dropped) => {
      await serve(({ body }) => (body.trim().includes('\n') ? partial('unknown cause', dropped) : STORED));
      const result = await write(client(), numberedBatches(2, 2_000), { skipFailedBatches: true });
      expect(result.pointsWritten + result.failedLines).toBe(4_000);
      expect(result).toMatchObject({ failedBatches: 2, rejectedLines: 0, failure: undefined });
      expect(result.failedLines).toBeGreaterThan(3_000);
      expect(server.requests.length).toBeLessThanOrEqual(2 * (1 + 2 * 256));
      const ended = await write(client(), numberedBatches(2, 2_000));
      expect(ended.failure).toMatchObject({ name: 'InfluxDBWriteError' });
      expect(ended.failure?.message).toMatch(/^InfluxDB rejected some of \d+ lines, .*: unknown cause$/);
    },
  );

  test('of unparsable lines with 400: the other lines are sent again', async () => {
    const lines = ['m v=1 1', "m v=1 1': bad", `m s="two\nlines': x" 2`, 'bad', 'm v=4 4'];
    const message = [
      "unable to parse 'm v=1 1': bad': missing fields",
      "unable to parse 'm s=\"two\nlines': x\" 2': invalid integer '1': out of range",
      "unable to parse 'bad': missing fields",
    ].join('\n');
    await script(json(400, { code: 'invalid', message }));
    const result = await write(client(), streamOf(batchOf(lines)));
    expect(server.requests[1]?.body).toBe('m v=1 1\nm v=4 4\n');
    expect(result).toMatchObject({ pointsWritten: 2, rejectedLines: 3, failedLines: 0, failure: undefined });
    expect(result.rejected).toEqual([
      { reason: 'unable to parse: missing fields', lines: 2, examples: ["m v=1 1': bad", 'bad'] },
      { reason: "unable to parse: invalid integer '1': out of range", lines: 1, examples: ['m s="two\nlines\': x" 2'] },
    ]);
  });

  test('of a too large body with 413: halves are sent, split between lines', async () => {
    const lines = Array.from({ length: 9 }, (_, n) => `m,t=a\\ "b s="x\n${n}\\"\n",v=${n} ${n}`);
    await serve(({ body }) => (body.length > 100 ? json(413, { message: 'too large' }) : STORED));
    const result = await write(client(), streamOf(batchOf(lines)));
    const stored = server.requests.filter(({ body }) => body.length <= 100).map(({ body }) => body);
    expect(stored.join('')).toBe(lines.map((line) => `${line}\n`).join(''));
    checkLines(stored);
    expect(result).toMatchObject({ pointsWritten: 9, rejectedLines: 0, failure: undefined });
  });

  test('of one line that is too large: the others are stored', async () => {
    await serve(({ body }) => (body.includes('huge') ? json(413, { message: 'too large' }) : STORED));
    const lines = Array.from({ length: 8 }, (_, n) => `m s="${n === 5 ? 'huge' : n}" ${n}`);
    const result = await write(client(), streamOf(batchOf(lines)));
    expect(result).toMatchObject({ pointsWritten: 7, rejectedLines: 1, failedLines: 0, failure: undefined });
    expect(result.rejected).toMatchObject([
      { reason: 'InfluxDB returned 413: too large', examples: [`${lines[5]}\n`] },
    ]);
  });
});
