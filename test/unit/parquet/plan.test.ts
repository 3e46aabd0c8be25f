/** How row groups are put together into runs. */
import { DEFAULT_TARGETS, planRuns, planWhole } from 'shared/parquet/plan';
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

test.each([16, 20, 25, 40, 50])('makes one run of as many rows as a run may have, in %d row groups', (count) => {
  const share = Math.floor(2_000_000 / count);
  const groups = Array.from({ length: count }, (_, index) =>
    group(index === 0 ? 2_000_000 - share * (count - 1) : share, 1),
  );
  expect(plan(groups, DEFAULT_TARGETS)).toHaveLength(1);
});

test('plans nothing for a file without rows', () => {
  expect(plan([])).toEqual([]);
  expect(plan([group(0, 4)])).toEqual([]);
});

test('adds row groups without rows to the run before them', () => {
  const groups = [group(0, 0), group(10, 1), group(0, 0), group(10, 1), group(0, 0)];
  expect(plan(groups)).toEqual([{ firstRowGroup: 0, rowGroups: 5, firstRow: 0, rows: 20, bytes: 2 }]);
  expect(plan([group(10, 40), group(0, 0), group(10, 40)]).map(({ rowGroups }) => rowGroups)).toEqual([2, 1]);
});

test('plans a whole file as one run, with row groups that have no rows', () => {
  const groups = [group(10, 1e15), group(0, 0), group(10, 1), group(0, 0)];
  const whole = planWhole({ rows: 20, rowGroups: groups }, ['value']);
  expect(whole).toEqual([{ firstRowGroup: 0, rowGroups: 4, firstRow: 0, rows: 20, bytes: 1e15 + 1 }]);
  expect(planWhole({ rows: 0, rowGroups: [group(0, 4)] }, ['value'])).toEqual([]);
});
