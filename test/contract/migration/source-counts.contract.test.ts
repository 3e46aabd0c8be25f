/** Counts of a window at the source, against the embedded Timestream. Expected values are by hand. */
import { targetTable } from 'shared/migration/fields';
import type { Column } from 'shared/migration/records';
import { migrationRequestSchema } from 'shared/migration/request';
import { countSource } from 'shared/migration/source-counts';
import { fill, multi, REQUEST, type Source, servicesOf, startSource } from '../../support/migration';
import { DATABASE, NOW } from '../timestream/harness';

const START = BigInt(NOW) * 1_000_000n - 1_000n;
const WINDOW = { from: String(START), to: String(START + 1_000n) };
const DIMENSIONS: Column[] = [
  { name: 'a', type: 'varchar', role: 'dimension' },
  { name: 'b', type: 'varchar', role: 'dimension' },
  { name: 'measure_name', type: 'varchar', role: 'measure_name' },
  { name: 'time', type: 'timestamp', role: 'time' },
];
const measure = (name: string, type: Column['type']): Column => ({ name, type, role: 'measure' });

let source: Source;
beforeAll(async () => {
  source = await startSource();
});
afterAll(() => source.stop());

const count = async (table: string, measures: Column[], mapping: object = {}, sums = true) => {
  const { mapping: options } = migrationRequestSchema.parse({ ...REQUEST, mapping });
  const target = targetTable({ table, measureNames: [] }, [...DIMENSIONS, ...measures], options);
  const services = servicesOf(source, 'http://127.0.0.1:9');
  return (await countSource({ database: DATABASE, table, target }, WINDOW, sums, services)).count;
};

test('counts only the window, and adds up 64-bit integers beyond their range', async () => {
  const max = 2n ** 63n - 1n;
  await fill(source, 'big', [
    multi({ a: '1', b: '1' }, { n: ['BIGINT', String(max)], x: ['DOUBLE', '1.5'], s: ['VARCHAR', ' b '] }, START),
    multi(
      { a: '2', b: '1' },
      { n: ['BIGINT', String(max)], x: ['DOUBLE', '-2.5'], ok: ['BOOLEAN', 'true'] },
      START + 999n,
    ),
    multi(
      { a: '2', b: '1' },
      { n: ['BIGINT', String(-(2n ** 63n))], ok: ['BOOLEAN', 'false'], s: ['VARCHAR', 'ä😀'] },
      START + 5n,
    ),
    multi({ a: '2', b: '1' }, { n: ['BIGINT', '7'], s: ['VARCHAR', 'later'] }, START + 1_000n),
    multi({ a: '2', b: '1' }, { n: ['BIGINT', '7'] }, START - 1n),
  ]);
  const measures = [measure('n', 'bigint'), measure('x', 'double'), measure('ok', 'boolean'), measure('s', 'varchar')];
  expect(await count('big', measures)).toEqual({
    rows: 3,
    empty: 0,
    merged: 0,
    fields: [
      { field: 'n', kind: 'integer', count: 3, sum: String(2n * max - 2n ** 63n) },
      { field: 'ok', kind: 'boolean', count: 2, sum: '1' },
      { field: 's', kind: 'string', count: 2, sum: '5' },
      { field: 'x', kind: 'float', count: 2, sum: '-1.0', magnitude: '4.0' },
    ],
    series: 2,
    first: String(START),
    last: String(START + 999n),
  });
});

test('counts the different sets of tags of rows with a value, also where a tag is missing or texts look alike together', async () => {
  await fill(source, 'sets', [
    multi({ a: '1', b: '|2' }, { n: ['BIGINT', '1'] }, START),
    multi({ a: '1', b: '|2' }, { n: ['BIGINT', '1'] }, START + 1n),
    multi({ a: '1|', b: '2' }, { n: ['BIGINT', '1'] }, START),
    multi({ a: '1' }, { n: ['BIGINT', '1'] }, START),
    multi({ b: '1' }, { n: ['BIGINT', '1'] }, START),
  ]);
  expect(await count('sets', [measure('n', 'bigint')])).toMatchObject({ rows: 5, series: 4 });
  expect(await count('sets', [measure('n', 'bigint')], { dimensionsToFields: ['b'] })).toMatchObject({ series: 3 });
});

test('rows merge where a dimension becomes a field; sums are then left out', async () => {
  await fill(source, 'merging', [
    multi({ a: '1', b: 'x' }, { n: ['BIGINT', '1'] }, START),
    multi({ a: '1', b: 'y' }, { n: ['BIGINT', '2'] }, START),
    multi({ a: '1', b: 'y' }, { m: ['BIGINT', '3'] }, START + 1n),
  ]);
  const measures = [measure('n', 'bigint'), measure('m', 'bigint')];
  const fields = (list: [string, number][]) => list.map(([field, n]) => expect.objectContaining({ field, count: n }));
  const merged = await count('merging', measures, { dimensionsToFields: ['b'] });
  expect(merged).toMatchObject({
    rows: 3,
    merged: 1,
    fields: fields([
      ['b', 2],
      ['m', 1],
      ['n', 1],
    ]),
  });
  expect(merged.fields.every(({ sum }) => sum === undefined)).toBe(true);
  expect(await count('merging', measures)).toMatchObject({
    rows: 3,
    merged: 0,
    fields: fields([
      ['m', 1],
      ['n', 2],
    ]),
  });
  expect(await count('merging', measures, { measureName: 'field' })).toMatchObject({
    merged: 0,
    fields: fields([
      ['m', 1],
      ['measure_name', 3],
      ['n', 2],
    ]),
  });
});

test('a pivoted table has the fields that measure_name names', async () => {
  const single = (name: string, type: 'DOUBLE' | 'BIGINT', value: string, ns: bigint) => ({
    Dimensions: [
      { Name: 'a', Value: '1' },
      { Name: 'b', Value: '1' },
    ],
    MeasureName: name,
    MeasureValueType: type,
    MeasureValue: value,
    Time: String(ns),
    TimeUnit: 'NANOSECONDS' as const,
  });
  await fill(source, 'single', [
    single('cpu', 'DOUBLE', '1.5', START),
    single('cpu', 'DOUBLE', '2.5', START + 1n),
    single('count', 'BIGINT', '7', START),
  ]);
  const measures = [measure('measure_value::double', 'double'), measure('measure_value::bigint', 'bigint')];
  expect(await count('single', measures, { measureName: 'pivot' })).toMatchObject({
    rows: 3,
    fields: [
      { field: 'count', kind: 'integer', count: 1, sum: '7' },
      { field: 'cpu', kind: 'float', count: 2, sum: '4.0' },
    ],
  });
});
