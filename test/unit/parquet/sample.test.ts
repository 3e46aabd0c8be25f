/** Which rows of a file a profile reads. */
import fc from 'fast-check';
import type { RowGroupInfo } from 'shared/parquet/metadata';
import { sampleSlices, spread } from 'shared/parquet/sample';
import { chunkOf } from '../../support/parquet';

const group = (rows: number, compressed = 100): RowGroupInfo => ({
  rows,
  chunks: new Map([['a', chunkOf(compressed)]]),
});
const LIMITS = { rows: 1_000, bytes: 1_000, rowGroups: 4 };
const unlimited = () => 1_000_000;

test('a small file is read whole', () => {
  expect(sampleSlices({ rowGroups: [group(100), group(0), group(50)] }, ['a'], unlimited, LIMITS)).toEqual([
    { rowGroup: 0, offset: 0, limit: 100 },
    { rowGroup: 2, offset: 0, limit: 50 },
  ]);
});

test('of a large row group the first and the last rows are read', () => {
  expect(sampleSlices({ rowGroups: [group(50_000)] }, ['a'], unlimited, LIMITS)).toEqual([
    { rowGroup: 0, offset: 0, limit: 500 },
    { rowGroup: 0, offset: 49_500, limit: 500 },
  ]);
});

test('rows of a column that the decoder cannot skip in are read from the first on', () => {
  const chunk = { ...chunkOf(100), encodings: ['DELTA_BINARY_PACKED' as const] };
  expect(
    sampleSlices({ rowGroups: [{ rows: 50_000, chunks: new Map([['a', chunk]]) }] }, ['a'], unlimited, LIMITS),
  ).toEqual([{ rowGroup: 0, offset: 0, limit: 500 }]);
});

test('row groups come from all over the file, within the limit of bytes', () => {
  const rowGroups = Array.from({ length: 10 }, () => group(10, 300));
  const chosen = sampleSlices({ rowGroups }, ['a'], unlimited, LIMITS).map(({ rowGroup }) => rowGroup);
  expect(chosen).toEqual([0, 3, 9]);
});

test('a sample has each row once, in order, and keeps the limits', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5_000), { maxLength: 20 }), fc.integer({ min: 1, max: 3_000 }), (sizes, most) => {
      const slices = sampleSlices({ rowGroups: sizes.map((rows) => group(rows, 1)) }, ['a'], () => most, LIMITS);
      const groups = new Set(slices.map(({ rowGroup }) => rowGroup));
      const filled = sizes.filter((rows) => rows > 0).length;
      expect(groups.size).toBe(Math.min(filled, LIMITS.rowGroups));
      let before = { rowGroup: -1, end: 0 };
      for (const { rowGroup, offset, limit } of slices) {
        const isNew = rowGroup > before.rowGroup;
        expect(isNew ? offset === 0 : rowGroup === before.rowGroup && offset >= before.end).toBe(true);
        expect(limit > 0 && limit <= most && offset + limit <= (sizes[rowGroup] ?? 0)).toBe(true);
        before = { rowGroup, end: offset + limit };
      }
      expect(slices.reduce((sum, { limit }) => sum + limit, 0)).toBeLessThanOrEqual(LIMITS.rows);
    }),
  );
});

test('the elements that are spread begin with the outer ones', () => {
  expect(spread([0, 1, 2, 3, 4, 5, 6, 7, 8], 3)).toEqual([0, 8, 4]);
  expect(spread([0, 1, 2], 5)).toEqual([0, 2, 1]);
  expect(spread([7], 1)).toEqual([7]);
  expect(spread([7, 8], 1)).toEqual([7]);
});
