/** The load of an export, step by step, with a store and an InfluxDB over HTTP: lines, accounts, faults. */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { PlanItem } from 'shared/loads/plan-item';
import type { Summary } from 'shared/loads/summary';
import { EDGE, EDGE_COLUMNS, SINGLE, SINGLE_COLUMNS, type Unload, unload } from '../../support/exports';
import { configOf, load, parquetOf, testStore, WORK } from '../../support/loader';
import { testReader } from '../../support/parquet';
import { scriptedInfluxDB } from '../../support/scripted-influxdb';

const BUCKET = 'exports';
const reader = testReader();
const s3 = testStore();
const influxdb = scriptedInfluxDB();

const lines = () =>
  influxdb.requests.flatMap(({ body }) => body.split(/\n(?=\w+[, ])/)).map((line) => line.replace(/\n$/, ''));

function put(query: Unload): string {
  const { id, objects } = unload(BUCKET, query);
  for (const [key, body] of Object.entries(objects)) s3.store.put(BUCKET, key, body);
  return id;
}

const run = (options: object = {}, environment: Record<string, string> = {}, input: object = {}): Promise<Summary> =>
  load(
    { export: `s3://${BUCKET}/`, options, toleratedFailurePercentage: 100, ...input },
    { objects: s3.objects, reader },
    configOf(influxdb.url, environment),
  );

const edge = (more: Partial<Unload> = {}): Unload => ({
  folder: 'db/cpu/',
  columns: EDGE_COLUMNS,
  files: [EDGE],
  ...more,
});
const single = (more: Partial<Unload> = {}): Unload => ({
  folder: 'db/cpu/',
  columns: SINGLE_COLUMNS,
  files: [SINGLE],
  ...more,
});
/** 2025-11-28T10:00:00Z, s. */
const T = 1764324000;

test('every value of a multi-measure table is exact, and a row of NULLs alone is counted', async () => {
  put(edge());
  const summary = await run();
  expect(lines()).toEqual([
    `cpu,MEASURE_NAME=upper,Time=noon,device=a\\ b\\,c\\=d,measure_name=m started=-1i,big=9007199254740993i,temp=21.5,Temp=99.25,note="say \\"hi\\" \\\\ there\nnext",ok=true ${T}123456789`,
    `cpu,Time=noon,device=null,measure_name=m big=-9223372036854775808i,temp=0.1,note="",ok=false ${T + 1}000000000`,
    `cpu,measure_name=m temp=3 ${T + 2}000000000`,
    `cpu,measure_name=m temp=4 ${T + 3}000000000`,
    `cpu,device=\\ padded\\ ,measure_name=m temp=5 ${T + 4}000000000`,
    `cpu,device=C:\\dir,measure_name=m temp=6 ${T + 5}000000000`,
    `cpu,device=line\\nbreak,measure_name=m temp=7 ${T + 6}000000000`,
  ]);
  expect(summary).toMatchObject({ statusCode: 200, source_records: 8, points_written: 7, invalid_records: {} });
  expect(summary.warnings).toEqual({ 'control-character device': 1, 'trailing-backslash device': 1 });
  expect(summary.tables).toEqual({
    cpu: {
      queries: 1,
      files: 1,
      manifest_rows: 8,
      rows: 8,
      points: 7,
      empty: 1,
      invalid: 0,
      points_written: 7,
      rejected_points: 0,
      failed_points: 0,
      merged: 0,
      left_out: ['partition_date'],
      accounted: true,
    },
  });
});

test('a row of NULLs alone is no invalid row, also where invalid rows may not be dropped', async () => {
  put(edge());
  expect(await run({}, { DROP_INVALID_RECORDS: 'false' })).toMatchObject({ statusCode: 200, points_written: 7 });
});

test('TIMESTAMP measures are RFC 3339 text on request, before 1970 too', async () => {
  put(edge());
  await run({ timestamps: 'rfc3339', dimensionsToFields: ['device'], measureName: 'field' });
  expect(lines()[0]).toContain('started="1969-12-31T23:59:59.999999999Z"');
  expect(lines()[0]).toContain('cpu,MEASURE_NAME=upper,Time=noon device="a b,c=d",measure_name="m",');
});

