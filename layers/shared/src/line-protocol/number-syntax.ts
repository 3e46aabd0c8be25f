/** Checks the syntax and range of numbers and booleans in line protocol, on their bytes. */
import { DOT, MINUS, NINE, PLUS, ZERO } from './bytes';

const MAX_INT64 = Buffer.from('9223372036854775807');
const MIN_INT64_DIGITS = Buffer.from('9223372036854775808');
const MAX_UINT64 = Buffer.from('18446744073709551615');
// Fraction digits are optional only after a dot. Otherwise the expression would try each way to split a run of digits: quadratic time.
const FLOAT_SYNTAX = /^-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const JSON_SYNTAX = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const BOOLEANS = ['t', 'T', 'true', 'True', 'TRUE', 'f', 'F', 'false', 'False', 'FALSE'].map((word) =>
  Buffer.from(word),
);

const text = (bytes: Uint8Array, start: number, end: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');

/** A number with more characters is OTHER_NUMBER, which the caller writes in a shorter form. */
const MAX_TEXT = 300;
/** A number with fewer characters is within a double's range, even with a two-digit exponent. */
const MAX_PLAIN = 200;

/** Forms of a number. INVALID: wrong syntax or out of range. */
export const INVALID = 0;
/** A JSON number (RFC 8259, section 6), which every parser accepts. */
export const JSON_NUMBER = 1;
/** Valid in line protocol only: `1.`, `.0`, `05`, `-0i`, and numbers with hundreds of digits. */
export const OTHER_NUMBER = 2;
export type NumberForm = typeof INVALID | typeof JSON_NUMBER | typeof OTHER_NUMBER;

/** The form of an int64, `-?[0-9]+`. `bytes[start, end)` excludes the suffix. */
export function integerForm(bytes: Uint8Array, start: number, end: number): NumberForm {
  if (bytes[start] !== MINUS) return digitsForm(bytes, start, end, MAX_INT64);
  const form = digitsForm(bytes, start + 1, end, MIN_INT64_DIGITS);
  return form === JSON_NUMBER && bytes[start + 1] === ZERO ? OTHER_NUMBER : form;
}

/** The form of a uint64, `[0-9]+`. `bytes[start, end)` excludes the suffix. */
export function unsignedForm(bytes: Uint8Array, start: number, end: number): NumberForm {
  return digitsForm(bytes, start, end, MAX_UINT64);
}

/** The form of a decimal number within the range of a double, with or without an exponent. */
export function floatForm(bytes: Uint8Array, start: number, end: number): NumberForm {
  const first = bytes[start] === MINUS ? start + 1 : start;
  let at = first;
  while (at < end && bytes[at] >= ZERO && bytes[at] <= NINE) at++;
  const digits = at - first;
  if (digits > 0 && end - first < MAX_PLAIN && (digits === 1 || bytes[first] !== ZERO)) {
    if (at === end) return JSON_NUMBER;
    if (bytes[at] === DOT && at + 1 < end) {
      const fraction = ++at;
      while (at < end && bytes[at] >= ZERO && bytes[at] <= NINE) at++;
      if (at === end) return JSON_NUMBER;
      if (at > fraction && isSmallExponent(bytes, at, end)) return JSON_NUMBER;
    } else if (isSmallExponent(bytes, at, end)) return JSON_NUMBER;
  }
  const number = text(bytes, start, end);
  if (!FLOAT_SYNTAX.test(number) || !Number.isFinite(Number(number))) return INVALID;
  return number.length < MAX_TEXT && JSON_SYNTAX.test(number) ? JSON_NUMBER : OTHER_NUMBER;
}

/** Whether the text is an exponent of one or two digits. */
function isSmallExponent(bytes: Uint8Array, start: number, end: number): boolean {
  if ((bytes[start] | 0x20) !== 0x65 /* e */) return false;
  const sign = bytes[start + 1];
  const first = sign === MINUS || sign === PLUS ? start + 2 : start + 1;
  if (end <= first || end > first + 2) return false;
  for (let at = first; at < end; at++) if (bytes[at] < ZERO || bytes[at] > NINE) return false;
  return true;
}

/** Whether the text is a boolean, in any spelling that line protocol allows. */
export function isBoolean(bytes: Uint8Array, start: number, end: number): boolean {
  if (end === start + 1) return (bytes[start] | 0x20) === 0x74 /* t */ || (bytes[start] | 0x20) === 0x66; /* f */
  for (const word of BOOLEANS) if (word.length === end - start && startsWith(bytes, start, word)) return true;
  return false;
}

function startsWith(bytes: Uint8Array, start: number, word: Uint8Array): boolean {
  for (let i = 0; i < word.length; i++) if (bytes[start + i] !== word[i]) return false;
  return true;
}

function digitsForm(bytes: Uint8Array, start: number, end: number, max: Uint8Array): NumberForm {
  if (start >= end) return INVALID;
  for (let at = start; at < end; at++) if (bytes[at] < ZERO || bytes[at] > NINE) return INVALID;
  let first = start;
  while (first < end - 1 && bytes[first] === ZERO) first++;
  const length = end - first;
  if (length > max.length || (length === max.length && isAbove(bytes, first, max))) return INVALID;
  return first === start ? JSON_NUMBER : OTHER_NUMBER;
}

/** Whether the digits at `start` are a larger number than `max`, which has the same number of digits. */
function isAbove(bytes: Uint8Array, start: number, max: Uint8Array): boolean {
  for (let i = 0; i < max.length; i++) if (bytes[start + i] !== max[i]) return bytes[start + i] > max[i];
  return false;
}
