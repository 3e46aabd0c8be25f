/** How many rows of a row group are decoded at once, within memory. */
import { grouped } from '../count-text';
import type { RowGroupInfo } from './metadata';
import { UnreadableFile } from './unreadable';

/** Rows of a record batch: its columns fit into a processor's cache. */
export const BATCH_ROWS = 8192;
/**
 * A row group is decoded in slices of this many rows, so that memory contains its compressed bytes once and only a slice of its values.
 * Measured on 1,000,000 rows in one row group: 28 MB instead of 130 MB of WebAssembly memory, in the same time.
 */
const SLICE_ROWS = 8 * BATCH_ROWS;
const SLICE_BYTES = 64 * 1024 * 1024;
/** Bytes of a decoded number. */
const NUMBER_BYTES = 8;

/**
 * Rows of a slice. parquet-wasm panics when it skips miniblocks of more than 64 values, which DuckDB writes in columns of
 * DELTA_BINARY_PACKED: a row group with such a column is read whole, if memory allows.
 */
export function sliceRows(group: RowGroupInfo, columns: readonly string[], maxBytes: number): number {
  const chunks = columns.flatMap((column) => group.chunks.get(column) ?? []);
  const isPacked = chunks.some(({ encodings }) => encodings.includes('DELTA_BINARY_PACKED'));
  const decoded = chunks.reduce((sum, { uncompressed }) => sum + Math.max(uncompressed, NUMBER_BYTES * group.rows), 0);
  if (isPacked && decoded <= maxBytes) return Math.max(1, group.rows);
  return Math.max(1, Math.min(SLICE_ROWS, Math.floor((group.rows * SLICE_BYTES) / Math.max(1, decoded))));
}

/** The error of a row group that exceeds the limit. */
export function tooLarge(bytes: number, max: number): UnreadableFile {
  const [have, limit] = inUnits(bytes, max);
  return new UnreadableFile(
    `the columns to read have ${have}, the limit is ${limit}: write the file with smaller row groups ` +
      '(row_group_size in pyarrow, ROW_GROUP_SIZE in DuckDB), or give the loader more memory and raise the limit',
  );
}

/** Both sizes in the largest unit in which they differ. */
function inUnits(bytes: number, max: number): string[] {
  const megabytes = [bytes, max].map((size) => `${grouped(Math.ceil(size / 1024 / 1024))} MB`);
  return megabytes[0] === megabytes[1] ? [bytes, max].map((size) => `${grouped(size)} bytes`) : megabytes;
}
