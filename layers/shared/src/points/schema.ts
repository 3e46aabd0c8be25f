/** Whether a file's columns are what a mapping needs. */
import { mappedColumns, requiredColumns } from '../datasets/columns';
import type { DatasetMapping } from '../datasets/mapping';
import { NO_PARTITIONS, type PartitionColumns } from '../datasets/partitions';
import type { ColumnInfo } from '../parquet/metadata';
import { constantProblems, lackingColumns, withConstants } from './constants';
import { isNumberColumn } from './numbers';
import { isTextColumn } from './text-ids';
import { timeProblem } from './times';

/**
 * What is wrong with the columns that every file of this dataset must have: missing ones, and ones of a type, or with a value in the
 * path, that cannot serve. Empty for a file that fits.
 * @param partitions columns that the file's key supplies
 */
export function schemaProblems(
  columns: readonly ColumnInfo[],
  mapping: DatasetMapping,
  partitions: PartitionColumns = NO_PARTITIONS,
): string[] {
  const constants = lackingColumns(columns, partitions);
  const problems = requiredColumns(mapping).flatMap((name) => {
    if (constants.has(name)) return [];
    const info = columns.find((column) => column.name === name);
    const problem = info ? typeProblem(info, mapping) : 'is missing';
    return problem === undefined ? [] : [`column ${name} ${problem}`];
  });
  return [...problems, ...constantProblems(constants, mapping)];
}

/** The mapped columns whose type does not suit what the mapping wants of them. */
export function unsuitedColumns(columns: readonly ColumnInfo[], mapping: DatasetMapping): ColumnInfo[] {
  const mapped = new Set(mappedColumns(mapping));
  return columns.filter((info) => mapped.has(info.name) && typeProblem(info, mapping) !== undefined);
}

/** The mapped columns that the file has: those to read. */
export function columnsToRead(columns: readonly ColumnInfo[], mapping: DatasetMapping): string[] {
  const names = new Set(columns.map(({ name }) => name));
  return mappedColumns(mapping).filter((name) => names.has(name));
}

/**
 * Names that the unit's fields may take and that a column of the file has as its own field: only for these must the file be searched
 * for units before any point can be written.
 */
export function contestedNames(
  columns: readonly ColumnInfo[],
  mapping: DatasetMapping,
  partitions: PartitionColumns = NO_PARTITIONS,
): string[] {
  const all = withConstants(columns, partitions);
  const given = mapping.fields.flatMap(({ named }) => (named ? [...Object.values(named.names), named.otherwise] : []));
  return mapping.fields
    .filter(({ named, column }) => !named && all.some(({ name }) => name === column))
    .map(({ name, column }) => name ?? column)
    .filter((name) => given.includes(name));
}

function typeProblem(info: ColumnInfo, mapping: DatasetMapping): string | undefined {
  const { name, format } = info;
  if (name === mapping.time.column) return withType(timeProblem(info, mapping.time.unit), format);
  const isNumber = mapping.fields.some(({ type, column }) => type === 'number' && column === name);
  if (isNumber) return isNumberColumn(info) ? undefined : withType('is not a number', format);
  return isTextColumn(info) ? undefined : withType('is not text', format);
}

function withType(problem: string | undefined, format: string): string | undefined {
  return problem && `${problem} (Arrow type ${format})`;
}