describe('measure_name of a single-measure table', () => {
  test('is a tag by default', async () => {
    put(single());
    await run();
    expect(lines()).toEqual([
      `cpu,device=d1,measure_name=load measure_value::double=1.5 ${T}000000000`,
      `cpu,device=d1,measure_name=count measure_value::bigint=7i ${T}000000000`,
      `cpu,device=d1,measure_name=state measure_value::varchar="up" ${T}000000000`,
      `cpu,device=d1,measure_name=on measure_value::boolean=true ${T}000000000`,
    ]);
  });

  test('is the key of the field with pivot', async () => {
    put(single());
    const summary = await run({ measureName: 'pivot' });
    expect(lines().map((line) => line.split(' ')[1])).toEqual(['load=1.5', 'count=7i', 'state="up"', 'on=true']);
    // The rows of one time become one point of four fields.
    expect(summary.tables?.cpu).toMatchObject({ points: 4, merged: 3, accounted: true });
  });

  test('is dropped where each row has the given value, and other rows are invalid', async () => {
    put(single());
    const summary = await run({ measureName: 'drop', measureNameValue: 'load' });
    expect(lines()).toEqual([`cpu,device=d1 measure_value::double=1.5 ${T}000000000`]);
    expect(summary.invalid_records).toEqual({ 'measure_name unexpected': 3 });
    expect(summary.tables?.cpu).toMatchObject({ rows: 4, points: 1, invalid: 3, accounted: true });
  });
});

describe('a query that was exported twice', () => {
  test('is written twice, which stores the same points, and counted as merged', async () => {
    put(edge());
    put(edge({ seed: 'again' }));
    expect((await run()).tables?.cpu).toMatchObject({
      queries: 2,
      manifest_rows: 16,
      points: 14,
      merged: 7,
      empty: 2,
      accounted: true,
    });
  });

  test('is not taken for another one with as many rows', async () => {
    put(edge());
    const time = "TIMESTAMP '2025-01-01' + INTERVAL 1 SECOND * i";
    const other = await parquetOf(`SELECT 'm' AS measure_name, ${time} AS time, 1.5 AS temp FROM range(7) r(i)`);
    const columns = { measure_name: 'VARCHAR', time: 'TIMESTAMP', temp: 'DOUBLE' } as const;
    put(edge({ columns, files: [{ bytes: other, rows: 7 }], seed: 'other' }));
    expect((await run()).tables?.cpu).toMatchObject({ points: 14, merged: 0 });
  });
});

describe('CSV', () => {
  const columns = {
    device: 'VARCHAR',
    measure_name: 'VARCHAR',
    time: 'TIMESTAMP',
    big: 'BIGINT',
    temp: 'DOUBLE',
    started: 'TIMESTAMP',
    note: 'VARCHAR',
    ok: 'BOOLEAN',
    day: 'VARCHAR',
  } as const;
  const rows = [
    'a b,m,2025-11-28 10:00:00.123456789,9007199254740993,0.1,1969-12-31 23:59:59.999999999,"say \\"hi\\" \\\\ there\nnext",true',
    ',m,2025-11-28 10:00:01.000000000,-9223372036854775808,1.0E-7,,"",false',
    'quiet,m,2025-11-28 10:00:02.000000000,,,,,',
  ];
  const expected = [
    `cpu,device=a\\ b,measure_name=m big=9007199254740993i,temp=0.1,started=-1i,note="say \\"hi\\" \\\\ there\nnext",ok=true ${T}123456789`,
    `cpu,measure_name=m big=-9223372036854775808i,temp=1e-7,note="",ok=false ${T + 1}000000000`,
  ];
  const file = (bytes: Uint8Array, extension = 'csv') => ({ bytes, rows: 3, partition: 'day=1/', extension });
  const csv = (bytes: Uint8Array, extension?: string): Unload => {
    return { folder: 'db/cpu/', columns, files: [file(bytes, extension)], format: 'CSV' };
  };

  test.each<[string, Unload, object]>([
    ['plain', csv(Buffer.from(`${rows.join('\n')}\n`)), {}],
    ['gzip, the default of UNLOAD', csv(gzipSync(`${rows.join('\n')}\n`), 'gz'), {}],
    [
      'with a header',
      csv(Buffer.from(['device,measure_name,time,big,temp,started,note,ok', ...rows, ''].join('\n'))),
      {},
    ],
    [
      'of another delimiter and escape',
      csv(
        Buffer.from(
          `${rows.map((row) => row.replaceAll(',', '|').replaceAll('\\\\', '\\').replaceAll('\\"', '^"')).join('\n')}\n`,
        ),
      ),
      { csv: { delimiter: '|', escape: '^' } },
    ],
  ])('%s has the same points as Parquet would have', async (_, query, options) => {
    put(query);
    const summary = await run(options);
    expect(lines()).toEqual(expected);
    expect(summary.tables?.cpu).toMatchObject({ rows: 3, points: 2, empty: 1, accounted: true });
  });

  test.each<[string, Uint8Array, string]>([
    [
      'fewer rows than its manifest',
      Buffer.from(`${rows.slice(0, 2).join('\n')}\n`),
      '2 rows were read, but its manifest says 3',
    ],
    ['another delimiter than the options', Buffer.from(rows.join('\n').replaceAll(',', ';')), 'check the delimiter'],
    ['an end in the middle of gzip', gzipSync(rows.join('\n').repeat(99)).subarray(0, 90), 'damaged gzip'],
  ])('fails with %s', async (_, bytes, cause) => {
    put(csv(bytes));
    const summary = await run();
    expect(summary.failed_items).toBe(1);
    expect(summary.causes).toMatchObject([{ error: 'DataConversionError', cause: expect.stringContaining(cause) }]);
    expect(summary.tables?.cpu?.accounted).toBe(false);
  });
});

