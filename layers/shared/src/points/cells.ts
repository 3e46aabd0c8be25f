/** What every column reader shares: the state of a cell, and typed views of a column's buffers. */
import { type ArrowColumn, isValid } from '../parquet/c-data';

/** Whether a cell has a value, and why not. */
export const Cell = {
  ok: 0,
  missing: 1,
  nan: 2,
  infinite: 3,
  unreadable: 4,
  outOfRange: 5,
  notInteger: 6,
  inexact: 7,
} as const;
export const STATES = 8;

/** Sets each row's state to ok or missing. */
export function markMissing(column: ArrowColumn, states: Uint8Array): void {
  states.fill(column.type.kind === 'null' ? Cell.missing : Cell.ok, 0, column.length);
  if (!column.validity) return;
  for (let row = 0; row < column.length; row++) if (!isValid(column, row)) states[row] = Cell.missing;
}

/** The bytes of a column whose values all have `size` bytes, from row 0 on. */
export function fixedBytes(column: ArrowColumn, size: number): DataView {
  return new DataView(column.memory, column.buffer(1) + column.offset * size, column.length * size);
}

/** A column's values as 32-bit words, from row 0 on, with `perRow` words per row. */
export function words(column: ArrowColumn, perRow: number): Int32Array {
  const start = column.buffer(1) + column.offset * perRow * 4;
  const bytes = column.length * perRow * 4;
  // Values that are stored as bytes may begin anywhere.
  if (start % 4 === 0) return new Int32Array(column.memory, start, bytes / 4);
  return new Int32Array(column.memory.slice(start, start + bytes));
}

/** An integer column's value at a row, as the nearest double; undefined for another column. */
export function integersOf(column: ArrowColumn): ((row: number) => number) | undefined {
  if (column.type.kind !== 'integer') return undefined;
  const { bits, isSigned } = column.type;
  const view = fixedBytes(column, bits === 64 ? 8 : 4);
  // One rounding only: the high word times 2^32 is exact.
  if (bits === 64 && isSigned)
    return (row) => view.getInt32(8 * row + 4, true) * 4294967296 + view.getUint32(8 * row, true);
  if (bits === 64) return (row) => view.getUint32(8 * row + 4, true) * 4294967296 + view.getUint32(8 * row, true);
  // The low bits are the value of a narrow integer; writers may put anything into the other bits.
  const unused = 32 - bits;
  if (isSigned) return (row) => (view.getInt32(4 * row, true) << unused) >> unused;
  return (row) => (view.getInt32(4 * row, true) << unused) >>> unused;
}
