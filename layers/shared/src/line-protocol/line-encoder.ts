/** Writes points as line protocol: sorts tags by key, escapes names and strings, refuses points that could not be read back. */
import { escapeKey } from './bytes';
import type { FieldValue, Point } from './point';
import { NANOSECONDS, type Precision } from './precision';

const MIN_TIME = -(2n ** 63n);
const MAX_TIME = 2n ** 63n - 1n;

/** Line protocol cannot express the point; the message names the invalid part. */
export class EncodingError extends Error {
  override readonly name = 'EncodingError';
}

/**
 * Encodes a point as one line, without a newline at the end.
 * @param precision unit of the timestamp; finer digits are truncated
 * @throws EncodingError for empty names, control characters, a trailing backslash, duplicate tags, no fields, a number that is
 * not finite, or a time or integer beyond 64 bits
 */
export function encodePoint(point: Point, precision: Precision = NANOSECONDS): string {
  let line = measurement(point.measurement);
  const tags = [...point.tags].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  for (const [index, [key, value]] of tags.entries()) {
    if (index > 0 && tags[index - 1][0] === key) throw new EncodingError(`duplicate tag key '${key}'`);
    line += `,${name('tag key', key)}=${name(`value of tag '${key}'`, value)}`;
  }
  if (point.fields.length === 0) throw new EncodingError('a point needs at least one field');
  line += ` ${point.fields.map(([key, value]) => `${name('field key', key)}=${fieldValue(key, value)}`).join(',')}`;
  if (point.time < MIN_TIME || point.time > MAX_TIME) {
    throw new EncodingError('the time is outside the range of 64-bit nanoseconds');
  }
  const unit = 10n ** BigInt(9 - precision.fractionDigits) * BigInt(precision.secondsPerUnit);
  return `${line} ${point.time / unit}`;
}

const measurement = (text: string): string => {
  if (text.startsWith('#')) throw new EncodingError("a measurement may not begin with '#', which begins a comment");
  return checked('measurement', text).replace(/[, ]/g, '\\$&');
};

const name = (what: string, text: string): string => escapeKey(checked(what, text));

/** Refuses text that escapes cannot express. Source: the validity rule of the encoder of github.com/influxdata/line-protocol. */
function checked(what: string, text: string): string {
  if (text === '') throw new EncodingError(`empty ${what}`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the expression searches for them
  if (/[\u0000-\u001f\u007f]/.test(text)) throw new EncodingError(`control character in the ${what}`);
  if (text.endsWith('\\')) throw new EncodingError(`backslash at the end of the ${what}`);
  if (!text.isWellFormed()) throw new EncodingError(`the ${what} is not well-formed Unicode`);
  return text;
}

function fieldValue(key: string, field: FieldValue): string {
  switch (field.type) {
    case 'float':
      if (!Number.isFinite(field.value)) throw new EncodingError(`field '${key}' is not a finite number`);
      return Object.is(field.value, -0) ? '-0' : String(field.value);
    case 'integer':
      if (BigInt.asIntN(64, field.value) !== field.value) throw new EncodingError(`field '${key}' is beyond int64`);
      return `${field.value}i`;
    case 'unsigned':
      if (BigInt.asUintN(64, field.value) !== field.value) throw new EncodingError(`field '${key}' is beyond uint64`);
      return `${field.value}u`;
    case 'boolean':
      return String(field.value);
    case 'string':
      if (!field.value.isWellFormed()) throw new EncodingError(`field '${key}' is not well-formed Unicode`);
      return `"${field.value.replace(/["\\]/g, '\\$&')}"`;
  }
}
