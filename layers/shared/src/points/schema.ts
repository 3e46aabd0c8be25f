/** Whether a file's columns are what a mapping needs. */
import { BUILT_IN_MAPPINGS } from '../datasets/built-in';
import { mappedColumns, requiredColumns } from '../datasets/columns';
import type { DatasetMapping, FieldMapping } from '../datasets/mapping';
import { NO_PARTITIONS, type PartitionColumns } from '../datasets/partitions';
import { similarName } from '../datasets/similar';
import type { ColumnInfo } from '../parquet/metadata';
import { constantProblems, lackingColumns, withConstants } from './constants';
import { isNumberType } from './number-cells';
import { timeProblem } from './times';

/**
 * Problems of a file's columns: missing required columns, and the problems of columnProblems. Empty for a file that fits.
 * @param partitions columns that the file's key supplies
 */
export function schemaProblems(
  columns: readonly ColumnInfo[],
  mapping: DatasetMapping,
  partitions: PartitionColumns = NO_PARTITIONS,
): string[] {
  const missing = missingColumns(columns, mapping, partitions).map(({ column }) => `column ${column} is missing`);
  return [...missing, ...columnProblems(columns, mapping, partitions)];
}

/**
 * Problems of the columns that a file has: a required column with an unusable value in the path, and every mapped column of an unusable
 * type. The latter also counts for optional columns: points without a tag or field that the file has would be wrong.
 * @param partitions columns that the file's key supplies
 */
export function columnProblems(
  columns: readonly ColumnInfo[],
  mapping: DatasetMapping,
  partitions: PartitionColumns = NO_PARTITIONS,
): string[] {
  const constants = lackingColumns(columns, partitions);
  const problems = mappedColumns(mapping).flatMap((name) => {
    if (constants.has(name)) return [];
    const info = columns.find((column) => column.name === name);
    const problem = info && typeProblem(info, mapping);
    return problem === undefined ? [] : [`column ${name} ${problem}`];
  });
  return [...problems, ...constantProblems(constants, mapping)];
}

/** A mapped column that a file lacks, and the name in the file that it may mean. */
export interface LackedColumn {
  readonly column: string;
  readonly similar?: string;
}

/** The required columns that neither the file nor its path has. */
export function missingColumns(
  columns: readonly ColumnInfo[],
  mapping: DatasetMapping,
  partitions: PartitionColumns = NO_PARTITIONS,
): LackedColumn[] {
  return lackedOf(requiredColumns(mapping), columns, mapping, partitions);
}

/**
 * The optional columns that neither the file nor its path has. Few files have all columns of a built-in mapping, so for those only columns
 * with a similar name in the file are returned.
 */
export function absentColumns(
  columns: readonly ColumnInfo[],
  mapping: DatasetMapping,
  partitions: PartitionColumns = NO_PARTITIONS,
): LackedColumn[] {
  const required = requiredColumns(mapping);
  const optional = mappedColumns(mapping).filter((name) => !required.includes(name));
  const isBuiltIn = BUILT_IN_MAPPINGS.includes(mapping);
  return lackedOf(optional, columns, mapping, partitions).filter(({ similar }) => !isBuiltIn || similar !== undefined);
}

function lackedOf(
  wanted: readonly string[],
  columns: readonly ColumnInfo[],
  mapping: DatasetMapping,
  partitions: PartitionColumns,
): LackedColumn[] {
  const names = withConstants(columns, partitions).map(({ name }) => name);
  const mapped = mappedColumns(mapping);
  const unused = names.filter((name) => !mapped.includes(name));
  return wanted
    .filter((column) => !names.includes(column))
    .map((column) => {
      const similar = similarName(column, unused);
      return { column, ...(similar !== undefined && { similar }) };
    });
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

/** Continues the words "column NAME". Every column that can be read can be text, except bytes. */
function typeProblem({ name, type, declared }: ColumnInfo, mapping: DatasetMapping): string | undefined {
  if (type.kind === 'unusable') return type.why;
  if (type.kind === 'bytes') return `is ${declared}: its bytes are not text`;
  const isTime = name === mapping.time.column;
  const isNumber = mapping.fields.some((field) => field.type === 'number' && field.column === name);
  const problems = [
    isTime ? timeProblem(type, mapping.time.unit) : undefined,
    isNumber && !isNumberType(type) ? 'is not a number' : undefined,
  ];
  const problem = problems.find((each) => each !== undefined);
  return problem && `${problem} (it is ${declared})`;
}
