/** Decimals of any precision and scale: as text with every digit, and as doubles, correctly rounded. */
import type { ArrowColumn } from '../parquet/c-data';
import { fixedBytes } from './cells';
import { emptySpans, spansOf } from './spans';

/** Maximum exponent of a power of ten that a double represents exactly. */
const EXACT_POWER = 22;
export const EXACT_INTEGER = 1e15;

/** The text of each row's decimal, with as many decimals as its scale. */
export function decimalTexts(column: ArrowColumn, scale: number): (row: number) => string {
  const unscaled = unscaledDecimals(column);
  return (row) => decimalText(unscaled(row), scale);
}

/**
 * The double nearest to each row's decimal. Up to 15 digits and 22 decimals, one division of exact doubles computes it, which rounds
 * once. Longer decimals are converted from their text.
 */
export function decimalNumbers(column: ArrowColumn, scale: number): (row: number) => number {
  const divisor = scale <= EXACT_POWER ? Number(`1e${scale}`) : Number.NaN;
  const short = Number.isNaN(divisor) ? () => Number.NaN : shortDecimals(column);
  const unscaled = unscaledDecimals(column);
  return (row) => {
    const value = short(row);
    return Math.abs(value) < EXACT_INTEGER ? value / divisor : Number(`${unscaled(row)}e${-scale}`);
  };
}

function decimalText(unscaled: bigint, scale: number): string {
  if (scale === 0) return String(unscaled);
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** The integer that the scale divides. Integers are little-endian, bytes big-endian; both in two's complement. */
export function unscaledDecimals(column: ArrowColumn): (row: number) => bigint {
  if (column.stored.type === 'INT32') {
    const view = fixedBytes(column, 4);
    return (row) => BigInt(view.getInt32(4 * row, true));
  }
  if (column.stored.type === 'INT64') {
    const view = fixedBytes(column, 8);
    return (row) => view.getBigInt64(8 * row, true);
  }
  const { starts, ends } = spansOf(column, emptySpans(column.length));
  return (row) => {
    const bytes = Buffer.from(column.memory, starts[row], ends[row] - starts[row]);
    return bytes.length === 0 ? 0n : BigInt.asIntN(8 * bytes.length, BigInt(`0x${bytes.toString('hex')}`));
  };
}

/** The unscaled value if it has at most eight bytes, else NaN. */
export function shortDecimals(column: ArrowColumn): (row: number) => number {
  const view = new DataView(column.memory);
  const { type } = column.stored;
  if (type === 'INT32' || type === 'INT64') {
    const values = fixedBytes(column, type === 'INT32' ? 4 : 8);
    if (type === 'INT32') return (row) => values.getInt32(4 * row, true);
    return (row) => values.getInt32(8 * row + 4, true) * 4294967296 + values.getUint32(8 * row, true);
  }
  const { starts, ends } = spansOf(column, emptySpans(column.length));
  return (row) => {
    const end = ends[row];
    const first = Math.max(starts[row], end - 8);
    if (end - first < 8) return Number.NaN;
    const value = view.getInt32(first, false) * 4294967296 + view.getUint32(first + 4, false);
    const sign = value < 0 ? 0xff : 0;
    for (let at = starts[row]; at < first; at++) if (view.getUint8(at) !== sign) return Number.NaN;
    return value;
  };
}
