/** The type of a Parquet column, from its schema element alone: writers' own metadata (ARROW:schema, pandas) is ignored. */
import type { LogicalType, SchemaElement } from './format';

/**
 * The meaning of a column's stored values. Source: https://parquet.apache.org/docs/file-format/types/logicaltypes/
 *
 * `integer` of up to 32 bits is stored in four bytes, of 64 bits in eight. `text` is STRING, ENUM, JSON, and bytes without a declared type, which
 * old writers use for text. `timestamp` is an instant or a wall-clock time. `int96` is an instant: 8 bytes for the nanoseconds of a day,
 * 4 bytes for its Julian number. `null` has no value in any row. `interval`: months, days and milliseconds, four bytes each. `bytes` have no
 * text of their own: BSON, GEOMETRY, GEOGRAPHY, logical types newer than this program, and FIXED_LEN_BYTE_ARRAY without a logical type.
 */
export type ColumnType =
  | { readonly kind: 'boolean' | 'text' | 'uuid' | 'date' | 'int96' | 'interval' | 'null' }
  /** `length` of each value; undefined if they differ. */
  | { readonly kind: 'bytes'; readonly length: number | undefined }
  | { readonly kind: 'integer'; readonly bits: 8 | 16 | 32 | 64; readonly isSigned: boolean }
  | { readonly kind: 'float'; readonly bits: 16 | 32 | 64 }
  | { readonly kind: 'decimal'; readonly scale: number }
  | { readonly kind: 'timestamp'; readonly unit: 'ms' | 'us' | 'ns'; readonly isInstant: boolean }
  | { readonly kind: 'time'; readonly unit: 'ms' | 'us' | 'ns' }
  /** Cannot be read; `why` continues "column NAME ". A struct's columns are columns of their own. */
  | { readonly kind: 'unusable'; readonly why: string; readonly isStruct?: boolean };

const UNITS = { MILLIS: 'ms', MICROS: 'us', NANOS: 'ns' } as const;
const INTERVAL_BYTES = 12;
const UUID_BYTES = 16;
/** Scale of a decimal; no known writer has more. */
const MAX_SCALE = 1000;

/** The type of a column without children. */
export function columnType(element: SchemaElement): ColumnType {
  if (element.repetition_type === 'REPEATED') return unusable('is repeated (a list): only flat columns can be used');
  if (element.repetition_type === 'unknown') return unusable('has an unknown repetition: the file is corrupt');
  if (element.type === 'FIXED_LEN_BYTE_ARRAY' && !((element.type_length ?? 0) > 0))
    return unusable('has no length: the file is corrupt');
  const logical = element.logical_type ?? fromConverted(element);
  return logical
    ? (logicalColumn(element, logical) ?? unusable(`is ${describe(element)}, which is not supported`))
    : physicalColumn(element);
}

/** Whether the element is a struct, list or map, which has columns below it or is empty. */
export function isGroup({ type, num_children }: SchemaElement): boolean {
  return type === undefined && num_children !== undefined;
}

/** A column as its file declares it, such as `INT64 TIMESTAMP(MICROS)`. */
export function describe(element: SchemaElement): string {
  const { type, type_length, converted_type, logical_type, scale, precision } = element;
  if (isGroup(element)) return `a ${logical_type?.type ?? converted_type ?? 'struct'}`;
  const known = type === undefined || type === 'unknown' ? 'of an unknown type' : type;
  const stored = type === 'FIXED_LEN_BYTE_ARRAY' ? `${type}(${type_length})` : known;
  const logical = logical_type?.type ?? converted_type;
  if (logical === undefined) return stored;
  if (logical === 'unknown') return `${stored} of an unknown logical type`;
  const unit = logical_type && 'unit' in logical_type ? `(${logical_type.unit})` : '';
  return `${stored} ${logical}${logical === 'DECIMAL' ? `(${precision},${scale ?? 0})` : unit}`;
}

const bytes = ({ type, type_length }: SchemaElement): ColumnType => ({
  kind: 'bytes',
  length: type === 'FIXED_LEN_BYTE_ARRAY' ? type_length : undefined,
});

const unusable = (why: string): ColumnType => ({ kind: 'unusable', why });

