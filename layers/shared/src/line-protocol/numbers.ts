/** The syntax and range of numbers and booleans in line protocol, told from their bytes. */
import { DOT, MINUS, NINE, ZERO } from './bytes';

const MAX_INT64 = '9223372036854775807';
const MIN_INT64_DIGITS = '9223372036854775808';
const MAX_UINT64 = '18446744073709551615';
const FLOAT_SYNTAX = /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const BOOLEANS = new Set(['t', 'T', 'true', 'True', 'TRUE', 'f', 'F', 'false', 'False', 'FALSE']);

const text = (bytes: Uint8Array, start: number, end: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');

/** True for `-?[0-9]+` within int64; `bytes[start, end)` without the suffix. */
export function isInteger(bytes: Uint8Array, start: number, end: number): boolean {
  return bytes[start] === MINUS
    ? isDigitsUpTo(bytes, start + 1, end, MIN_INT64_DIGITS)
    : isDigitsUpTo(bytes, start, end, MAX_INT64);
}

/** True for `[0-9]+` within uint64; `bytes[start, end)` without the suffix. */
export function isUnsigned(bytes: Uint8Array, start: number, end: number): boolean {
  return isDigitsUpTo(bytes, start, end, MAX_UINT64);
}

/** True for unsigned digits of at most int64's greatest value. */
export function isWithinInt64(bytes: Uint8Array, start: number, end: number): boolean {
  return isDigitsUpTo(bytes, start, end, MAX_INT64);
}

/** True for a decimal number, with or without exponent, that a double can hold. */
export function isFloat(bytes: Uint8Array, start: number, end: number): boolean {
  let at = bytes[start] === MINUS ? start + 1 : start;
  const first = at;
  while (at < end && bytes[at] >= ZERO && bytes[at] <= NINE) at++;
  const digits = at - first;
  if (at < end && bytes[at] === DOT) {
    at++;
    while (at < end && bytes[at] >= ZERO && bytes[at] <= NINE) at++;
    if (at === end && end - first > 1 && digits < 300) return true;
  } else if (at === end && digits > 0 && digits < 300) return true;
  const number = text(bytes, start, end);
  return FLOAT_SYNTAX.test(number) && Number.isFinite(Number(number));
}

/** True for a boolean in any of its spellings. */
export function isBoolean(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start <= 5 && BOOLEANS.has(text(bytes, start, end));
}

function isDigitsUpTo(bytes: Uint8Array, start: number, end: number, max: string): boolean {
  if (start >= end) return false;
  for (let at = start; at < end; at++) if (bytes[at] < ZERO || bytes[at] > NINE) return false;
  if (end - start < max.length) return true;
  let first = start;
  while (first < end - 1 && bytes[first] === ZERO) first++;
  const length = end - first;
  return length < max.length || (length === max.length && text(bytes, first, end) <= max);
}
