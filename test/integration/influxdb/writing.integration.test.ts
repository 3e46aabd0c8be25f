/** Writes to a real InfluxDB 2: its responses, and the points that it has stored. */
import type { LineWriter } from 'shared/influxdb/client';
import { secretToken, staticToken } from 'shared/influxdb/token';
import { batchOf, type ClientSettings, clientOf, numberedBatches, streamOf, write } from '../../support/influx-writing';
import { BUCKET, describeWithInfluxd, Influxd, STARTING_MS, TOKEN } from '../../support/influxd';

describeWithInfluxd('writing to InfluxDB 2', (binary) => {
  let influxd: Influxd;
  beforeAll(async () => {
    influxd = await Influxd.start(binary);
  }, STARTING_MS);
  afterAll(() => influxd?.remove());

  /** Requests of the last load. */
  let calls = 0;
  async function load(lines: string[], settings: ClientSettings = {}, skipFailedBatches = false) {
    const client = clientOf(influxd.url, settings);
    try {
      calls = 0;
      const counted: LineWriter = {
        encode: (bytes) => client.encode(bytes),
        write: (encoded, signal) => {
          calls += 1;
          return client.write(encoded, signal);
        },
      };
      return await write(counted, streamOf(batchOf(lines)), { skipFailedBatches });
    } finally {
      client.close();
    }
  }

  test.each([0, 1, 9])('stores lines unchanged, with gzip at level %d', async (gzipLevel) => {
    const bucket = `gzip-${gzipLevel}`;
    await influxd.makeBucket(bucket);
    await influxd.makeBucket(`${bucket}-text`);
    await load(['t v="q\\"u\\\\o\nte ü" 1'], { bucket: `${bucket}-text`, gzipLevel });
    const lines = ['t,k=a\\ b\\,c\\=d"e f=0.1 1700000000123456789', 't,k=x f=-6.25e-2 1700000000123456790'];
    expect(await load(lines, { bucket, gzipLevel })).toMatchObject({ pointsWritten: 2, failure: undefined });
    const rows = await influxd.query(
      `from(bucket: "${bucket}") |> range(start: 0) |> group() |> sort(columns: ["_time"])`,
    );
    expect(rows.map(({ _time, k, _field, _value }) => [_time, k, _field, _value])).toEqual([
      ['2023-11-14T22:13:20.123456789Z', 'a b,c=d"e', 'f', '0.1'],
      ['2023-11-14T22:13:20.12345679Z', 'x', 'f', '-0.0625'],
    ]);
    const texts = await influxd.query(`from(bucket: "${bucket}-text") |> range(start: 0)`);
    expect(texts.map(({ _value }) => _value)).toEqual(['q"u\\o\nte ü']);
  });

  test('stores all of many batches in flight', async () => {
    await influxd.makeBucket('many');
    const client = clientOf(influxd.url, { bucket: 'many' });
    const result = await write(client, numberedBatches(40, 500), { concurrency: 16 });
    client.close();
    expect(result).toMatchObject({
      pointsWritten: 20_000,
      batches: 40,
      failedBatches: 0,
      rejectedLines: 0,
      retries: 0,
    });
    expect(await influxd.count('v', 'many')).toBe(20_000);
  });

  test('reports the points of a type conflict as rejected, and stores the others', async () => {
    await load(['conflict v=1 1']);
    const result = await load(['conflict v="text" 2', 'conflict v=3 3', 'conflict v="more" 4']);
    expect(result).toMatchObject({ pointsWritten: 1, rejectedLines: 2, failedLines: 0, failure: undefined });
    expect(result.rejected[0]?.reason).toBe(
      'field type conflict: input field "v" on measurement "conflict" is type string, already exists as type float',
    );
    expect(
      await influxd.query(
        `from(bucket: "${BUCKET}") |> range(start: 0) |> filter(fn: (r) => r._measurement == "conflict")`,
      ),
    ).toHaveLength(2);
  });

  test('reports points outside the retention as rejected, and stores the others', async () => {
    await influxd.makeBucket('short', 3600);
    const now = BigInt(Date.now()) * 1_000_000n;
    const result = await load(['m v=1 1700000000000000000', `m v=2 ${now}`, 'm v=3 1700000000000000001'], {
      bucket: 'short',
    });
    expect(result).toMatchObject({ pointsWritten: 1, rejectedLines: 2, failure: undefined });
    expect(result.rejected[0]?.reason).toBe('points outside retention policy of duration 1h0m0s');
    expect(await influxd.count('v', 'short')).toBe(1);
  });

  const NOW = BigInt(Date.now()) * 1_000_000n;
  const DAY = 86_400_000_000_000n;
  const OLD = 1_700_000_000_000_000_000n;

  test('counts no point as written that a type conflict in another shard, or the retention, drops without a report', async () => {
    await influxd.makeBucket('hidden', 30 * 86_400);
    await influxd.write([0n, 3n, 6n].map((days) => `m v=1 ${NOW - days * DAY}`).join('\n'), 'hidden');
    const lines = [1n, 1n + 3n * DAY, 1n + 6n * DAY].map((age) => `m v="x" ${NOW - age}`);
    const result = await load([...lines, `m v=2 ${OLD}`, `m v=3 ${NOW - 2n}`], { bucket: 'hidden' });
    expect(result).toMatchObject({ pointsWritten: 1, rejectedLines: 4, failedLines: 0, failure: undefined });
    expect(result.rejected.map(({ lines: count }) => count)).toEqual([3, 1]);
    expect(await influxd.count('v', 'hidden')).toBe(3 + 1);
  });

  test('a single cause takes one request more, and no cause takes none', async () => {
    await influxd.makeBucket('calls', 86_400);
    const lines = Array.from({ length: 1_000 }, (_, n) => `m v=${n} ${NOW - BigInt(n)}`);
    await load(lines, { bucket: 'calls' });
    expect(calls).toBe(1);
    const conflicts = lines.map((line, n) => (n % 3 === 0 ? line.replace(/v=\d+/, 'v="x"') : line));
    expect(await load(conflicts, { bucket: 'calls' })).toMatchObject({ pointsWritten: 666, rejectedLines: 334 });
    expect(calls).toBe(2);
    const old = lines.map((line, n) => (n % 3 === 0 ? `m v=1 ${OLD + BigInt(n)}` : line));
    expect(await load(old, { bucket: 'calls' })).toMatchObject({ pointsWritten: 666, rejectedLines: 334 });
    expect(calls).toBe(2);
  });

  test('accounts for conflicts of three fields in ten shards in random order, in a bucket with old points', async () => {
    await influxd.makeBucket('many-causes', 30 * 86_400);
    const base = Array.from({ length: 10 }, (_, day) => `m a=1,b=1,c=1i ${NOW - BigInt(day) * DAY}`);
    await influxd.write(base.join('\n'), 'many-causes');
    const fields = ['a="x"', 'b=true', 'c=1.5'];
    const isBad = (n: number): boolean => n % 10 === 0;
    const lines = Array.from({ length: 5_000 }, (_, n) => {
      const age = BigInt((Math.floor(n / 30) * 7) % 10) * DAY + BigInt(n + 1);
      if (n % 100 === 1) return `m a=2 ${OLD + BigInt(n)}`;
      return `m ${isBad(n) ? fields[(n / 10) % 3] : 'a=2'} ${NOW - age}`;
    });
    const result = await load(lines, { bucket: 'many-causes' });
    expect(result).toMatchObject({ pointsWritten: 4_450, rejectedLines: 550, failedLines: 0, failure: undefined });
    expect(result.rejected.map(({ lines: count }) => count).sort()).toEqual([166, 167, 167, 50]);
    expect(await influxd.count('a', 'many-causes')).toBe(10 + 4_450);
    expect(calls).toBeLessThan(100);
  });

  test('stores a type that conflicts in one shard where another shard has it', async () => {
    await influxd.makeBucket('types', 30 * 86_400);
    await influxd.write(`m v=1 ${NOW}\nm v="x" ${NOW - 5n * DAY}\nm v=1 ${NOW - 10n * DAY}`, 'types');
    const ages = [0n, 5n, 10n].flatMap((days) => Array.from({ length: 50 }, (_, n) => days * DAY + BigInt(n + 1)));
    const result = await load(
      ages.map((age) => `m v="y" ${NOW - age}`),
      { bucket: 'types' },
    );
    expect(result).toMatchObject({ pointsWritten: 50, rejectedLines: 100, failedLines: 0, failure: undefined });
    const texts = await influxd.query('from(bucket: "types") |> range(start: -6d, stop: -4d) |> count()');
    expect(texts.map(({ _value }) => _value)).toEqual(['51']);
  });

  test('reports unparsable lines as rejected, each with its reason, and stores the others', async () => {
    await influxd.makeBucket('parse');
    const lines = ['m v=1 1', 'no fields', 'm v=', 'm s="it\'s\n\': fine" 2', 'm v=3 12x', 'm,a=b v=4 4'];
    const result = await load(lines, { bucket: 'parse' });
    expect(result).toMatchObject({ pointsWritten: 3, rejectedLines: 3, failedLines: 0, failure: undefined });
    expect(result.rejected).toEqual([
      { reason: 'unable to parse: invalid field format', lines: 1, examples: ['no fields'] },
      { reason: 'unable to parse: missing field value', lines: 1, examples: ['m v='] },
      { reason: 'unable to parse: bad timestamp', lines: 1, examples: ['m v=3 12x'] },
    ]);
    expect(await influxd.count('v', 'parse')).toBe(2);
    expect(await influxd.count('s', 'parse')).toBe(1);
  });

  test.each<[string, () => Promise<ClientSettings> | ClientSettings, string]>([
    ['a wrong token', () => ({ tokens: staticToken('wrong') }), '401: unauthorized access'],
    ['a token that may only read', async () => ({ tokens: staticToken(await influxd.makeToken('read')) }), '403: '],
    ['an unknown bucket', () => ({ bucket: 'nowhere' }), '404: bucket "nowhere" not found'],
    ['an unknown organization', () => ({ org: 'nobody' }), '404: organization name "nobody" not found'],
  ])('%s ends the load without retries', async (_, settings, reason) => {
    const result = await load(['m v=1 1'], await settings(), true);
    expect(result).toMatchObject({ pointsWritten: 0, failedLines: 1, retries: 0 });
    expect(result.failure).toMatchObject({ name: 'InfluxDBWriteError' });
    expect(result.failure?.message).toContain(`InfluxDB returned ${reason}`);
  });

  test('a rotated token is read again, and the load continues', async () => {
    const secrets = ['{"token":"old-token"}', JSON.stringify({ token: TOKEN })];
    const tokens = secretToken(() => Promise.resolve(secrets.shift() ?? ''));
    expect(await load(['rotated v=1 1'], { tokens })).toMatchObject({ pointsWritten: 1, failure: undefined });
  });
});
