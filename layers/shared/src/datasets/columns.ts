/** The columns that a mapping names, without those that only its patterns mean. */
import type { DatasetMapping } from './mapping';
import { singleFields, singleTags } from './mapping-rules';

/** The columns that every file of this dataset must have. */
export function requiredColumns({ measurement, time, tags, fields, required }: DatasetMapping): string[] {
  return [
    ...new Set([
      time.column,
      ...(typeof measurement === 'string' ? [] : [measurement.column]),
      ...singleTags(tags.required).map(({ column }) => column),
      ...singleFields(fields).flatMap((field) => (field.required ? [field.column] : [])),
      ...required,
    ]),
  ];
}

/** Every column that the mapping names, the required ones first. */
export function explicitColumns(mapping: DatasetMapping): string[] {
  const tags = singleTags(mapping.tags.optional).map(({ column }) => column);
  const fields = singleFields(mapping.fields).flatMap(({ column, named }) => (named ? [column, named.by] : [column]));
  return [...new Set([...requiredColumns(mapping), ...tags, ...fields, ...Object.keys(mapping.expect ?? {})])];
}

/** The problem of a required column that has no value in any row of a file, as a message reports it. */
export const noValueProblem = (column: string): string => `column ${column} has no value in any row`;
