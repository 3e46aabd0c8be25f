/** What a Parquet file's footer says, as plain data. */

export interface ParquetMetadata {
  readonly rows: number;
  readonly createdBy: string | undefined;
  readonly columns: readonly ColumnInfo[];
  readonly rowGroups: readonly RowGroupInfo[];
}

/** A top-level column. */
export interface ColumnInfo {
  readonly name: string;
  /** Its Arrow type, in the notation of https://arrow.apache.org/docs/format/CDataInterface.html#format-strings */
  readonly format: string;
  /** A dictionary's values' type, where `format` is the type of its indices. */
  readonly dictionary?: string;
}

export interface RowGroupInfo {
  readonly rows: number;
  /** Per column name: bytes in the file, and bytes once decompressed (still encoded). A nested column counts as one. */
  readonly compressed: Readonly<Record<string, number>>;
  readonly uncompressed: Readonly<Record<string, number>>;
}

/** The bytes of some columns of a row group, in the file. */
export function bytesOf(rowGroup: RowGroupInfo, columns: readonly string[]): number {
  return columns.reduce((sum, column) => sum + (rowGroup.compressed[column] ?? 0), 0);
}
