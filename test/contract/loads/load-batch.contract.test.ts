/** LoadBatch with a store and an InfluxDB over HTTP: results, invalid rows, errors. */
import { gunzipSync } from 'node:zlib';
import type { ItemResult } from 'shared/loads/item-result';
import { itemResult } from 'shared/loads/item-result';
import { type LoadServices, loadItem, readLoadBatch } from 'shared/loads/load-item';
import type { PlanItem } from 'shared/loads/plan-item';
import { planLoad } from 'shared/loads/plan-load';
import { hashText } from 'shared/points/hyperloglog';
import { NO_POINTS } from 'shared/points/report';
import { SeriesCounts } from 'shared/points/series-counts';
import { recordingLogger } from '../../support/influx-writing';
import { configOf, DATA, fixtureBytes, loadServices, planServices, testStore, WORK } from '../../support/loader';
import { testReader } from '../../support/parquet';
import { STORED, scriptedInfluxDB } from '../../support/scripted-influxdb';
import type { Answer } from '../../support/scripted-server';
import { VirtualClock } from '../../support/virtual-clock';

const reader = testReader();
const s3 = testStore();
const influxdb = scriptedInfluxDB();

const lines = () => influxdb.requests.flatMap(({ body }) => body.split('\n')).filter((line) => line !== '');

/** The only item of a file. */
async function itemOf(name: string, dataset = 'generation'): Promise<PlanItem> {
  const key = `${dataset}/${name}.parquet`;
  s3.store.put(DATA, key, fixtureBytes(name));
  const load = {
    loadId: 'load-1',
    source: { bucket: DATA, key },
    dataset,
    toleratedFailurePercentage: 0,
    maxConcurrency: 1,
  };
  const services = planServices({ objects: s3.objects, reader }, { validateSchema: false });
  await planLoad({ load, part: 0, continuation: null }, services);
  const [item] = s3.store.lines<PlanItem>(WORK, 'loads/load-1/plan-0.jsonl');
  if (!item) throw new Error(`${name} has no item`);
  return item;
}

function run(
  item: PlanItem,
  environment: Record<string, string> = {},
  options: Partial<LoadServices> = {},
): Promise<ItemResult> {
  const config = configOf(influxdb.url, { VALIDATE_SCHEMA: 'false', ...environment });
  return loadItem(
    'load-1',
    item,
    loadServices({ objects: s3.objects, reader }, config, { clock: new VirtualClock(), ...options }),
  );
}

function rejectedRows(result: Pick<ItemResult, 'invalidFile'>): Record<string, unknown>[] {
  const key = result.invalidFile?.replace(`s3://${WORK}/`, '') ?? '';
  const text = gunzipSync(s3.store.objects.get(`${WORK}/${key}`) ?? '').toString('utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('writes only the row groups of its item', async () => {
  const whole = await itemOf('codec-snappy');
  const result = await run({ ...whole, firstRowGroup: 1, rowGroups: 2, firstRow: 100, rows: 200 });
  expect(result).toMatchObject({
    item: { bucket: DATA, key: whole.key, firstRowGroup: 1, rowGroups: 2 },
    statusCode: 200,
    sourceRecords: 200,
    pointsWritten: 200,
    batches: 1,
    invalidFile: null,
  });
  expect(lines()).toHaveLength(200);
  expect(result.nulls).toMatchObject({ value: 0, operator: 200, efficiency: 200 });
});

test('uses the field names that were planned for the whole file', async () => {
  const whole = await itemOf('transmission-kv-last', 'transmission');
  expect(whole.taken).toEqual(['voltage_kv']);
  await run({ ...whole, rowGroups: 1, rows: 1 });
  expect(lines()).not.toEqual([]);
  for (const line of lines()) expect(line).toMatch(/[ ,]nominal_voltage_kv=/);
});

describe('invalid rows', () => {
  test('are dropped, counted by column and reason, and saved with all their columns', async () => {
    const result = await run(await itemOf('value-bad'));
    const invalid = Object.values(result.invalidRecords).reduce((sum, count) => sum + count, 0);
    expect(result.statusCode).toBe(200);
    expect(Object.keys(result.invalidRecords).sort()).toEqual(['value infinite', 'value missing', 'value nan']);
    expect(result.pointsWritten + invalid).toBe(result.sourceRecords);
    expect(result.invalidFile).toMatch(/^s3:\/\/work-bucket\/loads\/load-1\/invalid\/[0-9a-f]{16}-0\.jsonl\.gz$/);
    const rows = rejectedRows(result);
    expect(rows).toHaveLength(invalid);
    expect(rows[0]).toMatchObject({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      loadId: 'load-1',
      bucket: DATA,
      key: 'generation/value-bad.parquet',
      row: expect.any(Number),
      reason: expect.any(String),
      column: 'value',
      values: { region: 'norte', unit: 'MW' },
    });
  });

  test('fail the item before a point is written if they may not be dropped, and are saved', async () => {
    const item = await itemOf('value-bad');
    await expect(run(item, { DROP_INVALID_RECORDS: 'false' })).rejects.toMatchObject({
      name: 'DataConversionError',
      message: expect.stringMatching(/value nan.*nothing of it was written/),
    });
    expect(influxdb.requests).toEqual([]);
    const key = [...s3.store.objects.keys()].find((path) => path.includes('/invalid/'));
    expect(rejectedRows({ invalidFile: `s3://${key}` }).length).toBeGreaterThan(0);
  });
});

