/** The columns of a SELECT's result, with the names and types of Timestream. */
import type { DuckDBResult } from '@duckdb/node-api';
import { scalarType } from './sql-values';

export interface ColumnInfo {
  readonly Name: string;
  readonly Type: { readonly ScalarType: string };
}

/**
 * @param names by DuckDB's names; Timestream calls any other column `_col<n>`
 * @throws ValidationException for a column of a type that is not scalar
 */
export const columnsOf = (result: DuckDBResult, names: ReadonlyMap<string, string>): readonly ColumnInfo[] =>
  result.columnNames().map((name, i) => ({
    Name: names.get(name) ?? `_col${i}`,
    Type: { ScalarType: scalarType(name, result.columnType(i)) },
  }));
