/** The accounts of exports close for any rows and any fault: what is missing, cut, repeated or without a manifest is counted or reported. */
import fc from 'fast-check';
import type { LineWriter } from 'shared/influxdb/client';
import { splitLines } from 'shared/influxdb/lines';
import { addSums, EMPTY_SUM, PointSet, seriesHash } from 'shared/points/point-set';
import { type Unload, unload } from '../support/exports';
import { configOf, load, testStore } from '../support/loader';
import { testReader } from '../support/parquet';

const STORE = 'exports';
const reader = testReader();
const s3 = testStore();

const COLUMNS = {
  device: 'VARCHAR',
  measure_name: 'VARCHAR',
  time: 'TIMESTAMP',
  count: 'BIGINT',
  note: 'VARCHAR',
} as const;

type Fault =
  | 'none'
  | 'missing'
  | 'cut'
  | 'copied manifest'
  | 'repeated query'
  | 'no manifest'
  | 'wrong rows'
  | 'no metadata';
const FAULTS: readonly Fault[] = [
  'none',
  'missing',
  'cut',
  'copied manifest',
  'repeated query',
  'no manifest',
  'wrong rows',
  'no metadata',
];
/** Faults of a query whose rows are all loaded. */
const HARMLESS: readonly Fault[] = ['none', 'copied manifest', 'repeated query', 'no manifest'];

const row = fc.record({
  device: fc.constantFrom(null, '', 'a', 'b c', 'd,e=f', 'nan', 'x\ny'),
  measureName: fc.constantFrom('m', 'm', 'm', 'other'),
  second: fc.integer({ min: 0, max: 9 }),
  count: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { nil: null }),
  note: fc.option(fc.constantFrom('', 'text', 'quote " and \\', 'two\nlines'), { nil: null }),
});
type Row = typeof row extends fc.Arbitrary<infer T> ? T : never;
const query = fc.record({
  table: fc.constantFrom('cpu', 'mem'),
  rows: fc.array(row, { minLength: 1, maxLength: 12 }),
  fault: fc.constantFrom(...FAULTS),
});

const cell = (text: string | null): string => (text === null ? '' : `"${text.replace(/["\\]/g, '\\$&')}"`);
/** Times of different queries differ, so that points of two queries are equal only if one repeats the other. */
const csvOf = (rows: readonly Row[], index: number): string =>
  rows
    .map(({ device, measureName, second, count, note }) => {
      const time = `2025-01-${String(index + 10)} 00:00:0${second}.000000001`;
      return `${[cell(device), cell(measureName), time, count ?? '', cell(note)].join()}\n`;
    })
    .join('');

/** Writes a query with its fault. */
function put(index: number, { table, rows, fault }: { table: string; rows: readonly Row[]; fault: Fault }): void {
  const bytes = Buffer.from(csvOf(rows, index));
  const export_ = (seed: string, more: Partial<Unload> = {}) =>
    unload(STORE, {
      folder: `db/${table}/${index}/`,
      columns: COLUMNS,
      files: [{ bytes, rows: rows.length + (fault === 'wrong rows' ? 1 : 0) }],
      format: 'CSV',
      seed,
      ...more,
    });
  const { id, objects } = export_('first');
  const all = { ...objects, ...(fault === 'repeated query' && export_('second').objects) };
  for (const [key, body] of Object.entries(all)) {
    const isData = key.includes('/results/');
    if (fault === 'missing' && isData) continue;
    if (fault === 'no manifest' && key.endsWith('_manifest.json')) continue;
    if (fault === 'no metadata' && key.endsWith('_metadata.json')) continue;
    s3.store.put(STORE, key, fault === 'cut' && isData ? body.slice(0, -1) : body);
    if (fault === 'copied manifest' && key.endsWith('_manifest.json'))
      s3.store.put(STORE, `db/${table}/${index}/copy-${id}_manifest.json`, body);
  }
}

