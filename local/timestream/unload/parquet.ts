/**
 * Result files in Parquet, with a row group per batch of rows. Every column is optional; timestamps are INT96, as in the service's files.
 * With GZIP the pages are compressed.
 */
import { gzipSync } from 'node:zlib';
import {
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import type { SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { validationError } from '../errors';
import type { ColumnInfo } from '../sql-select';
import { datum } from '../sql-values';
import type { ResultFormat } from './result-file';
import type { UnloadStatement } from './statement';

type Physical = Pick<SchemaElement, 'type' | 'type_length' | 'converted_type'>;
type Value = string | number | bigint | boolean | Uint8Array;

interface ParquetType {
  readonly physical: Physical;
  readonly convert: (value: Exclude<DuckDBValue, null>) => Value;
}

const NS_PER_DAY = 86_400_000_000_000n;
const JULIAN_DAY_OF_1970 = 2_440_588n;
/** The writer has no INT96, but its plain pages are those of 12 bytes of fixed length: only the footer differs. */
const INT96: Physical = { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 12 };

/** Nanoseconds of the day, then the Julian day, both little-endian. @param ns since 1970 */
function int96(ns: bigint): Uint8Array {
  const ofDay = ((ns % NS_PER_DAY) + NS_PER_DAY) % NS_PER_DAY;
  const bytes = Buffer.alloc(12);
  bytes.writeBigInt64LE(ofDay);
  bytes.writeInt32LE(Number((ns - ofDay) / NS_PER_DAY + JULIAN_DAY_OF_1970), 8);
  return bytes;
}

function nanoseconds(value: DuckDBValue): bigint {
  if (value instanceof DuckDBTimestampNanosecondsValue) return value.nanos;
  if (value instanceof DuckDBTimestampValue) return value.micros * 1000n;
  throw new TypeError(`${value} is not a timestamp`);
}

const TYPES: Readonly<Record<string, ParquetType>> = {
  BIGINT: {
    physical: { type: 'INT64' },
    convert: (value) => {
      const integer = BigInt(String(value));
      if (BigInt.asIntN(64, integer) !== integer) throw validationError(`UNLOAD: ${integer} is not a BIGINT.`);
      return integer;
    },
  },
  INTEGER: { physical: { type: 'INT32' }, convert: Number },
  DOUBLE: {
    physical: { type: 'DOUBLE' },
    convert: (value) => (value instanceof DuckDBDecimalValue ? value.toDouble() : Number(value)),
  },
  BOOLEAN: { physical: { type: 'BOOLEAN' }, convert: (value) => value === true },
  TIMESTAMP: { physical: INT96, convert: (value) => int96(nanoseconds(value)) },
  DATE: {
    physical: { type: 'INT32', converted_type: 'DATE' },
    convert: (value) => (value instanceof DuckDBDateValue ? value.days : Number(value)),
  },
};

/** Other types are text, as in a result of Query. */
const textOf = (scalar: string): ParquetType => ({
  physical: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  convert: (value) => {
    if (typeof value === 'string') return value;
    const cell = datum(value, scalar);
    return 'ScalarValue' in cell ? cell.ScalarValue : '';
  },
});

export function parquetFormat(
  columns: readonly ColumnInfo[],
  { compression }: Pick<UnloadStatement, 'compression'>,
): ResultFormat {
  const types = columns.map(({ Name, Type: { ScalarType } }) => ({
    name: Name,
    ...(TYPES[ScalarType] ?? textOf(ScalarType)),
  }));
  return {
    extension: '.parquet',
    open: (sink) => {
      const bytes = new ByteWriter();
      const parquet = new ParquetWriter({
        writer: bytes,
        schema: [
          { name: 'schema', num_children: types.length },
          ...types.map(({ name, physical }) => ({ name, repetition_type: 'OPTIONAL' as const, ...physical })),
        ],
        codec: compression === 'GZIP' ? 'GZIP' : 'UNCOMPRESSED',
        compressors: { GZIP: (page) => gzipSync(page, { level: 1 }) },
      });
      const drain = async () => {
        const written = new Uint8Array(bytes.buffer.slice(0, bytes.index));
        bytes.index = 0;
        await sink(written);
      };
      return Promise.resolve({
        add: async (values) => {
          const columnData = types.map(({ name, physical, convert }, i) => ({
            name,
            data: (values[i] ?? []).map((value) => (value === null ? null : convert(value))),
            // The format defines no order of INT96, so that it has no minimum and maximum.
            ...(physical === INT96 && { encoding: 'PLAIN' as const, statistics: false }),
          }));
          await parquet.write({ columnData, rowGroupSize: values[0]?.length ?? 0 });
          await drain();
        },
        end: async () => {
          declareInt96(parquet);
          await parquet.finish();
          await drain();
        },
      });
    },
  };
}

/** Gives the columns of 12 bytes their type in the footer ([why](../../../docs/adr/int96-in-exports.md)). */
function declareInt96(parquet: ParquetWriter): void {
  parquet.schema = parquet.schema.map((element) => {
    if (element.type !== INT96.type) return element;
    const { type_length: _, ...rest } = element;
    return { ...rest, type: 'INT96' };
  });
  for (const { meta_data } of parquet.row_groups.flatMap(({ columns }) => columns)) {
    if (meta_data !== undefined && meta_data.type === INT96.type) meta_data.type = 'INT96';
  }
}
