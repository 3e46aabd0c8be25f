/** Columns of numbers as doubles: every integer width, floats, decimals, booleans as 1 and 0, and numeric text. */
import { type ArrowColumn, isValid } from '../parquet/c-data';
import type { ColumnType } from '../parquet/column-type';
import { Cell, fixedBytes, integersOf, markMissing } from './cells';
import { decimalNumbers } from './decimals';
import type { FloatBits } from './float-formats';
import { emptySpans, spansOf } from './spans';

/** A record batch's values; a row's value is defined only if its state is ok. */
export interface Numbers {
  readonly values: Float64Array;
  readonly states: Uint8Array;
}

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;
const decoder = new TextDecoder();

export function isNumberType({ kind }: ColumnType): boolean {
  return ['boolean', 'integer', 'float', 'decimal', 'text', 'null'].includes(kind);
}

/** The bits of the float whose shortest decimals are written. */
export function floatBits(type: ColumnType | undefined): FloatBits {
  return type?.kind === 'float' ? type.bits : 64;
}

/** Fills `out` with a record batch's values; NaN and infinity get states of their own. */
export function readNumbers(column: ArrowColumn, out: Numbers): void {
  markMissing(column, out.states);
  const { type } = column;
  if (type.kind === 'null') return;
  if (type.kind === 'float' && type.bits === 64) {
    out.values.set(new Float64Array(column.memory, column.buffer(1) + column.offset * 8, column.length));
  } else if (type.kind === 'text') readText(column, out);
  else {
    const valueAt = valueReader(column);
    for (let row = 0; row < column.length; row++) out.values[row] = valueAt(row);
  }
  for (let row = 0; row < column.length; row++) {
    const value = out.values[row];
    // A finite number minus itself is 0; NaN and infinity give NaN.
    if (value - value !== 0 && out.states[row] === Cell.ok)
      out.states[row] = Number.isNaN(value) ? Cell.nan : Cell.infinite;
  }
}

/** Reads the column's values one by one; the result for a missing value is undefined. */
function valueReader(column: ArrowColumn): (row: number) => number {
  const integers = integersOf(column);
  if (integers) return integers;
  const { memory, offset, type } = column;
  if (type.kind === 'decimal') return decimalNumbers(column, type.scale);
  if (type.kind === 'float' && type.bits === 32) {
    const floats = fixedBytes(column, 4);
    return (row) => floats.getFloat32(4 * row, true);
  }
  if (type.kind === 'float') {
    const halves = fixedBytes(column, 2);
    return (row) => fromHalf(halves.getUint16(2 * row, true));
  }
  if (type.kind !== 'boolean') throw new TypeError(`not a number column: ${column.name} of type ${type.kind}`);
  const bits = new Uint8Array(memory, column.buffer(1), (offset + column.length + 7) >> 3);
  return (row) => (bits[(offset + row) >> 3] >> ((offset + row) & 7)) & 1;
}

/** Decimal text, with spaces around it or an exponent; `nan` and `inf` are NaN and infinity, an empty text is missing. */
function readText(column: ArrowColumn, out: Numbers): void {
  const { starts, ends } = spansOf(column, emptySpans(column.length));
  const bytes = new Uint8Array(column.memory);
  for (let row = 0; row < column.length; row++) {
    out.values[row] = 0;
    if (!isValid(column, row)) continue;
    const text = decoder.decode(bytes.subarray(starts[row], ends[row])).trim();
    if (NUMBER.test(text)) out.values[row] = Number(text);
    else if (/^[+-]?inf(inity)?$/i.test(text)) out.values[row] = Number.POSITIVE_INFINITY;
    else if (/^nan$/i.test(text)) out.values[row] = Number.NaN;
    else out.states[row] = text === '' ? Cell.missing : Cell.unreadable;
  }
}

/** IEEE 754 binary16. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}
