/** How row groups are put together into runs. */
import { planRuns } from 'shared/parquet/plan';
import { chunkOf } from '../../support/parquet';

const group = (rows: number, bytes: number) => ({
  rows,
  chunks: new Map([
    ['value', chunkOf(bytes)],
    ['other', chunkOf(1e9)],
  ]),
});
const plan = (groups: ReturnType<typeof group>[], targets = { bytes: 40, rows: 1e9 }) => {
  const rows = groups.reduce((sum, { rows }) => sum + rows, 0);
  return planRuns({ rows, rowGroups: groups }, ['value'], targets);
};

test('makes equal runs of equal row groups, and counts only columns that are read', () => {
  const runs = plan(Array.from({ length: 12 }, () => group(5, 10)));
  expect(runs).toEqual(
    [0, 4, 8].map((first) => ({ firstRowGroup: first, rowGroups: 4, firstRow: 5 * first, rows: 20, bytes: 40 })),
  );
});

test('spreads row groups that cannot be divided evenly', () => {
  expect(plan(Array.from({ length: 10 }, () => group(1, 10))).map(({ rowGroups }) => rowGroups)).toEqual([3, 4, 3]);
});

test('makes a run of a single large row group, and continues with runs of the usual size', () => {
  const sizes = [10, 10, 10, 10, 200, 10, 10, 10, 10];
  expect(plan(sizes.map((bytes) => group(1, bytes))).map(({ rowGroups }) => rowGroups)).toEqual([4, 1, 4]);
});

test('limits rows if there are few bytes', () => {
  expect(plan([group(100, 1), group(100, 1)], { bytes: 40, rows: 100 })).toHaveLength(2);
});

test('plans nothing for a file without rows', () => {
  expect(plan([])).toEqual([]);
  expect(plan([group(0, 4)])).toEqual([]);
});