describe('a file', () => {
  test('that has changed since it was planned fails the item', async () => {
    const item = await itemOf('codec-snappy');
    s3.store.put(DATA, item.key, fixtureBytes('codec-gzip'));
    await expect(run(item)).rejects.toMatchObject({
      name: 'DataConversionError',
      message: expect.stringContaining('has changed since it was planned'),
    });
    expect(influxdb.requests).toEqual([]);
  });

  test('that no longer exists fails the item', async () => {
    const item = await itemOf('codec-snappy');
    s3.store.objects.delete(`${DATA}/${item.key}`);
    await expect(run(item)).rejects.toMatchObject({
      name: 'DataConversionError',
      message: expect.stringContaining('no longer exists'),
    });
  });

  test('that S3 cannot return fails with a retryable error', async () => {
    const item = await itemOf('codec-snappy');
    s3.store.fail = () => 503;
    await expect(run(item)).rejects.toMatchObject({ name: 'S3UnavailableError' });
  });

  test('without a required column fails with VALIDATE_SCHEMA', async () => {
    const item = await itemOf('missing-column');
    await expect(run(item, { VALIDATE_SCHEMA: 'true' })).rejects.toMatchObject({ name: 'DataConversionError' });
  });
});

describe('InfluxDB', () => {
  const conflict = (dropped: number): Answer => ({
    status: 422,
    body: JSON.stringify({
      code: 'unprocessable entity',
      message: `failure writing points to database: partial write: field type conflict: input field "power_mw" dropped=${dropped}`,
    }),
  });

  test('that rejects some points: the status is 207, with the reason', async () => {
    const refused = new Set<string>();
    influxdb.respond = ({ body }, index) => {
      const lines = body.trim().split('\n');
      if (index === 0) for (const line of lines.slice(0, 7)) refused.add(line);
      const dropped = lines.filter((line) => refused.has(line)).length;
      return dropped > 0 ? conflict(dropped) : STORED;
    };
    const result = await run(await itemOf('codec-snappy'), { MAX_BATCH_SIZE: '100' });
    expect(result).toMatchObject({ statusCode: 207, sourceRecords: 300, pointsWritten: 293, rejectedPoints: 7 });
    expect(result.rejected[0]?.reason).toMatch(/field type conflict/);
  });

  test('that rejects every point fails the item', async () => {
    influxdb.respond = () => conflict(300);
    await expect(run(await itemOf('codec-snappy'))).rejects.toMatchObject({
      name: 'InfluxDBWriteError',
      message: expect.stringMatching(/no point of 300 was stored.*field type conflict/),
    });
  });

  test.each([401, 403, 404])('that returns %i fails the item without retries', async (status) => {
    influxdb.respond = () => ({ status, body: '{"message":"no"}' });
    await expect(
      run(await itemOf('codec-snappy'), { WRITE_CONCURRENCY: '1', MAX_BATCH_SIZE: '10' }),
    ).rejects.toMatchObject({
      name: 'InfluxDBWriteError',
    });
    expect(influxdb.requests).toHaveLength(1);
  });

  test('that stays unavailable fails the item with a retryable error', async () => {
    influxdb.respond = () => ({ status: 503 });
    await expect(run(await itemOf('codec-snappy'))).rejects.toMatchObject({
      name: 'InfluxDBConnectionError',
      message: expect.stringContaining('InfluxDB was unavailable for 30 s'),
    });
  });

  test('that rejects a batch fails the item, or only the batch with SKIP_FAILED_BATCHES', async () => {
    const item = await itemOf('codec-snappy');
    const environment = { MAX_BATCH_SIZE: '2', MAX_RETRIES: '0' };
    influxdb.respond = (_request, index) => (index === 3 ? { status: 500, body: '{"message":"broken"}' } : STORED);
    await expect(run(item, { ...environment, WRITE_CONCURRENCY: '1' })).rejects.toMatchObject({
      name: 'InfluxDBConnectionError',
    });
    influxdb.requests.length = 0;
    const result = await run(item, { ...environment, WRITE_CONCURRENCY: '1', SKIP_FAILED_BATCHES: 'true' });
    expect(result).toMatchObject({
      statusCode: 207,
      failedBatches: 1,
      failedPoints: 2,
      pointsWritten: 298,
      batches: 150,
    });
  });
});

