/** The checks of a load: what they compare, and what a person reads. */
import { parseMappings } from 'shared/datasets/mapping';
import type { BucketState } from 'shared/influxdb/bucket-state';
import type { Engine } from 'shared/influxdb/protocol';
import { shortTimeText } from 'shared/nanoseconds';
import { DistinctCounter, hashText } from 'shared/points/hyperloglog';
import { NO_POINTS, type PointsReport } from 'shared/points/report';
import { type ColumnKind, SeriesCounts } from 'shared/points/series-counts';
import { LoadChecks } from '../../../local/loader/checks';
import { checksText, periodText } from '../../../local/loader/checks-text';

type Columns = Record<string, ColumnKind[]>;

const state = (columns: Columns, retentionSeconds?: number): BucketState => ({
  retentionSeconds,
  columns: new Map([['m', new Map(Object.entries(columns).map(([name, kinds]) => [name, new Set(kinds)]))]]),
});

const reportOf = (columns: Columns, change: Partial<PointsReport> = {}, series = 1): PointsReport => {
  const counts = new SeriesCounts();
  const measurement = counts.measurement('m');
  for (const [name, kinds] of Object.entries(columns)) for (const kind of kinds) measurement.addColumn(name, kind);
  for (let index = 0; index < series; index++) {
    measurement.series.add(hashText(`${index}`));
    measurement.fieldSeries.add(hashText(`${index} f`));
    counts.tag('host').add(hashText(`${index}`));
    counts.tag('region').add(hashText(`${index % 7}`));
  }
  const distinct = new DistinctCounter();
  distinct.add(hashText('point'));
  const rest = { rows: 1, points: 1, bytes: 1, invalid: [], warnings: [], present: {}, distinct: distinct.toBytes() };
  return { ...NO_POINTS, ...rest, ...change, series: counts.report() };
};

function checked(engine: Engine, held: BucketState | string, ...reports: PointsReport[]) {
  const checks = new LoadChecks({ engine, bucket: 'b' });
  checks.setBucket(typeof held === 'string' ? { kind: 'unread', reason: held } : { kind: 'read', state: held });
  for (const report of reports) checks.add(report);
  return checks.result();
}

const NO_TIMES = { earliest: null, latest: null, duplicates: 0 };

test.each<[string, Engine, Columns, Columns, [column: string, stored: string[], written: string[]][]]>([
  ['the same type', 'v2', { f: ['float'] }, { f: ['float'] }, []],
  ['a new field', 'v2', { f: ['float'] }, { g: ['integer'] }, []],
  ['another type', 'v2', { f: ['integer'] }, { f: ['float'] }, [['f', ['integer'], ['float']]]],
  ['one of several stored types', 'v2', { f: ['integer', 'float'] }, { f: ['float'] }, []],
  ['two types in one load', 'v2', {}, { f: ['integer', 'float'] }, [['f', [], ['integer', 'float']]]],
  ['a tag named like a field of InfluxDB 2', 'v2', { f: ['float'] }, { f: ['tag'] }, []],
  ['a tag named like a field of InfluxDB 3', 'v3', { f: ['float'] }, { f: ['tag'] }, [['f', ['float'], ['tag']]]],
  ['a field named like a tag of InfluxDB 3', 'v3', { h: ['tag'] }, { h: ['string'] }, [['h', ['tag'], ['string']]]],
  ['a new tag of InfluxDB 3', 'v3', { h: ['tag'] }, { h: ['tag'], r: ['tag'] }, []],
])('type conflicts: %s', (_, engine, stored, written, expected) => {
  const { typeConflicts } = checked(engine, state(stored), reportOf(written));
  expect(typeConflicts.map((each) => [each.column, each.stored, each.written])).toEqual(expected);
});

