/** Differences between source, files, load and target. */
import { ledgerDifferences, targetDifferences } from 'shared/migration/compare';
import type { FieldCount, WindowCount, WindowRecord } from 'shared/migration/records';

const window = { from: '0', to: '1000' };
const RECORD: WindowRecord = {
  window,
  state: 'exported',
  attempt: 1,
  query: null,
  exported: { folder: 's3://b/f/', manifest: 's3://b/f/m', rows: 10, bytes: 100, files: 1, columns: [] },
  source: { rows: 10, empty: 1, merged: 0, fields: [], first: null, last: null },
  loaded: {
    loadId: 'l',
    complete: true,
    ...{ rows: 10, points: 9, empty: 1, invalid: 0, written: 9, rejected: 0, failed: 0, merged: 0 },
    causes: [],
  },
  loads: 1,
  verified: null,
  scannedBytes: 0,
  error: null,
};
const LOADED = RECORD.loaded as NonNullable<WindowRecord['loaded']>;
const counts = (fields: FieldCount[], times = { first: '1', last: '9' }): WindowCount => ({ fields, ...times });
const short = (found: ReturnType<typeof ledgerDifferences>) =>
  found.map(({ kind, field, expected, found: value }) => [kind, field, expected, value]);

test('no differences if all sums close', () => {
  expect(ledgerDifferences(RECORD)).toEqual([]);
});

test.each<[string, Partial<WindowRecord>, unknown[][]]>([
  ['a window that is not exported', { state: 'failed', error: 'denied' }, [['export', null, null, null]]],
  [
    'a table with more rows than the manifest',
    { source: { ...counts([]), rows: 11, empty: 0, merged: 0 } },
    [['export', null, '11', '10']],
  ],
  ['a window that is not loaded', { loaded: null }, [['load', null, '10', '0']]],
  [
    'a load that read fewer rows than the manifest has',
    { loaded: { ...LOADED, rows: 9, points: 8, written: 8 } },
    [['load', null, '10', '9']],
  ],
  [
    'rows that are neither points, empty nor invalid',
    { loaded: { ...LOADED, points: 8, written: 8 } },
    [['rows', null, '10', '9']],
  ],
  [
    'points that are neither written, rejected nor failed',
    { loaded: { ...LOADED, written: 8 } },
    [['rows', null, '9', '8']],
  ],
  ['invalid rows', { loaded: { ...LOADED, points: 7, written: 7, invalid: 2 } }, [['load', null, '0', '2']]],
  ['rejected points', { loaded: { ...LOADED, written: 7, rejected: 2 } }, [['load', null, '0', '2']]],
  ['points that were not confirmed', { loaded: { ...LOADED, written: 7, failed: 2 } }, [['load', null, '0', '2']]],
  ['a load that is not complete', { loaded: { ...LOADED, complete: false } }, [['load', null, null, null]]],
])('reports %s', (_, change, expected) => {
  expect(short(ledgerDifferences({ ...RECORD, ...change }))).toEqual(expected);
});

test('reports missing and extra values by field', () => {
  const source = counts([
    { field: 'a', count: 3 },
    { field: 'b', count: 2 },
    { field: 'c', count: 1 },
  ]);
  const target = counts([
    { field: 'a', count: 3 },
    { field: 'b', count: 1 },
    { field: 'd', count: 4 },
  ]);
  expect(short(targetDifferences(source, target))).toEqual([
    ['missing', 'b', '2', '1'],
    ['missing', 'c', '1', '0'],
    ['extra', 'd', '0', '4'],
  ]);
});

test('reports a point that moved by its time', () => {
  const fields = [{ field: 'a', count: 2 }];
  const moved = targetDifferences(counts(fields), counts(fields, { first: '1', last: '8' }));
  expect(short(moved)).toEqual([['time', null, '1970-01-01T00:00:00.000000009Z', '1970-01-01T00:00:00.000000008Z']]);
});

describe('sums', () => {
  const compare = (expected: Omit<FieldCount, 'field' | 'count'>, sum: string, count = 3) =>
    short(targetDifferences(counts([{ field: 'a', count, ...expected }]), counts([{ field: 'a', count, sum }])));

  test('integers are exact', () => {
    expect(compare({ kind: 'integer', sum: '9007199254740993' }, '9007199254740993')).toEqual([]);
    expect(compare({ kind: 'integer', sum: '9007199254740993' }, '9007199254740992')).toEqual([
      ['changed', 'a', '9007199254740993', '9007199254740992'],
    ]);
  });

  test('integers whose sum exceeds 64 bits are equal to the sum that wrapped', () => {
    const max = 2n ** 63n - 1n;
    const sum = String(3n * max);
    expect(compare({ kind: 'integer', sum }, String(BigInt.asIntN(64, 3n * max)))).toEqual([]);
    expect(compare({ kind: 'integer', sum }, String(BigInt.asIntN(64, 3n * max - 1n)))).toHaveLength(1);
  });

  test('floats are equal within rounding, and no further', () => {
    const expected = { kind: 'float', sum: '0.6', magnitude: '0.6' } as const;
    expect(compare(expected, String(0.1 + 0.2 + 0.3))).toEqual([]);
    expect(compare(expected, '0.6000000001')).toEqual([['changed', 'a', '0.6', '0.6000000001']]);
  });

  test('large values that cancel out widen the bound by their magnitude', () => {
    const expected = { kind: 'float', sum: '1', magnitude: '2e16' } as const;
    expect(compare(expected, '0')).toEqual([]);
    expect(compare(expected, '100')).toHaveLength(1);
  });

  test('a sum that overflows says nothing', () => {
    expect(compare({ kind: 'float', sum: 'Infinity', magnitude: 'Infinity' }, 'Infinity')).toEqual([]);
  });
});
