/** The syntax and range of numbers and booleans in line protocol, told from their bytes. */
import { DOT, MINUS, NINE, PLUS, ZERO } from './bytes';

const MAX_INT64 = Buffer.from('9223372036854775807');
const MIN_INT64_DIGITS = Buffer.from('9223372036854775808');
const MAX_UINT64 = Buffer.from('18446744073709551615');
// The digits behind a dot only where there is one: a text of digits would else be tried at each place where it could be cut in two.
const FLOAT_SYNTAX = /^-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const JSON_SYNTAX = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const BOOLEANS = ['t', 'T', 'true', 'True', 'TRUE', 'f', 'F', 'false', 'False', 'FALSE'].map((word) =>
  Buffer.from(word),
);

const text = (bytes: Uint8Array, start: number, end: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');

/** A longer text is rewritten. */
const MAX_TEXT = 300;
/** Fewer digits than this are within a double's range, with an exponent of two digits too. */
const MAX_PLAIN = 200;

/** How a number is written. */
export const INVALID = 0;
/** As a JSON number (RFC 8259, section 6), which every parser takes. */
export const JSON_NUMBER = 1;
/** As line protocol allows besides: `1.`, `.0`, `05`, `-0i`, and numbers with hundreds of digits. */
export const OTHER_NUMBER = 2;
export type NumberForm = typeof INVALID | typeof JSON_NUMBER | typeof OTHER_NUMBER;

/** The form of `-?[0-9]+` within int64; `bytes[start, end)` without the suffix. */
export function integerForm(bytes: Uint8Array, start: number, end: number): NumberForm {
  if (bytes[start] !== MINUS) return digitsForm(bytes, start, end, MAX_INT64);
  const form = digitsForm(bytes, start + 1, end, MIN_INT64_DIGITS);
  return form === JSON_NUMBER && bytes[start + 1] === ZERO ? OTHER_NUMBER : form;
}

/** The form of `[0-9]+` within uint64; `bytes[start, end)` without the suffix. */
export function unsignedForm(bytes: Uint8Array, start: number, end: number): NumberForm {
  return digitsForm(bytes, start, end, MAX_UINT64);
}

/** The form of a decimal number, with or without exponent, that a double can hold. */
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

/** True for an exponent of one or two digits. */
function isSmallExponent(bytes: Uint8Array, start: number, end: number): boolean {
  if ((bytes[start] | 0x20) !== 0x65 /* e */) return false;
  const sign = bytes[start + 1];
  const first = sign === MINUS || sign === PLUS ? start + 2 : start + 1;
  if (end <= first || end > first + 2) return false;
  for (let at = first; at < end; at++) if (bytes[at] < ZERO || bytes[at] > NINE) return false;
  return true;
}

/** True for a boolean in any of its spellings. */
export function isBoolean(bytes: Uint8Array, start: number, end: number): boolean {
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

/** True where the digits from `start` on, as many as `max` has, are a larger number. */
function isAbove(bytes: Uint8Array, start: number, max: Uint8Array): boolean {
  for (let i = 0; i < max.length; i++) if (bytes[start + i] !== max[i]) return bytes[start + i] > max[i];
  return false;
}
