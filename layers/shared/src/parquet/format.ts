/**
 * The structures of a Parquet file that are used, with the types that they must have.
 * Source: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
 */
import {
  advisory,
  bool,
  i32,
  i64,
  list,
  oneOf,
  optional,
  present,
  type Read,
  readStruct,
  required,
  string,
  struct,
  type ThriftInput,
  type Value,
} from './thrift';

const TYPES = ['BOOLEAN', 'INT32', 'INT64', 'INT96', 'FLOAT', 'DOUBLE', 'BYTE_ARRAY', 'FIXED_LEN_BYTE_ARRAY'] as const;
const REPETITIONS = ['REQUIRED', 'OPTIONAL', 'REPEATED'] as const;
const CONVERTED_TYPES = [
  ...(['UTF8', 'MAP', 'MAP_KEY_VALUE', 'LIST', 'ENUM', 'DECIMAL', 'DATE', 'TIME_MILLIS', 'TIME_MICROS'] as const),
  ...(['TIMESTAMP_MILLIS', 'TIMESTAMP_MICROS', 'UINT_8', 'UINT_16', 'UINT_32', 'UINT_64'] as const),
  ...(['INT_8', 'INT_16', 'INT_32', 'INT_64', 'JSON', 'BSON', 'INTERVAL'] as const),
] as const;
const CODECS = ['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'LZO', 'BROTLI', 'LZ4', 'ZSTD', 'LZ4_RAW'] as const;
/** Number 1 was never used. */
const ENCODINGS = [
  ...(['PLAIN', 'unknown', 'PLAIN_DICTIONARY', 'RLE', 'BIT_PACKED', 'DELTA_BINARY_PACKED'] as const),
  ...(['DELTA_LENGTH_BYTE_ARRAY', 'DELTA_BYTE_ARRAY', 'RLE_DICTIONARY', 'BYTE_STREAM_SPLIT'] as const),
] as const;
const PAGES = ['DATA_PAGE', 'INDEX_PAGE', 'DICTIONARY_PAGE', 'DATA_PAGE_V2'] as const;

export type ParquetType = (typeof TYPES)[number];
export type ConvertedType = (typeof CONVERTED_TYPES)[number];
export type Codec = Value<typeof codec>;
export type Encoding = Value<typeof encoding>;
export type SchemaElement = Value<typeof schemaElement>;
export type ColumnMetaData = Value<typeof columnMetaData>;
export type ColumnChunk = Value<typeof columnChunk>;
export type RowGroup = Value<typeof rowGroup>;
export type FileMetaData = Value<typeof fileMetaData>;
export type PageHeader = Value<typeof pageHeader>;
export type TimeUnit = 'MILLIS' | 'MICROS' | 'NANOS';

/** Type `unknown` is newer than this program, or is not valid. */
export type LogicalType =
  | { readonly type: 'DECIMAL'; readonly scale: number; readonly precision: number }
  | { readonly type: 'TIME' | 'TIMESTAMP'; readonly isAdjustedToUTC: boolean; readonly unit: TimeUnit }
  | { readonly type: 'INTEGER'; readonly bitWidth: number; readonly isSigned: boolean }
  | { readonly type: (typeof PLAIN_LOGICAL)[number] | Exclude<ConvertedType, 'DECIMAL'> | 'unknown' };

/**
 * Lengths of lists that no known file reaches: the widest files have 10,000 columns. They bound memory, as an element may take a hundred
 * times its bytes in the file.
 */
const MAX_SCHEMA_ELEMENTS = 100_000;
const MAX_ROW_GROUPS = 100_000;
const MAX_LEVELS = 100;
const MAX_ENCODINGS = 100;

const codec = oneOf(CODECS);
const encoding = oneOf(ENCODINGS);

const timeType = struct('TimeType', {
  isAdjustedToUTC: required(1, bool),
  unit: required(
    2,
    struct('TimeUnit', { MILLIS: optional(1, present), MICROS: optional(2, present), NANOS: optional(3, present) }),
  ),
});
const logicalUnion = struct('LogicalType', {
  STRING: optional(1, present),
  MAP: optional(2, present),
  LIST: optional(3, present),
  ENUM: optional(4, present),
  DECIMAL: optional(5, struct('DecimalType', { scale: required(1, i32), precision: required(2, i32) })),
  DATE: optional(6, present),
  TIME: optional(7, timeType),
  TIMESTAMP: optional(8, timeType),
  INTEGER: optional(10, struct('IntType', { bitWidth: required(1, i32), isSigned: required(2, bool) })),
  NULL: optional(11, present),
  JSON: optional(12, present),
  BSON: optional(13, present),
  UUID: optional(14, present),
  FLOAT16: optional(15, present),
  VARIANT: optional(16, present),
  GEOMETRY: optional(17, present),
  GEOGRAPHY: optional(18, present),
});
/** The members of the union that are types without parameters, or with parameters that are not used. */
const PLAIN_LOGICAL = [
  ...(['STRING', 'MAP', 'LIST', 'ENUM', 'DATE', 'NULL', 'JSON', 'BSON', 'UUID', 'FLOAT16'] as const),
  ...(['VARIANT', 'GEOMETRY', 'GEOGRAPHY'] as const),
] as const;

const logicalType: Read<LogicalType> = (input, type) => {
  const union = logicalUnion(input, type);
  if (union.DECIMAL) return { type: 'DECIMAL', ...union.DECIMAL };
  if (union.INTEGER) return { type: 'INTEGER', ...union.INTEGER };
  for (const name of ['TIME', 'TIMESTAMP'] as const) {
    const time = union[name];
    const unit = (['MILLIS', 'MICROS', 'NANOS'] as const).find((each) => time?.unit[each]);
    if (time && unit) return { type: name, isAdjustedToUTC: time.isAdjustedToUTC, unit };
  }
  return { type: PLAIN_LOGICAL.find((name) => union[name]) ?? 'unknown' };
};

const schemaElement = struct('SchemaElement', {
  type: optional(1, oneOf(TYPES)),
  type_length: optional(2, i32),
  repetition_type: optional(3, oneOf(REPETITIONS)),
  name: required(4, string),
  num_children: optional(5, i32),
  converted_type: optional(6, oneOf(CONVERTED_TYPES)),
  scale: optional(7, i32),
  precision: optional(8, i32),
  logical_type: optional(10, logicalType),
});

const statistics = struct('Statistics', {
  max: optional(1, present),
  min: optional(2, present),
  null_count: optional(3, i64),
  distinct_count: optional(4, i64),
  max_value: optional(5, present),
  min_value: optional(6, present),
});

/** Only the count of nulls is kept, as there are many chunks; undefined beside the maximum, minimum or count of values. */
const nullCount: Read<number | undefined> = (input, type) => {
  const { null_count, distinct_count = 0, max, min, max_value, min_value } = statistics(input, type);
  return distinct_count !== 0 || max || min || max_value || min_value ? undefined : null_count;
};

const columnMetaData = struct('ColumnMetaData', {
  type: required(1, oneOf(TYPES)),
  encodings: required(2, list(encoding, MAX_ENCODINGS)),
  path_in_schema: required(3, list(string, MAX_LEVELS)),
  codec: required(4, codec),
  num_values: optional(5, advisory(i64)),
  total_uncompressed_size: required(6, i64),
  total_compressed_size: required(7, i64),
  data_page_offset: required(9, i64),
  dictionary_page_offset: optional(11, i64),
  /** Of its statistics, if they describe no value. */
  null_count: optional(12, advisory(nullCount)),
});

const columnChunk = struct('ColumnChunk', {
  file_path: optional(1, string),
  meta_data: optional(3, columnMetaData),
  crypto_metadata: optional(8, present),
  encrypted_column_metadata: optional(9, present),
});

const rowGroup = struct('RowGroup', { columns: required(1, list(columnChunk)), num_rows: required(3, i64) });

const fileMetaData = struct('FileMetaData', {
  schema: required(2, list(schemaElement, MAX_SCHEMA_ELEMENTS)),
  num_rows: required(3, i64),
  row_groups: required(4, list(rowGroup, MAX_ROW_GROUPS)),
  created_by: optional(6, advisory(string)),
});

const dataPageHeader = struct('DataPageHeader', { num_values: required(1, i32), encoding: optional(2, encoding) });
const dataPageHeaderV2 = struct('DataPageHeaderV2', { num_values: required(1, i32), encoding: optional(4, encoding) });
const dictionaryPageHeader = struct('DictionaryPageHeader', { num_values: required(1, i32) });

const pageHeader = struct('PageHeader', {
  type: required(1, oneOf(PAGES)),
  uncompressed_page_size: required(2, i32),
  compressed_page_size: required(3, i32),
  crc: optional(4, i32),
  data_page_header: optional(5, dataPageHeader),
  dictionary_page_header: optional(7, dictionaryPageHeader),
  data_page_header_v2: optional(8, dataPageHeaderV2),
});

/**
 * @param bytes that begin with a footer
 * @throws ThriftError for bytes that are not a footer
 */
export function readFileMetaData(bytes: Uint8Array): FileMetaData {
  return readStruct(fileMetaData, { bytes, offset: 0 });
}

/**
 * Reads the header of the page at `offset` and moves `offset` to the page's body.
 * @throws ThriftError where there is no page header
 */
export function readPageHeader(input: ThriftInput): PageHeader {
  return readStruct(pageHeader, input);
}
