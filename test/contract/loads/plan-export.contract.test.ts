/** Planning of an export, with a store that speaks S3's HTTP API: manifests alone decide what is loaded. */
import { BUILT_IN_MAPPINGS } from 'shared/datasets/built-in';
import type { ExportReading } from 'shared/exports/reading';
import { detectDatasetStep } from 'shared/loads/detect-dataset';
import type { ExportTables } from 'shared/loads/export-tables';
import type { PlanItem, Unplanned } from 'shared/loads/plan-item';
import { planLoad } from 'shared/loads/plan-load';
import { EDGE, EDGE_COLUMNS, SINGLE, SINGLE_COLUMNS, type Unload, unload } from '../../support/exports';
import { planServices, testStore, WORK } from '../../support/loader';
import { testReader } from '../../support/parquet';

const BUCKET = 'exports';
const reader = testReader();
const s3 = testStore();

function put(query: Unload): string {
  const { id, objects } = unload(BUCKET, query);
  for (const [key, body] of Object.entries(objects)) s3.store.put(BUCKET, key, body);
  return id;
}

async function plan(options: object = {}, folder = `s3://${BUCKET}/`) {
  const rules = { mappings: BUILT_IN_MAPPINGS, reservedConcurrency: undefined, objects: s3.objects, workBucket: WORK };
  const load = await detectDatasetStep({ loadId: 'load-1', input: { export: folder, options } }, rules);
  const services = planServices({ objects: s3.objects, reader }, { targets: { bytes: 1, rows: 1 } });
  const result = await planLoad({ load, part: 0, continuation: null }, services);
  const text = (name: string) => JSON.parse(String(s3.store.objects.get(`${WORK}/loads/load-1/${name}`)));
  return {
    result,
    items: s3.store.lines<PlanItem>(WORK, 'loads/load-1/plan-0.jsonl'),
    unplanned: s3.store.lines<Unplanned>(WORK, 'loads/load-1/unplanned-0.jsonl'),
    tables: text('export.json') as ExportTables,
    readingOf: (item: PlanItem | undefined) =>
      JSON.parse(String(s3.store.objects.get(`${WORK}/${item?.export?.mapping.key}`))) as ExportReading,
  };
}

const edge = (folder = 'db/cpu/', more: Partial<Unload> = {}): Unload => {
  return { folder, columns: EDGE_COLUMNS, files: [EDGE], ...more };
};

test('plans the row groups of each file, and names table, query and mapping', async () => {
  const id = put(edge());
  put({ folder: 'db/mem/chunk-1/', columns: SINGLE_COLUMNS, files: [SINGLE] });
  const { result, items, tables, readingOf } = await plan();
  expect(result).toMatchObject({ items: 3, files: 2, rows: 12, unplanned: 0, ignored: 0, continuation: null });
  expect(items.map((item) => [item.dataset, item.firstRow, item.rows, item.export?.rows])).toEqual([
    ['cpu', 0, 4, 8],
    ['cpu', 4, 4, 8],
    ['mem', 0, 4, 4],
  ]);
  expect(items[0]?.export).toMatchObject({ table: 'cpu', query: `db/cpu/${id}`, size: EDGE.bytes.length });
  expect(readingOf(items[0]).mapping).toMatchObject({ measurement: 'cpu', time: { column: 'time' } });
  expect(readingOf(items[0]).csv).toBeNull();
  expect(tables).toEqual({
    cpu: { queries: 1, files: 1, rows: 8, leftOut: ['partition_date'] },
    mem: { queries: 1, files: 1, rows: 4, leftOut: [] },
  });
});

test('reads one listing, two documents per query, and one range per file', async () => {
  for (const table of ['a', 'b', 'c']) put(edge(`db/${table}/`));
  s3.store.requests.length = 0;
  await plan();
  const reads = s3.store.requests.filter(({ path }) => path.startsWith(`${BUCKET}/`));
  const of = (end: string) => reads.filter(({ path }) => path.endsWith(end)).length;
  expect([of('_manifest.json'), of('_metadata.json'), of('.parquet'), of(`${BUCKET}/`)]).toEqual([3, 3, 3, 1]);
  expect(reads).toHaveLength(10);
});