test('a missing file fails the load, and its sums do not close', async () => {
  put(edge({ folder: 'db/other/' }));
  put(edge());
  s3.store.objects.delete([...s3.store.objects.keys()].find((key) => key.includes('db/cpu/results/')) ?? '');
  const summary = await run({}, {}, { toleratedFailurePercentage: 0 });
  expect(summary).toMatchObject({ statusCode: 207, failed_items: 1, withinTolerance: false });
  expect(summary.tables).toMatchObject({
    cpu: { manifest_rows: 8, rows: 0, accounted: false },
    other: { accounted: true },
  });
});

test('failed items can be loaded again with the mapping of their table, once the file is there', async () => {
  put(edge());
  const key = [...s3.store.objects.keys()].find((each) => each.includes('db/cpu/results/')) ?? '';
  s3.store.objects.delete(key);
  const failed = await run();
  expect(failed.failedItems).toBe(`s3://${WORK}/loads/load-1/failed-items.jsonl`);
  s3.store.objects.set(key, Buffer.from(EDGE.bytes));
  const again = await load({ plan: failed.failedItems }, { objects: s3.objects, reader }, configOf(influxdb.url), {
    loadId: 'load-2',
  });
  expect(again).toMatchObject({ statusCode: 200, points_written: 7 });
  expect(s3.store.lines<PlanItem>(WORK, 'loads/load-2/plan-0.jsonl')[0]?.export?.mapping.key).toContain(
    'loads/load-1/',
  );
});

test('points that InfluxDB rejects, such as those outside the retention, are counted by table', async () => {
  put(edge());
  const message = 'partial write: points beyond retention policy dropped=7';
  influxdb.respond = () => ({ status: 422, body: JSON.stringify({ code: 'unprocessable entity', message }) });
  const summary = await run();
  expect(summary.points_written).toBe(0);
  expect(summary.tables?.cpu).toMatchObject({ points_written: 0, manifest_rows: 8 });
  expect(summary.withinTolerance).toBe(false);
});

test('a table named as a built-in dataset is mapped by its own columns', async () => {
  put(edge({ folder: 'db/generation/' }));
  expect(await run({}, { VALIDATE_SCHEMA: 'true' })).toMatchObject({ statusCode: 200, points_written: 7 });
});

test('an empty table is a complete load', async () => {
  put(edge({ files: [] }));
  expect(await run()).toMatchObject({
    statusCode: 200,
    withinTolerance: true,
    tables: { cpu: { manifest_rows: 0, accounted: true } },
  });
});

test('invalid rows are saved with the values of all their columns', async () => {
  put(single());
  await run({ measureName: 'drop', measureNameValue: 'load' });
  const key = [...s3.store.objects.keys()].find((each) => each.includes('/invalid/')) ?? '';
  const rows = gunzipSync(s3.store.objects.get(key) ?? '')
    .toString()
    .trim()
    .split('\n');
  expect(rows).toHaveLength(3);
  expect(JSON.parse(rows[0] ?? '')).toMatchObject({ reason: 'unexpected', column: 'measure_name', value: 'count' });
});
