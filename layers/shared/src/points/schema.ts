/** Whether a file's columns are what a mapping needs. */
import { NO_PARTITIONS, type PartitionColumns } from '../datasets/partitions';
import type { ConcreteField, ConcreteMapping } from '../datasets/resolve';
import { similarNames } from '../datasets/similar';
import type { ColumnType } from '../parquet/column-type';
import type { ColumnInfo } from '../parquet/metadata';
import { constantProblems, lackingColumns, withConstants } from './constants';
import { encodingProblem, fieldProblem, textProblem } from './field-types';
import { listedNames } from './fields';
import { timeProblem } from './times';

/**
 * Problems of a file's columns: missing required columns, and the problems of columnProblems. Empty for a file that fits.
 * @param partitions columns that the file's key supplies
 */
export function schemaProblems(
  columns: readonly ColumnInfo[],
  mapping: ConcreteMapping,
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
  mapping: ConcreteMapping,
  partitions: PartitionColumns = NO_PARTITIONS,
): string[] {
  const constants = lackingColumns(columns, partitions);
  const infos = new Map(columns.map((info) => [info.name, info]));
  const typeProblem = typeProblems(mapping);
  const problems = mapping.columns.flatMap((name) => {
    if (constants.has(name)) return [];
    const info = infos.get(name);
    const problem = info && typeProblem(info);
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
  mapping: ConcreteMapping,
  partitions: PartitionColumns = NO_PARTITIONS,
): LackedColumn[] {
  return lackedOf(mapping.required, columns, mapping, partitions);
}

/** The optional columns that neither the file nor its path has. */
export function absentColumns(
  columns: readonly ColumnInfo[],
  mapping: ConcreteMapping,
  partitions: PartitionColumns = NO_PARTITIONS,
): LackedColumn[] {
  const required = new Set(mapping.required);
  const optional = mapping.columns.filter((name) => !required.has(name));
  return lackedOf(optional, columns, mapping, partitions);
}

function lackedOf(
  wanted: readonly string[],
  columns: readonly ColumnInfo[],
  mapping: ConcreteMapping,
  partitions: PartitionColumns,
): LackedColumn[] {
  const names = new Set(withConstants(columns, partitions).map(({ name }) => name));
  const mapped = new Set(mapping.columns);
  const similarTo = similarNames([...names].filter((name) => !mapped.has(name)));
  return wanted
    .filter((column) => !names.has(column))
    .map((column) => {
      const similar = similarTo(column);
      return { column, ...(similar !== undefined && { similar }) };
    });
}

/** The mapped columns of a type that does not fit their use in the mapping. */
export function unsuitedColumns(columns: readonly ColumnInfo[], mapping: ConcreteMapping): ColumnInfo[] {
  const mapped = new Set(mapping.columns);
  const typeProblem = typeProblems(mapping);
  return columns.filter((info) => mapped.has(info.name) && typeProblem(info) !== undefined);
}

/** The columns to read: mapped columns that the file has. */
export function columnsToRead(columns: readonly ColumnInfo[], mapping: ConcreteMapping): string[] {
  const names = new Set(columns.map(({ name }) => name));
  return mapping.columns.filter((name) => names.has(name));
}

/**
 * Field names that both the unit's fields and a column of the file may use. Only for these names the file must be searched for units
 * before any point can be written.
 */
export function contestedNames(
  columns: readonly ColumnInfo[],
  mapping: ConcreteMapping,
  partitions: PartitionColumns = NO_PARTITIONS,
): string[] {
  const all = new Set(withConstants(columns, partitions).map(({ name }) => name));
  const given = new Set(namedFields(columns, mapping, partitions).flatMap(listedNames));
  return mapping.fields
    .filter(({ named, column, key }) => !named && all.has(column) && given.has(key))
    .map(({ key }) => key);
}

/** How the fields are named by a list of names, whose values the file or its key has, and whose name is the text of another column. */
export function namedFields(
  columns: readonly ColumnInfo[],
  mapping: ConcreteMapping,
  partitions: PartitionColumns,
): NonNullable<ConcreteField['named']>[] {
  const names = new Set(withConstants(columns, partitions).map(({ name }) => name));
  return mapping.fields.flatMap(({ column, named }) =>
    named?.otherwise !== undefined && names.has(column) ? [named] : [],
  );
}

/** Finds why a column's type does not fit one of its uses in a mapping; the result continues the words "column NAME". */
function typeProblems(mapping: ConcreteMapping): (info: ColumnInfo) => string | undefined {
  const uses = new Map<string, ((type: ColumnType) => string | undefined)[]>();
  const use = (column: string, problem: (type: ColumnType) => string | undefined) =>
    uses.set(column, [...(uses.get(column) ?? []), problem]);
  use(mapping.time.column, (type) => timeProblem(type, mapping.time.unit));
  if (typeof mapping.measurement !== 'string') use(mapping.measurement.column, textProblem);
  for (const { column, encoding } of mapping.tags) use(column, encoding === undefined ? textProblem : encodingProblem);
  for (const field of mapping.fields) {
    use(field.column, (type) => fieldProblem(field, type));
    if (field.named) use(field.named.by, textProblem);
  }
  return ({ name, type, declared }) => {
    if (type.kind === 'unusable') return type.why;
    const problem = uses.get(name)?.flatMap((each) => each(type) ?? [])[0];
    return problem && `${problem} (it is ${declared})`;
  };
}