test('rows = points + empty + invalid, and only what was lost or damaged is not accounted for', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(query, { minLength: 1, maxLength: 4 }), async (queries) => {
      s3.store.objects.clear();
      // A healthy query, because an export without a manifest is refused.
      const all = [...queries, { table: 'cpu', rows: [], fault: 'none' as Fault }];
      for (const [index, each] of all.entries()) put(index, each);
      const lines: string[] = [];
      const influxdb: LineWriter = {
        encode: (batch) => Promise.resolve({ lines: batch, body: batch }),
        write: ({ lines: batch }) => {
          lines.push(...splitLines(batch).map((line) => Buffer.from(line).toString()));
          return Promise.resolve({ kind: 'written' });
        },
      };
      const summary = await load(
        {
          export: `s3://${STORE}/`,
          options: { measureName: 'drop', measureNameValue: 'm' },
          toleratedFailurePercentage: 100,
        },
        { objects: s3.objects, reader },
        configOf('http://unused'),
        { load: { influxdb } },
      );
      for (const [table, account] of Object.entries(summary.tables ?? {})) {
        const own = all.filter((each) => each.table === table);
        const times = (fault: Fault): number => (fault === 'no manifest' ? 0 : fault === 'repeated query' ? 2 : 1);
        const loaded = own.filter(({ fault }) => HARMLESS.includes(fault));
        // Rows are read before a wrong number of them is noticed.
        const read = own.filter(({ fault }) => HARMLESS.includes(fault) || fault === 'wrong rows');
        const count = (of: (row: Row) => boolean): number =>
          read.reduce((sum, { rows, fault }) => sum + times(fault) * rows.filter(of).length, 0);
        const isInvalid = ({ measureName }: Row): boolean => measureName !== 'm';
        const isEmpty = (each: Row): boolean => !isInvalid(each) && each.count === null && each.note === null;
        expect(account).toMatchObject({
          rows: count(() => true),
          invalid: count(isInvalid),
          empty: count(isEmpty),
          points: count((each) => !isInvalid(each) && !isEmpty(each)),
        });
        expect(account.points_written).toBe(account.points);
        const isWhole = own.every(({ fault }) => HARMLESS.includes(fault));
        expect(account.accounted).toBe(isWhole);
        if (!isWhole) continue;
        const written = lines.filter((line) => line.startsWith(`${table},`) || line.startsWith(`${table} `));
        expect(written).toHaveLength(account.points);
        const distinct = new Set(written.map((line) => line.replace(/ (?:count|note)=.*(?= \d+$)/s, '')));
        expect(account.merged).toBe(written.length - distinct.size);
        expect(loaded).toHaveLength(own.length);
      }
      const failed = queries.filter(({ fault }) => !HARMLESS.includes(fault)).length;
      expect(summary.failed_items).toBe(failed);
      expect(summary.ignored).toBe(
        queries.filter(({ fault }) => fault === 'no manifest' || fault === 'copied manifest').length,
      );
    }),
    { numRuns: 25 },
  );
});

test('the sum of a set of points depends on neither order nor division', () => {
  const point = fc.record({
    series: fc.constantFrom('cpu,host=a', 'cpu,host=b', 'cpu'),
    seconds: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
    nanos: fc.integer({ min: 0, max: 999_999_999 }),
  });
  const sumOf = (points: readonly { series: string; seconds: number; nanos: number }[]): string => {
    const set = new PointSet();
    for (const { series, seconds, nanos } of points) set.add(seriesHash(series), seconds, nanos);
    return set.sum;
  };
  fc.assert(
    fc.property(
      fc.array(point, { minLength: 1 }),
      fc.nat(),
      fc.integer({ min: 1, max: 1000 }),
      (points, cut, change) => {
        const at = cut % points.length;
        const parts = addSums(sumOf(points.slice(at)), sumOf(points.slice(0, at)));
        expect(parts).toBe(sumOf(points));
        expect(addSums(sumOf(points), EMPTY_SUM)).toBe(sumOf(points));
        const changed = points.map((each, index) => (index === at ? { ...each, nanos: each.nanos ^ change } : each));
        expect(sumOf(changed)).not.toBe(sumOf(points));
      },
    ),
  );
});
