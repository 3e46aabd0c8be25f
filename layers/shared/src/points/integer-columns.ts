/** Columns as 64-bit integers: integers of every width, decimals, floats and text without a fraction, and booleans as 1 and 0. */
import { type ArrowColumn, isValid } from '../parquet/c-data';
import { Cell, integersOf, markMissing, words } from './cells';
import { type Counts, checkCounts, isSigned64, isUnsigned64, readWords, setBigCount, setCount } from './counts';
import { EXACT_INTEGER, shortDecimals, unscaledDecimals } from './decimals';
import { withoutEnd } from './escape';
import { readNumbers } from './number-cells';
import { emptySpans, spansOf } from './spans';

const DECIMAL = /^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?$|^([+-]?)\.(\d+)(?:[eE]([+-]?\d{1,9}))?$/;
/** The integers that a short text writes with certainty. */
const SHORT = /^-?\d{1,15}$/;
/** 2^64 has 20 digits. */
const MAX_DIGITS = 20;
const decoder = new TextDecoder();

/**
 * Fills `out` with a record batch's values. A value with a fraction, and a value outside 64 bits, get states of their own.
 * @param isSigned whether the integers are -2^63 to 2^63 - 1 or 0 to 2^64 - 1
 */
export function readIntegers(column: ArrowColumn, isSigned: boolean, out: Counts): void {
  markMissing(column, out.states);
  const { type } = column;
  if (type.kind === 'null') return;
  if (type.kind === 'integer' && type.bits === 64) {
    readWords(words(column, 2), 2, 1e9, column.length, out);
    if (!type.isSigned) toUnsigned(column.length, out);
  } else if (type.kind === 'decimal') readDecimals(column, type.scale, out);
  else if (type.kind === 'text') readText(column, out);
  else if (type.kind === 'integer') {
    const valueAt = integersOf(column);
    for (let row = 0; valueAt && row < column.length; row++) setCount(out, row, valueAt(row));
  } else readFloats(column, out);
  checkCounts(column.length, out, isSigned ? isSigned64 : isUnsigned64);
}

/** A negative number is an unsigned one of 2^63 or more, read as signed. */
function toUnsigned(rows: number, out: Counts): void {
  for (let row = 0; row < rows; row++) {
    if (out.seconds[row] >= 0) continue;
    const nanos = out.nanos[row] + 709551616;
    const carry = nanos >= 1e9 ? 1 : 0;
    out.seconds[row] += 18446744073 + carry;
    out.nanos[row] = nanos - carry * 1e9;
  }
}

/** Floats and booleans. */
function readFloats(column: ArrowColumn, out: Counts): void {
  const numbers = { values: new Float64Array(column.length), states: out.states };
  readNumbers(column, numbers);
  for (let row = 0; row < column.length; row++) {
    if (out.states[row] !== Cell.ok) continue;
    const value = numbers.values[row];
    if (!Number.isInteger(value)) out.states[row] = Cell.notInteger;
    else if (Number.isSafeInteger(value)) setCount(out, row, value);
    else setBigCount(out, row, BigInt(value));
  }
}

function readDecimals(column: ArrowColumn, scale: number, out: Counts): void {
  const unscaled = unscaledDecimals(column);
  const short = shortDecimals(column);
  const power = 10n ** BigInt(scale);
  const shortPower = Number(`1e${scale}`);
  for (let row = 0; row < column.length; row++) {
    if (out.states[row] !== Cell.ok) continue;
    const few = short(row);
    if (Math.abs(few) < EXACT_INTEGER) {
      // Beyond 22 decimals the power is not exact, but larger than any of these values.
      if (few % shortPower === 0) setCount(out, row, few / shortPower);
      else out.states[row] = Cell.notInteger;
      continue;
    }
    const value = unscaled(row);
    if (value % power === 0n) setBigCount(out, row, value / power);
    else out.states[row] = Cell.notInteger;
  }
}

function readText(column: ArrowColumn, out: Counts): void {
  const { starts, ends } = spansOf(column, emptySpans(column.length));
  const bytes = new Uint8Array(column.memory);
  for (let row = 0; row < column.length; row++) {
    if (!isValid(column, row)) continue;
    const text = decoder.decode(bytes.subarray(starts[row], ends[row])).trim();
    if (SHORT.test(text)) setCount(out, row, Number(text));
    else {
      const value = integerOf(text);
      if (typeof value === 'bigint') setBigCount(out, row, value);
      else out.states[row] = value;
    }
  }
}

/** The integer that a decimal text denotes, or the state of a text that denotes none. */
function integerOf(text: string): bigint | number {
  const match = DECIMAL.exec(text);
  if (!match) {
    if (text === '') return Cell.missing;
    if (/^nan$/i.test(text)) return Cell.nan;
    return /^[+-]?inf(inity)?$/i.test(text) ? Cell.infinite : Cell.unreadable;
  }
  const [sign = '', whole = '', fraction = '', exponent = '0'] =
    match[2] === undefined ? [match[5], '', match[6], match[7]] : match.slice(1, 5);
  const digits = (whole + fraction).replace(/^0+/, '');
  if (digits === '') return 0n;
  const significant = withoutEnd(digits, /0/);
  // The value is `significant` times this power of ten.
  const power = Number(exponent) - fraction.length + digits.length - significant.length;
  if (power < 0) return Cell.notInteger;
  if (significant.length + power > MAX_DIGITS) return Cell.outOfRange;
  const magnitude = BigInt(significant) * 10n ** BigInt(power);
  return sign === '-' ? -magnitude : magnitude;
}