function physicalColumn(element: SchemaElement): ColumnType {
  switch (element.type) {
    case 'BOOLEAN':
      return { kind: 'boolean' };
    case 'INT32':
      return { kind: 'integer', bits: 32, isSigned: true };
    case 'INT64':
      return { kind: 'integer', bits: 64, isSigned: true };
    case 'INT96':
      return { kind: 'int96' };
    case 'FLOAT':
      return { kind: 'float', bits: 32 };
    case 'DOUBLE':
      return { kind: 'float', bits: 64 };
    case 'BYTE_ARRAY':
      return { kind: 'text' };
    case 'FIXED_LEN_BYTE_ARRAY':
      // Integers of 128 bits, UUIDs and others are stored like this: as text they would be wrong values.
      return bytes(element);
    default:
      return unusable('is of an unknown type');
  }
}

/** Undefined for an unknown logical type, and for a logical type that may not have this stored type. */
function logicalColumn(element: SchemaElement, logical: LogicalType): ColumnType | undefined {
  const { type, type_length: length } = element;
  const isInteger = type === 'INT32' || type === 'INT64';
  const isBytes = type === 'BYTE_ARRAY' || type === 'FIXED_LEN_BYTE_ARRAY';
  switch (logical.type) {
    case 'STRING':
    case 'ENUM':
    case 'JSON':
      return isBytes ? { kind: 'text' } : undefined;
    case 'DECIMAL': {
      const { scale } = logical;
      return (isInteger || isBytes) && scale >= 0 && scale <= MAX_SCALE ? { kind: 'decimal', scale } : undefined;
    }
    case 'DATE':
      return type === 'INT32' ? { kind: 'date' } : undefined;
    case 'TIME':
      return isInteger ? { kind: 'time', unit: UNITS[logical.unit] } : undefined;
    case 'TIMESTAMP':
      return type === 'INT64'
        ? { kind: 'timestamp', unit: UNITS[logical.unit], isInstant: logical.isAdjustedToUTC }
        : undefined;
    case 'INTEGER': {
      const bits = [8, 16, 32, 64].find((width) => width === logical.bitWidth) as 8 | 16 | 32 | 64 | undefined;
      if (!isInteger || !bits || (bits === 64 && type === 'INT32')) return undefined;
      return { kind: 'integer', bits: type === 'INT64' ? 64 : bits, isSigned: logical.isSigned };
    }
    case 'NULL':
      return { kind: 'null' };
    case 'UUID':
      return type === 'FIXED_LEN_BYTE_ARRAY' && length === UUID_BYTES ? { kind: 'uuid' } : undefined;
    case 'FLOAT16':
      return type === 'FIXED_LEN_BYTE_ARRAY' && length === 2 ? { kind: 'float', bits: 16 } : undefined;
    case 'INTERVAL':
    case 'unknown':
      if (element.converted_type === 'INTERVAL' && length === INTERVAL_BYTES) return { kind: 'interval' };
      return isBytes ? bytes(element) : undefined;
    case 'BSON':
    case 'GEOMETRY':
    case 'GEOGRAPHY':
      return isBytes ? bytes(element) : undefined;
    default:
      return undefined;
  }
}

/** The logical type of an older annotation. Its timestamps are read as wall-clock times, as pyarrow and arrow-rs do. */
function fromConverted({ converted_type: converted, scale, precision }: SchemaElement): LogicalType | undefined {
  const integer = /^(U?)INT_(8|16|32|64)$/.exec(converted ?? '');
  if (integer) return { type: 'INTEGER', bitWidth: Number(integer[2]), isSigned: integer[1] === '' };
  switch (converted) {
    case undefined:
      return undefined;
    case 'UTF8':
      return { type: 'STRING' };
    case 'DECIMAL':
      return { type: 'DECIMAL', scale: scale ?? 0, precision: precision ?? 0 };
    case 'TIME_MILLIS':
    case 'TIMESTAMP_MILLIS':
      return { type: converted === 'TIME_MILLIS' ? 'TIME' : 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MILLIS' };
    case 'TIME_MICROS':
    case 'TIMESTAMP_MICROS':
      return { type: converted === 'TIME_MICROS' ? 'TIME' : 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MICROS' };
    default:
      // ENUM, DATE, JSON and BSON have the names of their logical types; INTERVAL has no logical type.
      return { type: converted };
  }
}