test('counts all type conflicts, and shows the first 20', () => {
  const columns = (kind: ColumnKind): Columns =>
    Object.fromEntries(Array.from({ length: 23 }, (_, index) => [`c${index}`, [kind]]));
  const result = checked('v2', state(columns('integer')), reportOf(columns('float')));
  expect(result.typeConflicts).toHaveLength(23);
  const lines = checksText(result, NO_TIMES, true);
  expect(lines).toContain('Bucket: b keeps all points; 23 type conflicts');
  const last = lines.indexOf('  3 further type conflicts');
  expect(lines[last - 1]).toContain('c19 of m is stored as');
  expect(lines.slice(last + 1)).toEqual([
    ...['c0', 'c1', 'c2', 'c3', 'c4'].map((column) => expect.stringContaining(`of the type of ${column} of m`)),
    'The load would fail for 18 further reasons',
  ]);
});

test('finds the conflicts of a mapping before its first point is written', () => {
  const [mapping] = parseMappings(
    JSON.stringify({
      ...{ name: 'x', measurement: 'm', time: { column: 't' }, tags: { required: ['host'] } },
      fields: [
        { column: 'a', type: 'number', name: 'f' },
        { column: 'note', type: 'text' },
        { column: 'v', type: 'number', named: { by: 'unit', names: { W: 'power' }, otherwise: 'other' } },
      ],
    }),
  );
  if (!mapping) throw new Error('no mapping');
  const checks = new LoadChecks({ engine: 'v2', bucket: 'b' });
  checks.setBucket({
    kind: 'read',
    state: state({ f: ['integer'], a: ['integer'], note: ['string'], power: ['string'] }),
  });
  expect(checks.beforeWrite(mapping).typeConflicts).toEqual([
    { measurement: 'm', column: 'f', stored: ['integer'], written: ['float'] },
    { measurement: 'm', column: 'power', stored: ['string'], written: ['float'] },
  ]);
});

test('counts the columns of the bucket and of the load against the limit of InfluxDB 3', () => {
  const columns = (from: number, to: number): Columns =>
    Object.fromEntries(Array.from({ length: to - from }, (_, index) => [`c${from + index}`, ['float']]));
  const found = (engine: Engine, to: number) => checked(engine, state(columns(0, 300)), reportOf(columns(200, to)));

  expect(found('v3', 499).tooManyColumns).toEqual([]); // 499 and time
  expect(found('v3', 500).tooManyColumns).toEqual([{ measurement: 'm', columns: 501, limit: 500 }]);
  expect(found('v2', 500).tooManyColumns).toEqual([]);
});

test('adds up the points of all items that are older than the retention', () => {
  const checks = new LoadChecks({ engine: 'v2', bucket: 'b' });
  expect(checks.keepFrom(1_000_000_000_500)).toBeUndefined();
  checks.setBucket({ kind: 'read', state: state({}, 86_400) });
  expect(checks.keepFrom(1_000_000_000_500)).toBe(1_000_000_001 - 86_400);
  for (const beforeKeepFrom of [3, 4]) checks.add(reportOf({}, { beforeKeepFrom }));
  expect(checks.result()).toMatchObject({ outsideRetention: 7, bucket: { retentionSeconds: 86_400, unread: null } });
  expect(checksText(checks.result(), NO_TIMES, false)).toEqual([
    'Checks:',
    '  7 points are older than the retention of bucket b (1 day), so InfluxDB refuses or soon deletes them: load into a bucket with a longer retention',
  ]);
});

test('counts the series of several items once', () => {
  const result = checked('v2', state({}), reportOf({}, {}, 300), reportOf({}, {}, 400));
  expect(result.series).toEqual([{ measurement: 'm', series: 400, fieldSeries: 400, isEstimate: false }]);
  expect(result.tags).toEqual([
    { tag: 'host', values: 400 },
    { tag: 'region', values: 7 },
  ]);
});

