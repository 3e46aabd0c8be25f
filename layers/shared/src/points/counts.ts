/**
 * 64-bit integers in two exact parts, because a double holds only 53 bits: n = seconds · 10^9 + nanos, with 0 <= nanos < 10^9. A time in
 * nanoseconds is the usual one, and any other integer is kept in the same way.
 */
import { Cell } from './cells';

/** The integers of a record batch; a row's value is defined only if its state is ok. */
export interface Counts {
  readonly seconds: Float64Array;
  readonly nanos: Int32Array;
  readonly states: Uint8Array;
}

const BILLION = 1e9;
const BIG_BILLION = 1_000_000_000n;

export function emptyCounts(rows: number): Counts {
  return { seconds: new Float64Array(rows), nanos: new Int32Array(rows), states: new Uint8Array(rows) };
}

/**
 * Reads 64-bit counts of units of which `perSecond` make a second from their two words, without BigInt. The quotient in doubles is off by
 * one at most; the remainder, known modulo 2^32, shows whether it is.
 * @param stride words per row
 */
export function readWords(halves: Int32Array, stride: number, perSecond: number, rows: number, out: Counts): void {
  const toNanos = BILLION / perSecond;
  for (let row = 0; row < rows; row++) {
    const low = halves[stride * row];
    let seconds = Math.floor((halves[stride * row + 1] * 4294967296 + (low >>> 0)) / perSecond);
    let rest = (low - Math.imul(seconds, perSecond)) | 0;
    if (rest < 0) {
      seconds--;
      rest += perSecond;
    } else if (rest >= perSecond) {
      seconds++;
      rest -= perSecond;
    }
    out.seconds[row] = seconds;
    out.nanos[row] = rest * toNanos;
  }
}

/** Sets a row to an integer of at most 53 bits. */
export function setCount(out: Counts, row: number, value: number): void {
  const seconds = Math.floor(value / BILLION);
  out.seconds[row] = seconds;
  out.nanos[row] = value - seconds * BILLION;
}

/** Sets a row to an integer, or to out of range if it has clearly more than 64 bits. */
export function setBigCount(out: Counts, row: number, value: bigint): void {
  const rest = ((value % BIG_BILLION) + BIG_BILLION) % BIG_BILLION;
  const seconds = Number((value - rest) / BIG_BILLION);
  out.seconds[row] = seconds;
  out.nanos[row] = Number(rest);
}

/** Whether a signed integer of 64 bits holds it. */
export function isSigned64(seconds: number, nanos: number): boolean {
  if (seconds > -9223372037 && seconds < 9223372036) return true;
  return seconds === 9223372036 ? nanos <= 854775807 : seconds === -9223372037 && nanos >= 145224192;
}

/** Whether an unsigned integer of 64 bits holds it. */
export function isUnsigned64(seconds: number, nanos: number): boolean {
  return seconds >= 0 && (seconds < 18446744073 || (seconds === 18446744073 && nanos <= 709551615));
}

/** Marks the rows out of range whose value does not fit. */
export function checkCounts(rows: number, out: Counts, fits: (seconds: number, nanos: number) => boolean): void {
  for (let row = 0; row < rows; row++) {
    if (out.states[row] === Cell.ok && !fits(out.seconds[row], out.nanos[row])) out.states[row] = Cell.outOfRange;
  }
}
