/** Which columns of a file a mapping is about. */
import type { DatasetMapping } from './mapping';

/** The columns without which a file is not of this dataset. */
export function requiredColumns(mapping: DatasetMapping): string[] {
  const fields = mapping.fields.filter(({ required }) => required).map(({ column }) => column);
  return [...new Set([mapping.time.column, ...mapping.tags.required, ...fields, ...mapping.required])];
}

/** Every column that the mapping reads, so that the rest of a file stays unread. */
export function mappedColumns(mapping: DatasetMapping): string[] {
  const fields = mapping.fields.flatMap(({ column, named }) => (named ? [column, named.by] : [column]));
  return [...new Set([...requiredColumns(mapping), ...mapping.tags.optional, ...fields])];
}

/** The problem of a required column that has no value in any row of a file, as a message reports it. */
export const noValueProblem = (column: string): string => `column ${column} has no value in any row`;
