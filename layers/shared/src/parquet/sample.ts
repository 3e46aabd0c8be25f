/** Chooses the rows of a file that a profile reads: of row groups from all over the file, the first and the last rows. */
import { bytesOf, type ParquetMetadata } from './metadata';

/** Rows of a row group that are read together. The first slice of a row group begins with its first row. */
export interface SampleSlice {
  readonly rowGroup: number;
  /** Rows before it in the row group. */
  readonly offset: number;
  readonly limit: number;
}

export interface SampleLimits {
  readonly rows: number;
  /** Compressed bytes. The first row group is read in any case, because column chunks are fetched whole. */
  readonly bytes: number;
  readonly rowGroups: number;
}

export const SAMPLE_LIMITS: SampleLimits = { rows: 200_000, bytes: 128 * 1024 * 1024, rowGroups: 8 };

/**
 * Returns the slices in the file's order.
 * @param maxRows rows that may be decoded at once, by row group
 */
export function sampleSlices(
  { rowGroups }: Pick<ParquetMetadata, 'rowGroups'>,
  columns: readonly string[],
  maxRows: (rowGroup: number) => number,
  limits: SampleLimits = SAMPLE_LIMITS,
): SampleSlice[] {
  const filled = [...rowGroups.keys()].filter((index) => (rowGroups[index]?.rows ?? 0) > 0);
  let bytes = 0;
  const chosen = spread(filled, limits.rowGroups).filter((index, position) => {
    const group = rowGroups[index];
    const size = group === undefined ? 0 : bytesOf(group, columns);
    if (position > 0 && bytes + size > limits.bytes) return false;
    bytes += size;
    return true;
  });
  const share = Math.max(1, Math.floor(limits.rows / Math.max(1, chosen.length)));
  return chosen
    .sort((a, b) => a - b)
    .flatMap((rowGroup) => {
      const rows = rowGroups[rowGroup]?.rows ?? 0;
      const most = Math.max(1, maxRows(rowGroup));
      if (rows <= Math.min(share, most)) return [{ rowGroup, offset: 0, limit: rows }];
      const half = Math.max(1, Math.min(Math.floor(share / 2), most));
      const offset = Math.max(half, rows - half);
      const first = { rowGroup, offset: 0, limit: Math.min(rows, half) };
      return canSkip(rowGroups[rowGroup], columns) && offset < rows
        ? [first, { rowGroup, offset, limit: rows - offset }]
        : [first];
    });
}

/** At most `count` elements: the first, the last, and some between them, the outer ones first. */
export function spread<T>(all: readonly T[], count: number): T[] {
  if (all.length <= count) return order([...all]);
  const step = (all.length - 1) / Math.max(1, count - 1);
  return order(Array.from({ length: count }, (_, index) => all[Math.round(index * step)] as T));
}

/** The first, then the last, then the others. */
function order<T>(all: T[]): T[] {
  return all.length < 3 ? all : [all[0] as T, all[all.length - 1] as T, ...all.slice(1, -1)];
}

/** parquet-wasm panics when it skips miniblocks of more than 64 values: see `slice-size`. */
function canSkip(group: ParquetMetadata['rowGroups'][number] | undefined, columns: readonly string[]): boolean {
  return columns.every((column) => !group?.chunks.get(column)?.encodings.includes('DELTA_BINARY_PACKED'));
}
