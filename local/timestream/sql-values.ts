/** Converts DuckDB's types and values to those of the Query API. */
import {
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBIntervalValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValue,
} from '@duckdb/node-api';
import { validationError } from './errors';

export type Datum = { readonly ScalarValue: string } | { readonly NullValue: true };

const SCALAR_TYPE: Readonly<Partial<Record<DuckDBTypeId, string>>> = {
  [DuckDBTypeId.VARCHAR]: 'VARCHAR',
  [DuckDBTypeId.BOOLEAN]: 'BOOLEAN',
  [DuckDBTypeId.TINYINT]: 'INTEGER',
  [DuckDBTypeId.SMALLINT]: 'INTEGER',
  [DuckDBTypeId.INTEGER]: 'INTEGER',
  [DuckDBTypeId.BIGINT]: 'BIGINT',
  [DuckDBTypeId.UBIGINT]: 'BIGINT',
  [DuckDBTypeId.HUGEINT]: 'BIGINT',
  [DuckDBTypeId.FLOAT]: 'DOUBLE',
  [DuckDBTypeId.DOUBLE]: 'DOUBLE',
  [DuckDBTypeId.DECIMAL]: 'DOUBLE',
  [DuckDBTypeId.TIMESTAMP]: 'TIMESTAMP',
  [DuckDBTypeId.TIMESTAMP_NS]: 'TIMESTAMP',
  [DuckDBTypeId.DATE]: 'DATE',
  [DuckDBTypeId.TIME]: 'TIME',
  [DuckDBTypeId.INTERVAL]: 'INTERVAL_DAY_TO_SECOND',
  [DuckDBTypeId.SQLNULL]: 'UNKNOWN',
};

/** @throws ValidationException for arrays, rows and other types that are not scalar */
export function scalarType(name: string, type: DuckDBType): string {
  const scalar = SCALAR_TYPE[type.typeId];
  if (!scalar) throw validationError(`The column ${name} has the type ${type}, which is not supported.`);
  return scalar;
}

const SECOND = 1_000_000_000n;

const clock = (seconds: bigint, ns: bigint) => {
  const two = (value: bigint) => value.toString().padStart(2, '0');
  return `${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}.${ns.toString().padStart(9, '0')}`;
};

/** Formats nanoseconds since 1970 as `YYYY-MM-DD HH:MM:SS.nnnnnnnnn`. */
export function formatTimestamp(ns: bigint): string {
  const fraction = ((ns % SECOND) + SECOND) % SECOND;
  const seconds = (ns - fraction) / SECOND;
  const text = new Date(Number(seconds) * 1000).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 19)}.${fraction.toString().padStart(9, '0')}`;
}

function formatInterval({ months, days, micros }: DuckDBIntervalValue): string {
  if (months !== 0) throw validationError('Intervals of months and years are not supported.');
  const total = BigInt(days) * 86_400_000_000n + micros;
  const positive = total < 0n ? -total : total;
  const seconds = positive / 1_000_000n;
  const time = clock(seconds % 86_400n, (positive % 1_000_000n) * 1000n);
  return `${total < 0n ? '-' : ''}${seconds / 86_400n} ${time}`;
}

/** Formats a double as Java and the service do: `1.0`, `0.64`, `1.0E10`. */
export function formatDouble(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  if (size >= 1e-3 && size < 1e7) return Number.isInteger(value) ? `${value}.0` : String(value);
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`;
}

function format(value: Exclude<DuckDBValue, null>): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value instanceof DuckDBTimestampNanosecondsValue) return formatTimestamp(value.nanos);
  if (value instanceof DuckDBTimestampValue) return formatTimestamp(value.micros * 1000n);
  if (value instanceof DuckDBDateValue) return value.toString();
  if (value instanceof DuckDBTimeValue) return clock(value.micros / 1_000_000n, (value.micros % 1_000_000n) * 1000n);
  if (value instanceof DuckDBIntervalValue) return formatInterval(value);
  if (value instanceof DuckDBDecimalValue) return formatDouble(value.toDouble());
  throw validationError(`The value ${value} has a type that is not supported.`);
}

export function datum(value: DuckDBValue, scalar: string): Datum {
  if (value === null) return { NullValue: true };
  if (typeof value === 'number') {
    return { ScalarValue: scalar === 'DOUBLE' ? formatDouble(value) : String(value) };
  }
  return { ScalarValue: format(value) };
}