test('files of the same columns share a mapping, drift of the schema makes another', async () => {
  put(edge('db/cpu/1/'));
  put(edge('db/cpu/2/'));
  put({ folder: 'db/cpu/3/', columns: { ...EDGE_COLUMNS, gained: 'DOUBLE' }, files: [EDGE] });
  const { items, tables } = await plan();
  const mappings = new Map(items.map((item) => [item.export?.query.split('/')[2], item.export?.mapping.key]));
  expect(mappings.get('1')).toBe(mappings.get('2'));
  expect(mappings.get('3')).not.toBe(mappings.get('1'));
  expect(tables.cpu).toMatchObject({ queries: 3, files: 3, rows: 24 });
});

test('leaves out what no manifest lists, as a failed query leaves it, and counts it', async () => {
  put(edge());
  const failed = unload(BUCKET, edge('db/cpu/', { seed: 'failed' }));
  for (const [key, body] of Object.entries(failed.objects)) {
    if (!key.endsWith('_manifest.json')) s3.store.put(BUCKET, key, body);
  }
  expect((await plan()).result).toMatchObject({ files: 1, rows: 8, ignored: 1, unplanned: 0 });
});

test('an export that was copied to another bucket and folder is read there', async () => {
  put(edge('backup/db/cpu/', { written: 'original/results/db/cpu/' }));
  const { items } = await plan({}, `s3://${BUCKET}/backup`);
  expect(new Set(items.map(({ bucket, dataset }) => `${bucket} ${dataset}`))).toEqual(new Set([`${BUCKET} cpu`]));
});

test('partition values with spaces are found, encoded in the url or not', async () => {
  const file = { ...EDGE, partition: 'partition_date=25 11 28/' };
  put(edge('db/plain/', { files: [file] }));
  const { objects } = unload(BUCKET, edge('db/coded/', { files: [file] }));
  for (const [key, body] of Object.entries(objects)) {
    const isManifest = key.endsWith('_manifest.json');
    s3.store.put(BUCKET, key, isManifest ? String(body).replaceAll('25 11 28', '25%2011%2028') : body);
  }
  expect((await plan()).result).toMatchObject({ files: 2, unplanned: 0 });
});

test('a manifest that only repeats the files of another one is ignored', async () => {
  const id = put(edge());
  const manifest = s3.store.objects.get(`${BUCKET}/db/cpu/${id}_manifest.json`) ?? '';
  s3.store.put(BUCKET, `db/cpu/copy of ${id}_manifest.json`, manifest);
  expect((await plan()).result).toMatchObject({ files: 1, rows: 8, ignored: 1 });
});

test('an empty table has no items and no error', async () => {
  put(edge('db/cpu/', { files: [] }));
  const { result, tables } = await plan();
  expect(result).toMatchObject({ items: 0, files: 0, unplanned: 0 });
  expect(tables.cpu).toMatchObject({ queries: 1, files: 0, rows: 0 });
});