test('a dry run shows all numbers; a load without a warning shows nothing', () => {
  const result = checked('v2', state({}, 7_200), reportOf({ f: ['float'] }, {}, 600));
  const times = { earliest: '-1', latest: '1704067200123450000', duplicates: 0 };
  const { series: [{ series = 0, fieldSeries = 0 } = {}] = [] } = result;
  expect(checksText(result, times, true)).toEqual([
    `Series of m: about ${series}; with field keys: about ${fieldSeries}`,
    `Tags with the most values: host (${result.tags[0]?.values}), region (7)`,
    'Times: 1969-12-31T23:59:59.999999999Z to 2024-01-01T00:00:00.12345Z',
    'Bucket: b keeps points for 2 hours; no type conflicts',
  ]);
  expect(checksText(result, times, false)).toEqual([]);
});

test('warns above a million series with field keys, and names the tags with the most values', () => {
  const base = checked('v2', 'no token', reportOf({}, {}, 10));
  const series = (fieldSeries: number) => [{ measurement: 'm', series: 10, fieldSeries, isEstimate: true }];
  expect(checksText({ ...base, series: series(1_000_000) }, NO_TIMES, false)).toEqual([]);
  const warned = { ...base, series: series(1_000_001) };
  expect(checksText(warned, NO_TIMES, false)).toEqual([
    'Checks:',
    expect.stringMatching(
      /^ {2}1,000,001 series with field keys, above 1,000,000: .*host \(10 values\), region \(7 values\)$/,
    ),
  ]);
  expect(checksText({ ...warned, engine: 'v3' }, NO_TIMES, false)).toEqual([]);
});

test('warns if nearly every point is the only one of its series', () => {
  const base = checked('v2', 'no token', reportOf({}, {}, 10));
  const found = (points: number, series: number, engine: Engine = 'v2') => {
    const counted = { written: points, distinct: points, isEstimate: true, overwritten: 0 };
    const of = [{ measurement: 'm', series, fieldSeries: series, isEstimate: true }];
    return checksText({ ...base, engine, points: counted, series: of }, NO_TIMES, false).join();
  };
  expect(found(30_000, 29_000)).toContain(
    'nearly every point is the only one of its series (about 29,000 series of 30,000 points)',
  );
  expect(found(30_000, 29_000)).toContain('host (10 values)');
  for (const none of [found(30_000, 20_000), found(1_000, 1_000), found(30_000, 30_000, 'v3')]) expect(none).toBe('');
});

test('never estimates fewer series with field keys than series', () => {
  const counts = new SeriesCounts();
  const measurement = counts.measurement('m');
  for (let index = 0; index < 2_000; index++) measurement.series.add(hashText(`${index}`));
  measurement.fieldSeries.add(hashText('f'));
  const [found] = checked('v2', 'no token', { ...reportOf({}), series: counts.report() }).series;
  expect(found?.fieldSeries).toBe(found?.series);
  expect(counts.total('fieldSeries')).toBe(counts.total('series'));
});

test('without the bucket, the numbers of the points are still shown', () => {
  const result = checked('v2', 'no token', reportOf({ f: ['float'] }));
  expect(result).toMatchObject({ outsideRetention: null, bucket: { unread: 'no token' }, typeConflicts: [] });
  expect(checksText(result, NO_TIMES, true)).toEqual([
    'Series of m: 1; with field keys: 1',
    'Tags with the most values: host (1), region (1)',
  ]);
});

test.each([
  [86_400, '1 day'],
  [90_000, '25 hours'],
  [60, '1 minute'],
  [61, '61 seconds'],
])('writes the period %i s as %s', (seconds, text) => {
  expect(periodText(seconds)).toBe(text);
});

test.each([
  ['0', '1970-01-01T00:00:00Z'],
  ['9223372036854775806', '2262-04-11T23:47:16.854775806Z'],
  ['-9223372036854775806', '1677-09-21T00:12:43.145224194Z'],
])('writes %s ns as %s', (ns, text) => {
  expect(shortTimeText(ns)).toBe(text);
});
