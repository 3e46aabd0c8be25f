/** The steps of the workflow one after another, with a store and an InfluxDB over HTTP. */

import { configOf, DATA, fixtureBytes, load, testStore, WORK } from '../../support/loader';
import { testReader } from '../../support/parquet';
import { ScriptedServer } from '../../support/scripted-server';

const reader = testReader();
const s3 = testStore();
let influxdb: ScriptedServer;
/** Every line that was written. */
const lines = (): string[] => influxdb.requests.flatMap(({ body }) => body.split('\n')).filter((line) => line !== '');

beforeAll(async () => {
  influxdb = await ScriptedServer.start(() => ({ status: 204 }));
});
beforeEach(() => {
  influxdb.requests.length = 0;
});
afterAll(() => influxdb.stop());

const harness = () => ({ objects: s3.objects, reader });
const run = (input: object, environment: Record<string, string> = {}, options: Parameters<typeof load>[3] = {}) =>
  load(input, harness(), configOf(influxdb.url, environment), options);

/** A plan with one row group per item. */
const small = { targets: { bytes: 1, rows: 1 } };

describe('a prefix', () => {
  test('is loaded by files and row groups', async () => {
    s3.store.put(DATA, 'in/dataset=generation/a.parquet', fixtureBytes('codec-snappy'));
    s3.store.put(DATA, 'in/dataset=generation/b.parquet', fixtureBytes('codec-gzip'));
    s3.store.put(DATA, 'in/transmission/c.parquet', fixtureBytes('transmission-mw'));
    s3.store.put(DATA, 'in/transmission/_SUCCESS', '');
    s3.store.put(DATA, 'in/transmission/export_manifest.json', '{}');
    s3.store.put(DATA, 'elsewhere/generation/d.parquet', fixtureBytes('codec-gzip'));
    const summary = await run({ bucket: DATA, prefix: 'in/' }, {}, { plan: small });
    expect(summary).toMatchObject({
      loadId: 'load-1',
      statusCode: 200,
      files: 3,
      ignored: 2,
      items: 7,
      failed_items: 0,
      source_records: 604,
      points_written: 604,
      failed_batches: 0,
      datasets: { generation: { points_written: 600 }, transmission: { points_written: 4 } },
      failedItems: null,
      summary: `s3://${WORK}/loads/load-1/summary.json`,
      withinTolerance: true,
    });
    expect(lines()).toHaveLength(604);
    expect(JSON.parse(s3.store.text(WORK, 'loads/load-1/summary.json'))).toEqual(summary);
  });
});

describe('an event about a new object', () => {
  const created = (key: string) => ({
    'detail-type': 'Object Created',
    detail: { bucket: { name: DATA }, object: { key } },
  });

  test('loads it', async () => {
    s3.store.put(DATA, 'generation/a.parquet', fixtureBytes('codec-snappy'));
    expect(await run(created('generation/a.parquet'))).toMatchObject({ statusCode: 200, files: 1, ignored: 0 });
    expect(lines()).toHaveLength(300);
  });

  test.each([
    'generation/_temporary/0/part-0.parquet',
    'generation/_delta_log/00.checkpoint.parquet',
    'nothing/of/a/dataset/.x.parquet',
  ])('about %s is an empty load, which succeeds also if InfluxDB is unavailable', async (key) => {
    const summary = await run(created(key), {}, { check: () => Promise.reject(new Error('away')) });
    expect(summary).toMatchObject({ statusCode: 200, files: 0, ignored: 1, failed_items: 0, withinTolerance: true });
    expect(s3.store.requests.map(({ method, path }) => `${method} ${path}`)).not.toContain(`HEAD ${DATA}/${key}`);
    expect(influxdb.requests).toEqual([]);
  });
});

test('every listed file is loaded, ignored or failed', async () => {
  const names = [
    'a.parquet',
    'b.parquet',
    '_SUCCESS',
    '_temporary/c.parquet',
    'd.txt',
    'folder/',
    'empty.parquet',
    'e',
  ];
  for (const name of names) s3.store.put(DATA, `in/generation/${name}`, fixtureBytes('codec-snappy'));
  s3.store.put(DATA, 'in/generation/empty.parquet', '');
  const summary = await run({ bucket: DATA, prefix: 'in/', toleratedFailurePercentage: 50 });
  expect(summary).toMatchObject({ files: 3, ignored: 4, failed_items: 1, points_written: 900 });
  expect(summary.files + summary.ignored + summary.failed_items).toBe(names.length);
});

describe('a corrupt file', () => {
  const good = fixtureBytes('codec-snappy');
  /** Its footer is valid, so that it is planned. A page of its first row group is corrupt. */
  const corrupt = Buffer.from(good).fill(0xff, 300, 1200);
  const input = { bucket: DATA, prefix: 'in/' };
  beforeEach(() => {
    for (const name of ['a', 'c', 'd']) s3.store.put(DATA, `in/generation/${name}.parquet`, good);
    s3.store.put(DATA, 'in/generation/b.parquet', corrupt);
  });

  test('within the tolerance is named in the summary, and is loaded alone after it is fixed', async () => {
    const summary = await run({ ...input, toleratedFailurePercentage: 30 });
    expect(summary).toMatchObject({
      statusCode: 207,
      files: 4,
      failed_items: 1,
      points_written: 900,
      withinTolerance: true,
    });
    expect(summary.causes).toMatchObject([
      {
        error: 'DataConversionError',
        objects: [`s3://${DATA}/in/generation/b.parquet`],
        cause: expect.stringContaining('row group 0'),
      },
    ]);
    s3.store.put(DATA, 'in/generation/b.parquet', good);
    influxdb.requests.length = 0;
    const second = await run({ plan: summary.failedItems }, {}, { loadId: 'load-2' });
    expect(second).toMatchObject({ statusCode: 200, files: 1, points_written: 300, failedItems: null });
    expect(lines()).toHaveLength(300);
  });

  test('beyond the tolerance ends the load, and items that were not started are repeated too', async () => {
    const summary = await run({ ...input, maxConcurrency: 1 });
    expect(summary).toMatchObject({ statusCode: 207, failed_items: 3, points_written: 300, withinTolerance: false });
    expect(s3.store.lines(WORK, 'loads/load-1/failed-items.jsonl').map(({ key }) => key)).toEqual(
      ['b', 'c', 'd'].map((name) => `in/generation/${name}.parquet`),
    );
  });
});

describe('InfluxDB that cannot be written to', () => {
  test('ends the load before a file is read', async () => {
    s3.store.put(DATA, 'in/generation/a.parquet', fixtureBytes('codec-snappy'));
    const check = () => Promise.reject(new Error('unhealthy'));
    await expect(run({ bucket: DATA, prefix: 'in/' }, {}, { check })).rejects.toThrow('unhealthy');
    expect(s3.store.requests).toEqual([]);
  });
});

test('is loaded in parts if the plan has several parts', async () => {
  for (let index = 0; index < 6; index++)
    s3.store.put(DATA, `in/generation/${index}.parquet`, fixtureBytes('codec-snappy'));
  const parts: number[] = [];
  const onPlan = ({ part }: { part: number }) => parts.push(part);
  const summary = await run({ bucket: DATA, prefix: 'in/' }, {}, { plan: { planBytes: 500 }, onPlan });
  expect(parts.length).toBeGreaterThan(1);
  expect(summary).toMatchObject({ statusCode: 200, files: 6, items: 6, points_written: 1800 });
});
