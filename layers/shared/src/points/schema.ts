/** Whether a file's columns are what a mapping needs. */
import { mappedColumns, requiredColumns } from '../datasets/columns';
import type { DatasetMapping, FieldMapping } from '../datasets/mapping';
import { NO_PARTITIONS, type PartitionColumns } from '../datasets/partitions';
import type { ColumnInfo } from '../parquet/metadata';
import { constantProblems, lackingColumns, withConstants } from './constants';
import { isNumberType } from './number-cells';
import { timeProblem } from './times';

/**
 * Problems of a file's columns: a required column that is missing or has an unusable value in the path, and every mapped column of an
 * unusable type. The latter also counts for optional columns: points without a tag or field that the file has would be wrong. Empty for
 * a file that fits.
 * @param partitions columns that the file's key supplies
 */
export function schemaProblems(
  columns: readonly ColumnInfo[],
  mapping: DatasetMapping,
  partitions: PartitionColumns = NO_PARTITIONS,
): string[] {
  const constants = lackingColumns(columns, partitions);
  const required = requiredColumns(mapping);
  const problems = mappedColumns(mapping).flatMap((name) => {
    if (constants.has(name)) return [];
    const info = columns.find((column) => column.name === name);
    const problem = info ? typeProblem(info, mapping) : required.includes(name) ? 'is missing' : undefined;
    return problem === undefined ? [] : [`column ${name} ${problem}`];
  });
  return [...problems, ...constantProblems(constants, mapping)];
}

/** The mapped columns of a type that does not fit their use in the mapping. */
export function unsuitedColumns(columns: readonly ColumnInfo[], mapping: DatasetMapping): ColumnInfo[] {
  const mapped = new Set(mappedColumns(mapping));
  return columns.filter((info) => mapped.has(info.name) && typeProblem(info, mapping) !== undefined);
}

/** The columns to read: mapped columns that the file has. */
export function columnsToRead(columns: readonly ColumnInfo[], mapping: DatasetMapping): string[] {
  const names = new Set(columns.map(({ name }) => name));
  return mappedColumns(mapping).filter((name) => names.has(name));
}

/**
 * Field names that both the unit's fields and a column of the file may use. Only for these names the file must be searched for units
 * before any point can be written.
 */
export function contestedNames(
  columns: readonly ColumnInfo[],
  mapping: DatasetMapping,
  partitions: PartitionColumns = NO_PARTITIONS,
): string[] {
  const all = withConstants(columns, partitions);
  const given = namedFields(columns, mapping, partitions).flatMap(({ names, otherwise }) => [
    ...Object.values(names),
    otherwise,
  ]);
  return mapping.fields
    .filter(({ named, column }) => !named && all.some(({ name }) => name === column))
    .map(({ name, column }) => name ?? column)
    .filter((name) => given.includes(name));
}

/** How the fields are named whose values the file or its key has, and whose name is the text of another column. */
export function namedFields(
  columns: readonly ColumnInfo[],
  mapping: DatasetMapping,
  partitions: PartitionColumns,
): NonNullable<FieldMapping['named']>[] {
  const names = new Set(withConstants(columns, partitions).map(({ name }) => name));
  return mapping.fields.flatMap(({ column, named }) => (named && names.has(column) ? [named] : []));
}

/** Continues the words "column NAME". Every column that can be read can be text. */
function typeProblem({ name, type, declared }: ColumnInfo, mapping: DatasetMapping): string | undefined {
  if (type.kind === 'unusable') return type.why;
  const isTime = name === mapping.time.column;
  const isNumber = mapping.fields.some((field) => field.type === 'number' && field.column === name);
  const problems = [
    isTime ? timeProblem(type, mapping.time.unit) : undefined,
    isNumber && !isNumberType(type) ? 'is not a number' : undefined,
  ];
  const problem = problems.find((each) => each !== undefined);
  return problem && `${problem} (it is ${declared})`;
}
