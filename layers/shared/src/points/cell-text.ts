/** One cell as text: for tags and text fields of columns that are not text, and for the examples of invalid rows. */
import type { Encoding } from '../datasets/mapping';
import { type ArrowColumn, isValid } from '../parquet/c-data';
import type { ColumnType } from '../parquet/column-type';
import { fixedBytes } from './cells';
import { decimalTexts } from './decimals';
import { shortest } from './float-formats';
import { floatBits, readNumbers } from './number-cells';
import { emptySpans, spansOf } from './spans';
import { TimeReader } from './times';

const decoder = new TextDecoder();

/** Whether the values of a column have a text of their own. */
export const isTextType = ({ kind }: ColumnType): boolean => kind !== 'bytes' && kind !== 'unusable';

const TIME_DIGITS = { ms: 3, us: 6, ns: 9 };

/**
 * Returns a reader of a column's cells, which gives null for a missing value. Integers and decimals have all their digits, floats
 * their shortest decimal, and UUIDs hyphens. Dates, times and intervals are in ISO 8601, instants with a Z.
 * @param encoding of the bytes of a column that is stored as bytes; without it, bytes without a meaning are null
 */
export function cellText(column: ArrowColumn, encoding?: Encoding): (row: number) => string | null {
  const textAt = encoding === undefined ? valueText(column) : encodedText(column, encoding);
  return (row) => (column.type.kind !== 'null' && isValid(column, row) ? textAt(row) : null);
}

function encodedText(column: ArrowColumn, encoding: Encoding): (row: number) => string {
  const { starts, ends } = spansOf(column, emptySpans(column.length));
  return (row) => Buffer.from(column.memory, starts[row], ends[row] - starts[row]).toString(encoding);
}

function valueText(column: ArrowColumn): (row: number) => string | null {
  const { type, memory } = column;
  switch (type.kind) {
    case 'text': {
      const { starts, ends } = spansOf(column, emptySpans(column.length));
      return (row) => decoder.decode(new Uint8Array(memory).subarray(starts[row], ends[row]));
    }
    case 'uuid': {
      const { starts } = spansOf(column, emptySpans(column.length));
      return (row) => uuidText(Buffer.from(memory, starts[row], 16).toString('hex'));
    }
    case 'integer':
      return type.bits === 64 ? longText(fixedBytes(column, 8), type.isSigned) : numberText(column);
    case 'decimal':
      return decimalTexts(column, type.scale);
    case 'boolean':
    case 'float':
      return numberText(column);
    case 'date':
    case 'timestamp':
    case 'int96':
      return instantText(column);
    case 'time':
      return timeText(column, TIME_DIGITS[type.unit]);
    case 'interval':
      return intervalText(fixedBytes(column, 12));
    case 'bytes':
    case 'null':
    case 'unusable':
      return () => null;
  }
}

function longText(view: DataView, isSigned: boolean): (row: number) => string {
  return (row) => String(isSigned ? view.getBigInt64(row * 8, true) : view.getBigUint64(row * 8, true));
}

function numberText(column: ArrowColumn): (row: number) => string {
  const numbers = { values: new Float64Array(column.length), states: new Uint8Array(column.length) };
  readNumbers(column, numbers);
  const bits = floatBits(column.type);
  return (row) => {
    const value = numbers.values[row];
    if (column.type.kind === 'boolean') return value === 1 ? 'true' : 'false';
    return Number.isFinite(value) && value < 0 ? `-${shortest(-value, bits)}` : shortest(value, bits);
  };
}

const uuidText = (hex: string): string =>
  [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');

/** Dates and timestamps as they are in the file: a timestamp without a zone is a wall-clock time and has no Z. */
function instantText(column: ArrowColumn): (row: number) => string {
  const rows = column.length;
  const times = { seconds: new Float64Array(rows), nanos: new Int32Array(rows), states: new Uint8Array(rows) };
  new TimeReader({}).read(column, times);
  const { type } = column;
  const suffix = type.kind === 'int96' || (type.kind === 'timestamp' && type.isInstant) ? 'Z' : '';
  return (row) => {
    const date = new Date(times.seconds[row] * 1000);
    const rest = fraction(times.nanos[row], 9);
    // Beyond the years of a Date.
    if (Number.isNaN(date.getTime())) return `${times.seconds[row]}${rest} s after 1970`;
    const [day, time] = date.toISOString().slice(0, -5).split('T');
    return type.kind === 'date' ? `${day}` : `${day}T${time}${rest}${suffix}`;
  };
}

/** The time of a day, `12:00:00.5`. */
function timeText(column: ArrowColumn, digits: number): (row: number) => string {
  const isShort = column.stored.type === 'INT32';
  const view = fixedBytes(column, isShort ? 4 : 8);
  const perSecond = 10 ** digits;
  return (row) => {
    const count = isShort ? view.getInt32(row * 4, true) : Number(view.getBigInt64(row * 8, true));
    const seconds = Math.floor(count / perSecond);
    const parts = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map((part) =>
      String(Math.floor(part)).padStart(2, '0'),
    );
    return `${parts.join(':')}${fraction(count - seconds * perSecond, digits)}`;
  };
}

/** `P1M2DT3.004S`: months, days and milliseconds stay separate, as a month has no fixed number of days. */
function intervalText(view: DataView): (row: number) => string {
  return (row) => {
    const [months, days, milliseconds] = [0, 4, 8].map((at) => view.getUint32(row * 12 + at, true));
    return `P${months}M${days}DT${(milliseconds ?? 0) / 1000}S`;
  };
}

/** A fraction of a second without trailing zeros. */
function fraction(count: number, digits: number): string {
  return count === 0 ? '' : `.${String(count).padStart(digits, '0').replace(/0+$/, '')}`;
}