test('ends before its deadline with a retryable error', async () => {
  const deadline = new AbortController();
  influxdb.respond = (_request, index) => {
    if (index === 2) deadline.abort();
    return STORED;
  };
  const item = await itemOf('codec-snappy');
  await expect(run(item, { MAX_BATCH_SIZE: '10' }, { deadline: deadline.signal })).rejects.toMatchObject({
    name: 'InfluxDBConnectionError',
    message: expect.stringMatching(/not loaded within the timeout of the function \(\d+ points were written\)/),
  });
  expect(influxdb.requests.length).toBeLessThan(30);
});

describe('an item that fails after it has written points', () => {
  const unfinished = () =>
    [...s3.store.objects.keys()]
      .filter((path) => path.startsWith(`${WORK}/loads/load-1/unfinished/`))
      .map((path) => JSON.parse(s3.store.text(WORK, path.slice(WORK.length + 1))) as ItemResult);
  const outageAfter = (writes: number) => {
    influxdb.respond = (_request, index) => (index < writes ? STORED : { status: 503 });
  };
  const environment = { MAX_BATCH_SIZE: '10', WRITE_CONCURRENCY: '1' };

  test('saves its result so far, and a retry that writes nothing keeps it', async () => {
    const item = await itemOf('codec-snappy');
    const results: ItemResult[] = [];
    const onUnfinished = (result: ItemResult) => results.push(result);
    outageAfter(3);
    await expect(run(item, environment, { onUnfinished })).rejects.toMatchObject({ name: 'InfluxDBConnectionError' });
    influxdb.requests.length = 0;
    outageAfter(0);
    await expect(run(item, environment, { onUnfinished })).rejects.toMatchObject({ name: 'InfluxDBConnectionError' });
    expect(unfinished()).toMatchObject([{ item: { key: item.key, firstRowGroup: 0 }, pointsWritten: 30 }]);
    expect(results.map(({ pointsWritten }) => pointsWritten)).toEqual([30]);
  });

  test('saves its result so far also if its invalid rows could not be saved', async () => {
    s3.store.fail = ({ method, path }) => (method === 'PUT' && path.includes('/invalid/') ? 503 : undefined);
    const item = await itemOf('value-bad');
    await expect(run(item)).rejects.toMatchObject({ name: 'S3UnavailableError' });
    expect(lines().length).toBeGreaterThan(0);
    expect(unfinished()).toMatchObject([{ item: { key: item.key }, pointsWritten: lines().length, invalidFile: null }]);
  });

  test('fails with its own error, also if its result so far cannot be saved', async () => {
    const item = await itemOf('codec-snappy');
    outageAfter(3);
    s3.store.fail = ({ method }) => (method === 'PUT' ? 503 : undefined);
    await expect(run(item, environment)).rejects.toMatchObject({ name: 'InfluxDBConnectionError' });
    expect(unfinished()).toEqual([]);
  });
});

test('hides the token from every log and error', async () => {
  const logger = recordingLogger();
  influxdb.respond = () => ({ status: 401, body: '{"message":"unauthorized access"}' });
  const failure: unknown = await run(await itemOf('codec-snappy'), {}, { logger }).catch((error: unknown) => error);
  expect(JSON.stringify([logger.entries, failure, String(failure)])).not.toContain('test-token');
});

test('has a small result for any data', async () => {
  const item = await itemOf('codec-snappy');
  const long = 'x'.repeat(100_000);
  const wide = new SeriesCounts();
  for (let index = 0; index < 1000; index++) {
    const { series, columns } = wide.measurement(`${index}`);
    for (let row = 0; row < 10; row++) series.add(hashText(`${index} ${row}`));
    columns.set('x', new Set(['float']));
    wide.tag(`${index}`).add(index);
  }
  const many = Array.from({ length: 1000 }, (_, index) => `${index} ${long}`);
  const report = {
    rows: 1,
    points: 1,
    bytes: 1,
    ...NO_POINTS,
    invalid: many.map((value) => ({
      reason: 'nan' as const,
      column: 'value',
      count: 1,
      examples: [{ row: 1, value }],
    })),
    warnings: many.map((value) => ({ kind: 'unknown-value' as const, column: value, value, count: 1 })),
    present: {},
    series: wide.report(),
  };
  const written = {
    ...{
      pointsWritten: 1,
      batches: 1,
      failedBatches: 0,
      failedLines: 0,
      rejectedLines: 1000,
      retries: 0,
      failure: undefined,
    },
    rejected: many.map((reason) => ({ reason, lines: 1, examples: [reason, reason, reason] })),
  };
  const key = 'k'.repeat(1024);
  const columns = many.map((name) => name.slice(0, 60));
  const result = itemResult({ ...item, key }, columns, report, written, { invalidFile: null, milliseconds: 1 });
  expect(Buffer.byteLength(JSON.stringify(result))).toBeLessThan(32 * 1024);
});

test('rejects an invalid input with every problem', () => {
  expect(() => readLoadBatch({ loadId: 'x', item: { bucket: 'b' } })).toThrow(/item.key: .*; item.etag: /);
});
