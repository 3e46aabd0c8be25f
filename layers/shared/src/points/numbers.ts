/** Columns of numbers as doubles: every integer width, floats, decimals, booleans as 1 and 0, and numeric text. */
import { type ArrowColumn, isValid } from '../parquet/c-data';
import type { ColumnInfo } from '../parquet/metadata';
import { Cell, INTEGER_BYTES, integersOf, markMissing } from './cells';
import { decimalOf, decimalReader } from './decimals';
import { emptySpans, isTextFormat, spansOf } from './spans';

/** A record batch's values; a row's value means something only where its state is ok. */
export interface Numbers {
  readonly values: Float64Array;
  readonly states: Uint8Array;
}

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;
const decoder = new TextDecoder();

export function isNumberColumn({ format, dictionary }: ColumnInfo): boolean {
  const values = dictionary ?? format;
  const isNumeric = values in INTEGER_BYTES || ['b', 'e', 'f', 'g', 'n'].includes(values);
  return isNumeric || decimalOf(values) !== undefined || isTextFormat(values);
}

/** Whether the shortest decimal of its values is that of a float32. */
export function isSingle({ format, dictionary }: { format: string; dictionary?: unknown }): boolean {
  return ['e', 'f'].includes(typeof dictionary === 'string' ? dictionary : format);
}

/** Fills `out` with a record batch's values; NaN and infinity get states of their own. */
export function readNumbers(column: ArrowColumn, out: Numbers): void {
  markMissing(column, out.states);
  if (column.format === 'n') return;
  if (column.dictionary) readDictionary(column, column.dictionary, out);
  else if (column.format === 'g') {
    out.values.set(new Float64Array(column.memory, column.buffer(1) + column.offset * 8, column.length));
  } else if (isTextFormat(column.format)) readText(column, out);
  else {
    const valueAt = valueReader(column);
    for (let row = 0; row < column.length; row++) out.values[row] = valueAt(row);
  }
  for (let row = 0; row < column.length; row++) {
    const value = out.values[row] as number;
    // A finite number less itself is 0, NaN and infinity are not.
    if (value - value !== 0 && out.states[row] === Cell.ok)
      out.states[row] = Number.isNaN(value) ? Cell.nan : Cell.infinite;
  }
}

/** The column's values one by one. */
function valueReader(column: ArrowColumn): (row: number) => number {
  const integers = integersOf(column);
  if (integers) return integers;
  const { memory, offset, format } = column;
  const start = column.buffer(1);
  const decimal = decimalOf(format);
  if (decimal) return decimalReader(column, decimal.bytes, decimal.scale);
  if (format === 'f') {
    const floats = new Float32Array(memory, start + offset * 4, column.length);
    return (row) => floats[row] as number;
  }
  if (format === 'e') {
    const halves = new Uint16Array(memory, start + offset * 2, column.length);
    return (row) => fromHalf(halves[row] as number);
  }
  if (format !== 'b') throw new TypeError(`not a number column: ${column.name} of type ${format}`);
  const bits = new Uint8Array(memory, start, (offset + column.length + 7) >> 3);
  return (row) => ((bits[(offset + row) >> 3] as number) >> ((offset + row) & 7)) & 1;
}

function readDictionary(column: ArrowColumn, dictionary: ArrowColumn, out: Numbers): void {
  const entries = { values: new Float64Array(dictionary.length), states: new Uint8Array(dictionary.length) };
  readNumbers(dictionary, entries);
  const indices = valueReader({ ...column, dictionary: undefined });
  for (let row = 0; row < column.length; row++) {
    if (out.states[row] !== Cell.ok) continue;
    const entry = indices(row);
    out.values[row] = entries.values[entry] as number;
    out.states[row] = entries.states[entry] as number;
  }
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
