/** Which columns of a file a mapping uses. */
import type { DatasetMapping } from './mapping';

/** The columns that every file of this dataset must have. */
export function requiredColumns(mapping: DatasetMapping): string[] {
  const fields = mapping.fields.filter(({ required }) => required).map(({ column }) => column);
  return [...new Set([mapping.time.column, ...mapping.tags.required, ...fields, ...mapping.required])];
}

/** Every column that the mapping reads; a file's other columns are not read. */
export function mappedColumns(mapping: DatasetMapping): string[] {
  const fields = mapping.fields.flatMap(({ column, named }) => (named ? [column, named.by] : [column]));
  return [...new Set([...requiredColumns(mapping), ...mapping.tags.optional, ...fields])];
}

/** The problem of a required column that has no value in any row of a file, as a message reports it. */
export const noValueProblem = (column: string): string => `column ${column} has no value in any row`;
