/** Parses the text of a measure value. */
import { validationError } from './errors';

export const SCALAR_TYPES = ['DOUBLE', 'BIGINT', 'VARCHAR', 'BOOLEAN', 'TIMESTAMP'] as const;
export type ScalarType = (typeof SCALAR_TYPES)[number];

/** DOUBLE is a number, BIGINT a bigint, TIMESTAMP a bigint of nanoseconds. */
export type Scalar = string | number | bigint | boolean;

/** 2262-04-11T23:47:16.854775807Z, and the largest 64-bit integer. */
export const MAX_LONG = 2n ** 63n - 1n;
const MIN_LONG = -(2n ** 63n);

const NANOSECONDS = { SECONDS: 1_000_000_000n, MILLISECONDS: 1_000_000n, MICROSECONDS: 1_000n, NANOSECONDS: 1n };
export type TimeUnit = keyof typeof NANOSECONDS;
export const TIME_UNITS = ['MILLISECONDS', 'SECONDS', 'MICROSECONDS', 'NANOSECONDS'] as const satisfies TimeUnit[];

/** Nanoseconds since 1970; undefined if the text is not a decimal number, or the time is not from 1970-01-01 to 2262-04-11. */
export function toNanoseconds(text: string, unit: TimeUnit): bigint | undefined {
  if (!/^\d{1,20}$/.test(text)) return undefined;
  const time = BigInt(text) * NANOSECONDS[unit];
  return time <= MAX_LONG ? time : undefined;
}

/** The value of a text; undefined if it is not a value of the type. `unit` is that of a TIMESTAMP. */
export function parse(text: string, type: ScalarType, unit: TimeUnit): Scalar | undefined {
  switch (type) {
    case 'VARCHAR':
      return text;
    case 'BOOLEAN':
      return /^(true|false)$/i.test(text) ? text.toLowerCase() === 'true' : undefined;
    case 'TIMESTAMP':
      return toNanoseconds(text, unit);
    case 'BIGINT': {
      if (!/^[+-]?\d{1,40}$/.test(text)) return undefined;
      const value = BigInt(text.replace('+', ''));
      return value >= MIN_LONG && value <= MAX_LONG ? value : undefined;
    }
    case 'DOUBLE': {
      const value = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
      return Number.isFinite(value) ? value : undefined;
    }
  }
}

/** The value of a measure. @throws ValidationException if the text is not a value of the type; NaN and Infinity are not */
export function parseMeasureValue(name: string, text: string, type: ScalarType, unit: TimeUnit): Scalar {
  const value = parse(text, type, unit);
  if (value === undefined) {
    throw validationError(`The value '${text.slice(0, 100)}' of measure '${name}' is not a valid ${type}.`);
  }
  return value;
}

/** Bytes of a value as the service meters them: boolean 1, numbers and timestamps 8, text its UTF-8 length. */
export function measureValueBytes(value: Scalar): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  return typeof value === 'boolean' ? 1 : 8;
}