describe('a file that cannot be loaded does not stop the others', () => {
  const other = (): string => put(edge('db/other/'));

  test.each<[string, (key: string, id: string) => void, string]>([
    ['is missing', (key) => s3.store.objects.delete(key), 'does not exist, but its manifest lists it'],
    [
      'was cut',
      (key) => s3.store.objects.set(key, Buffer.from(EDGE.bytes.slice(0, 100))),
      `has 100 bytes, but its manifest says ${EDGE.bytes.length}`,
    ],
    [
      'has no metadata',
      (_, id) => s3.store.objects.delete(`${BUCKET}/db/cpu/${id}_metadata.json`),
      'its types are unknown',
    ],
  ])('a file that %s', async (_, damage, cause) => {
    other();
    const id = put(edge());
    damage([...s3.store.objects.keys()].find((key) => key.includes(`db/cpu/results/`)) ?? '', id);
    const { result, unplanned, tables } = await plan();
    expect(result).toMatchObject({ files: 1, rows: 8, unplanned: 1 });
    expect(unplanned).toMatchObject([
      { bucket: BUCKET, error: 'DataConversionError', cause: expect.stringContaining(cause) },
    ]);
    expect(tables.cpu).toMatchObject({ files: 1, rows: 8 });
  });

  test('a file with another number of rows than its manifest', async () => {
    other();
    put(edge('db/cpu/', { files: [{ ...EDGE, rows: 9 }] }));
    const { result, unplanned } = await plan();
    expect(result).toMatchObject({ files: 1, unplanned: 1 });
    expect(unplanned[0]?.cause).toContain('has 8 rows, but its manifest says 9');
  });

  test('a manifest that is not JSON', async () => {
    other();
    s3.store.put(BUCKET, 'db/cpu/X_manifest.json', '{');
    const { result, unplanned } = await plan();
    expect(result).toMatchObject({ files: 1, unplanned: 1 });
    expect(unplanned).toMatchObject([{ key: 'db/cpu/X_manifest.json', cause: expect.stringContaining('is not JSON') }]);
  });
});

test('a CSV file is one item, with its format in the mapping', async () => {
  const bytes = Buffer.from('m,2024-01-01 00:00:00.000000000,1.5\n');
  const columns = { measure_name: 'VARCHAR', time: 'TIMESTAMP', v: 'DOUBLE', day: 'VARCHAR' } as const;
  put({ folder: 'db/cpu/', columns, files: [{ bytes, rows: 1, partition: 'day=1/' }], format: 'CSV' });
  const { items, readingOf } = await plan({ csv: { delimiter: '|' } });
  expect(items).toMatchObject([{ firstRowGroup: 0, rowGroups: 1, rows: 1, fileRows: 1, bytes: bytes.length }]);
  expect(readingOf(items[0]).csv).toEqual({ columns: ['measure_name', 'time', 'v'], delimiter: '|', escape: '\\' });
});

describe('refuses', () => {
  test.each<[string, object, string, string]>([
    [
      'options that name no column',
      { dimensions: ['hots'] },
      `s3://${BUCKET}/`,
      'no column of the export is named hots',
    ],
    ['a folder without the table', {}, `s3://${BUCKET}/db/`, 'Give its name as measurement'],
    ['a folder without a manifest', {}, `s3://${BUCKET}/none/`, 'no manifest of an UNLOAD'],
    ['an address that is none', {}, 'exports/db', "'exports/db' is not an s3://bucket/prefix/"],
    ['an unknown option', { measurename: 'tag' }, `s3://${BUCKET}/`, 'measurename'],
  ])('%s', async (_, options, folder, message) => {
    put(edge());
    await expect(plan(options, folder)).rejects.toMatchObject({
      name: 'InvalidEventError',
      message: expect.stringContaining(message),
    });
  });
});

test('continues with the next part after the files of the part before', async () => {
  for (const table of ['a', 'b', 'c']) put(edge(`db/${table}/`));
  const rules = { mappings: BUILT_IN_MAPPINGS, reservedConcurrency: undefined, objects: s3.objects, workBucket: WORK };
  const load = await detectDatasetStep({ loadId: 'load-1', input: { export: `s3://${BUCKET}/` } }, rules);
  const services = planServices({ objects: s3.objects, reader }, { planBytes: 1 });
  const tables: string[] = [];
  for (let part = 0, continuation: unknown = null; part === 0 || continuation !== null; part++) {
    const result = await planLoad({ load, part, continuation }, services);
    continuation = result.continuation;
    tables.push(...s3.store.lines<PlanItem>(WORK, `loads/load-1/plan-${part}.jsonl`).map(({ dataset }) => dataset));
  }
  expect(tables).toEqual(['a', 'b', 'c']);
});
