/** What every column reader shares: the state of a cell, and typed views of a column's buffers. */
import { type ArrowColumn, isValid } from '../parquet/c-data';

/** Why a cell gives no value. */
export const Cell = { ok: 0, missing: 1, nan: 2, infinite: 3, unreadable: 4, outOfRange: 5 } as const;

/** Sets each row's state to ok or missing. */
export function markMissing(column: ArrowColumn, states: Uint8Array): void {
  states.fill(column.format === 'n' ? Cell.missing : Cell.ok, 0, column.length);
  if (!column.validity) return;
  for (let row = 0; row < column.length; row++) if (!isValid(column, row)) states[row] = Cell.missing;
}

/** A column's buffer `index` as 32-bit words, from row 0 on; `perRow` words each. */
export function words(column: ArrowColumn, index: number, perRow: number): Int32Array {
  return new Int32Array(column.memory, column.buffer(index) + column.offset * perRow * 4, column.length * perRow);
}

/** An integer column's value at a row, as the nearest double; and whether the column is of integers at all. */
export function integersOf(column: ArrowColumn): ((row: number) => number) | undefined {
  const size = INTEGER_BYTES[column.format];
  if (size === undefined) return undefined;
  const view = new DataView(column.memory, column.buffer(1) + column.offset * size, column.length * size);
  switch (column.format) {
    case 'c':
      return (row) => view.getInt8(row);
    case 'C':
      return (row) => view.getUint8(row);
    case 's':
      return (row) => view.getInt16(2 * row, true);
    case 'S':
      return (row) => view.getUint16(2 * row, true);
    case 'i':
      return (row) => view.getInt32(4 * row, true);
    case 'I':
      return (row) => view.getUint32(4 * row, true);
    // One rounding only: the high word times 2^32 is exact.
    case 'l':
      return (row) => view.getInt32(8 * row + 4, true) * 4294967296 + view.getUint32(8 * row, true);
    default:
      return (row) => view.getUint32(8 * row + 4, true) * 4294967296 + view.getUint32(8 * row, true);
  }
}

export const INTEGER_BYTES: Readonly<Record<string, number>> = { c: 1, C: 1, s: 2, S: 2, i: 4, I: 4, l: 8, L: 8 };
