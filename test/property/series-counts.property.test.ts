/** The report about series, times and duplicates of random files, compared with the lines that were made of them. */
import fc from 'fast-check';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { parseMappings } from 'shared/datasets/mapping';
import { decodePoints, type Point } from 'shared/line-protocol/point';
import { SeriesCounts } from 'shared/points/series-counts';
import { earlier, later } from 'shared/points/time-span';
import { collect, memorySource, testReader } from '../support/parquet';

const reader = testReader();
const [mapping] = parseMappings(
  JSON.stringify({
    name: 'plant',
    measurement: 'plant data',
    time: { column: 't', unit: 'ns' },
    tags: { required: ['host'], optional: ['site'] },
    fields: [
      { column: 'a', type: 'number' },
      { column: 'b', type: 'number', name: 'b,2' },
      { column: 'note', type: 'text' },
      { column: 'v', type: 'number', named: { by: 'unit', names: { W: 'power', V: 'volt' }, otherwise: 'other' } },
    ],
  }),
);

const optional = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null });
const row = fc.record({
  t: fc.bigInt({ min: -5n, max: 5n }),
  host: optional<string>(fc.constantFrom('h1', 'h2', ' h2 ', 'h=3', '')),
  site: optional(fc.constantFrom('north', 'NaN', 'none')),
  a: optional(fc.constantFrom(1, 2.5, Number.NaN)),
  b: optional(fc.constantFrom(1, 2)),
  note: optional(fc.constantFrom('x', 'y')),
  v: optional(fc.constantFrom(7, 8)),
  unit: optional(fc.constantFrom('W', 'V', 'A')),
});
type Row = typeof row extends fc.Arbitrary<infer T> ? T : never;

const bytesOf = (rows: readonly Row[]): Uint8Array => {
  const column = (name: keyof Row, type: 'INT64' | 'STRING' | 'DOUBLE') => ({
    ...{ name, type, nullable: name !== 't' },
    data: rows.map((cells) => cells[name]),
  });
  const text = (['host', 'site', 'note', 'unit'] as const).map((name) => column(name, 'STRING'));
  const numbers = (['a', 'b', 'v'] as const).map((name) => column(name, 'DOUBLE'));
  return new Uint8Array(parquetWriteBuffer({ columnData: [column('t', 'INT64'), ...text, ...numbers] }));
};

const seriesOf = ({ measurement, tags }: Point) => JSON.stringify([measurement, tags]);
/** A column's distinct values that can be tags, also those of invalid rows. */
const valuesOf = (rows: readonly Row[], column: 'host' | 'site') =>
  new Set(rows.map((cells) => cells[column]?.trim()).filter((value) => value && !/^(nan|none)$/i.test(value))).size;

test('counts the series, columns, times and duplicates of the lines exactly', async () => {
  if (!mapping) throw new Error('no mapping');
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(row, { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 3 }),
      async (files) => {
        const read = await Promise.all(
          files.map((rows) => collect(reader, memorySource(bytesOf(rows)), mapping, { keepFrom: 0 })),
        );
        const { points } = decodePoints(Buffer.from(read.flatMap(({ lines }) => lines).join('\n')), 0n);
        const reports = read.map(({ report }) => report);
        const counts = new SeriesCounts();
        for (const { series } of reports) counts.add(series);

        expect(counts.total('series')).toBe(new Set(points.map(seriesOf)).size);
        const fields = points.flatMap((point) => point.fields.map(([key]) => `${seriesOf(point)} ${key}`));
        expect(counts.total('fieldSeries')).toBe(new Set(fields).size);
        const columns = counts.measurements.get('plant data')?.columns ?? new Map();
        const names = points.flatMap(({ tags, fields }) => [...tags, ...fields].map(([key]) => key));
        expect([...columns.keys()].sort()).toEqual([...new Set(names)].sort());
        for (const tag of ['host', 'site'] as const)
          expect(counts.tags.get(tag)?.count()).toBe(valuesOf(files.flat(), tag));

        const times = points.map(({ time }) => time).sort((a, b) => Number(a - b));
        const earliest = reports.reduce<string | null>((first, report) => earlier(first, report.earliest), null);
        const latest = reports.reduce<string | null>((last, report) => later(last, report.latest), null);
        expect([earliest, latest]).toEqual([times[0], times.at(-1)].map((time) => time?.toString() ?? null));
        const before = reports.reduce((sum, { beforeKeepFrom }) => sum + beforeKeepFrom, 0);
        expect(before).toBe(times.filter((time) => time < 0n).length);
      },
    ),
    { numRuns: 40 },
  );
});

test('counts a point as a duplicate only if it has the same tags, time and named field', async () => {
  if (!mapping) throw new Error('no mapping');
  const base: Row = { t: 1n, host: 'h1', site: null, a: null, b: null, note: null, v: 7, unit: 'W' };
  const duplicates = async (...rows: Row[]) =>
    (await collect(reader, memorySource(bytesOf(rows)), mapping)).report.duplicates;

  expect(await duplicates(base, { ...base, v: 8 }, { ...base, note: 'x' })).toBe(2);
  expect(await duplicates(base, { ...base, unit: 'V' }, { ...base, unit: 'A' })).toBe(0);
  expect(await duplicates(base, { ...base, t: 2n }, { ...base, site: 'north' })).toBe(0);
  expect(await duplicates({ ...base, t: 2n }, base, { ...base, t: 2n, unit: 'V' }, { ...base, t: 2n })).toBe(1);
});

test('counts the values of tags as the mapping stores them', async () => {
  const rows = [' h', 'h', 'null', 'nan', '', null].map((host, index): Row => {
    return { t: BigInt(index), host, site: null, a: 1, b: null, note: null, v: null, unit: null };
  });
  const values = async (verbatim: boolean) => {
    const form = {
      ...{ name: 'm', measurement: 'm', time: { column: 't', unit: 'ns' } },
      ...{ tags: { optional: ['host'], verbatim }, fields: [{ column: 'a', type: 'float' }] },
    };
    const [tagged] = parseMappings(JSON.stringify(form));
    if (!tagged) throw new Error('no mapping');
    const { report } = await collect(reader, memorySource(bytesOf(rows)), tagged);
    const counts = new SeriesCounts();
    counts.add(report.series);
    return [counts.tags.get('host')?.count(), counts.total('series')];
  };
  expect(await values(false)).toEqual([1, 2]);
  expect(await values(true)).toEqual([4, 5]);
});
