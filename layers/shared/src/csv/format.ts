/** The format of a CSV file. The file itself does not describe it. */
import type { ColumnInfo } from '../parquet/metadata';

export interface CsvFormat {
  /** The names of the file's columns, in order. */
  readonly columns: readonly string[];
  readonly delimiter: string;
  readonly escape: string;
}

/** The columns of a CSV file: text that may be NULL. */
export function csvColumns({ columns }: CsvFormat): ColumnInfo[] {
  const stored = { type: 'BYTE_ARRAY', length: undefined, isOptional: true } as const;
  return columns.map((name) => ({ name, type: { kind: 'text' }, declared: 'text', stored }));
}
