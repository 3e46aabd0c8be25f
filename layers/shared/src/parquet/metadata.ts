/** The content of a Parquet file's footer, as plain data. */
import type { ColumnType } from './column-type';
import type { Codec, Encoding, ParquetType } from './format';

export interface ParquetMetadata {
  /** Sum over all row groups: a footer's own count is not trusted. */
  readonly rows: number;
  /** Flat columns, structs, columns of structs as `a.b`, lists and maps, each name once. */
  readonly columns: readonly ColumnInfo[];
  readonly rowGroups: readonly RowGroupInfo[];
}

export interface ColumnInfo {
  readonly name: string;
  readonly type: ColumnType;
  /** As the file declares it, for messages: `INT64 TIMESTAMP(MICROS)`. */
  readonly declared: string;
  readonly stored: Storage;
}

/** How a column's values are stored, whatever their logical type. */
export interface Storage {
  readonly type: ParquetType;
  /** Bytes of a FIXED_LEN_BYTE_ARRAY. */
  readonly length: number | undefined;
  /** Whether a row may have no value, also because a struct above the column is null. */
  readonly isOptional: boolean;
  /** Optional elements above an optional column; 0 by default. */
  readonly depth?: number;
}

export interface RowGroupInfo {
  readonly rows: number;
  /** By column name, for the columns that can be used. A column without a chunk has no value in any of the rows. */
  readonly chunks: ReadonlyMap<string, ChunkInfo>;
}

export type KnownCodec = Exclude<Codec, 'unknown' | 'LZO'>;
export type KnownEncoding = Exclude<Encoding, 'unknown'>;

/** The part of a column in one row group. */
export interface ChunkInfo {
  /** Its first byte in the file. */
  readonly start: number;
  /** Bytes in the file, and bytes once decompressed (still encoded). */
  readonly compressed: number;
  readonly uncompressed: number;
  readonly codec: KnownCodec;
  readonly encodings: readonly KnownEncoding[];
  /** Bytes of `compressed` that may lie behind the last page; 0 by default. */
  readonly padding?: number;
}

/** The bytes of some columns of a row group, in the file. */
export function bytesOf(rowGroup: RowGroupInfo, columns: readonly string[]): number {
  return columns.reduce((sum, column) => sum + (rowGroup.chunks.get(column)?.compressed ?? 0), 0);
}

/** The given columns of the file that have no value in any row, as its footer alone tells; empty for a file without rows. */
export function emptyColumns({ rows, columns, rowGroups }: ParquetMetadata, names: readonly string[]): string[] {
  const usable = new Set(columns.filter(({ type }) => type.kind !== 'unusable').map(({ name }) => name));
  if (rows === 0) return [];
  return names.filter(
    (name) => usable.has(name) && !rowGroups.some((group) => group.rows > 0 && group.chunks.has(name)),
  );
}

/** The names that a pattern of columns can mean: all but structs, whose columns are columns of their own. */
export function columnNames({ columns }: Pick<ParquetMetadata, 'columns'>): string[] {
  return columns.flatMap(({ name, type }) => (type.kind === 'unusable' && type.isStruct ? [] : [name]));
}
