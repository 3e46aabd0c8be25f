/** Plans the items of one file from its footer. If a field named by a unit and a column may have the same name, it reads the units too. */
import { BUILT_IN_MAPPINGS } from '../datasets/built-in';
import { explicitColumns, noValueProblem } from '../datasets/columns';
import { type Detection, detectDataset, WORKFLOW_ADVICE } from '../datasets/detect';
import type { DatasetMapping } from '../datasets/mapping';
import { type PartitionColumns, suppliedColumns } from '../datasets/partitions';
import { resolveMapping, unmatchedPatterns } from '../datasets/resolve';
import { DataConversionError } from '../errors';
import { type ColumnInfo, columnNames, emptyColumns, type ParquetMetadata } from '../parquet/metadata';
import { type PlanTargets, planRuns, planWhole, type RowGroupRun } from '../parquet/plan';
import type { ParquetReader } from '../parquet/reader';
import { absentColumns, columnProblems, contestedNames, missingColumns } from '../points/schema';
import type { ObjectStore, ObjectVersion } from './objects';
import type { AbsentColumn, PlanItem } from './plan-item';

/** Maximum number of columns in a message. */
const MAX_NAMES = 30;

export interface FilePlanner {
  readonly objects: ObjectStore;
  readonly reader: Pick<ParquetReader, 'inspect' | 'survey'>;
  readonly mappings: readonly DatasetMapping[];
  readonly detection?: Detection;
  /** Whether a file fails if a required column is missing, has a wrong type or has no value at all. */
  readonly validateSchema: boolean;
  /** Target size of an item; default: the target of the reader. */
  readonly targets?: PlanTargets;
}

/** The dataset mapping and the items of a file; a file without rows has no items. */
export interface FilePlan {
  readonly mapping: DatasetMapping;
  /** Rows of the file. */
  readonly rows: number;
  readonly items: readonly PlanItem[];
}

/** Divides a file into runs of row groups. */
type Divide = (metadata: ParquetMetadata, columns: readonly string[]) => RowGroupRun[];

/**
 * Plans the items of a file, in the order of its rows.
 * @param dataset of the load; null to detect it from the key
 * @throws DataConversionError if no dataset is detected from the key, the file cannot be read, or its columns do not fit the dataset
 */
export async function planFile(
  version: ObjectVersion,
  dataset: string | null,
  planner: FilePlanner,
  signal?: AbortSignal,
): Promise<FilePlan> {
  return await planMapped(version, detected(version, dataset, planner), planner, signal);
}

/** As planFile, with the mapping of the file. */
export function planMapped(
  version: ObjectVersion,
  mapping: DatasetMapping,
  planner: FilePlanner,
  signal?: AbortSignal,
): Promise<FilePlan> {
  const divide: Divide = (metadata, columns) => planRuns(metadata, columns, planner.targets);
  return divided(version, mapping, planner, divide, signal);
}

function detected(version: ObjectVersion, dataset: string | null, planner: FilePlanner): DatasetMapping {
  const name = planner.objects.nameOf(version);
  return detectDataset(version.key, planner.mappings, dataset ?? undefined, planner.detection, name);
}

async function divided(
  version: ObjectVersion,
  mapping: DatasetMapping,
  planner: FilePlanner,
  divide: Divide,
  signal?: AbortSignal,
): Promise<FilePlan> {
  const { objects, reader, validateSchema, detection } = planner;
  const partitions = suppliedColumns(objects.pathOf?.(version) ?? version.key, mapping);
  const source = await objects.open(version);
  try {
    const metadata = await reader.inspect(source, signal);
    const concrete = resolveMapping(mapping, columnNames(metadata), source.name);
    if (validateSchema) {
      const problems = columnProblems(metadata.columns, concrete, partitions, explicitColumns(mapping));
      const missing = missingColumns(metadata.columns, concrete, partitions);
      const about = missing.length > 0 ? [missingText(missing, metadata.columns, partitions, mapping, detection)] : [];
      const empty = emptyColumns(metadata, concrete.required).map(noValueProblem);
      throwIfAny(source.name, [...problems, ...about, ...empty]);
    }
    const runs = divide(metadata, concrete.columns);
    const isContested = runs.length > 0 && contestedNames(metadata.columns, concrete, partitions).length > 0;
    const survey = isContested
      ? await reader.survey(source, mapping, { partitions, ...(signal && { signal }) })
      : { taken: [], whollyNull: [] };
    if (validateSchema) throwIfAny(source.name, survey.whollyNull.map(noValueProblem));
    const file = { ...version, dataset: mapping.name, fileRows: metadata.rows, taken: [...survey.taken] };
    // Few files have all columns of a built-in mapping: for those only a similar name is worth a warning.
    const isBuiltIn = BUILT_IN_MAPPINGS.includes(mapping);
    const absent = [
      ...absentColumns(metadata.columns, concrete, partitions).filter(
        ({ similar }) => !isBuiltIn || similar !== undefined,
      ),
      ...unmatchedPatterns(mapping, columnNames(metadata)).map((column) => ({ column })),
    ];
    const items = runs.map((run, index) => ({ ...file, ...run, ...(index === 0 && absent.length > 0 && { absent }) }));
    return { mapping, rows: metadata.rows, items };
  } finally {
    await source.close();
  }
}

/**
 * Plans the whole file as one item. First checks that every required column has a value, so that no point is written of a file that fails.
 * @throws DataConversionError as planFile does
 */
export async function planWholeFile(
  version: ObjectVersion,
  dataset: string | null,
  planner: FilePlanner,
  signal?: AbortSignal,
): Promise<FilePlan> {
  const plan = await divided(version, detected(version, dataset, planner), planner, planWhole, signal);
  if (!planner.validateSchema || plan.items.length === 0 || plan.items.some(({ taken }) => taken.length > 0))
    return plan;
  const source = await planner.objects.open(version);
  try {
    const { whollyNull } = await planner.reader.survey(source, plan.mapping, {
      partitions: suppliedColumns(planner.objects.pathOf?.(version) ?? version.key, plan.mapping),
      ...(signal && { signal }),
    });
    throwIfAny(source.name, whollyNull.map(noValueProblem));
    return plan;
  } finally {
    await source.close();
  }
}

/** Names the required columns that a file lacks, and the columns that it has. */
function missingText(
  missing: readonly AbsentColumn[],
  columns: readonly ColumnInfo[],
  partitions: PartitionColumns,
  { name }: DatasetMapping,
  { advice = WORKFLOW_ADVICE }: Detection = {},
): string {
  const lacking = missing.map(
    ({ column, similar }) => `${column}${similar === undefined ? '' : ` (did you mean ${similar}?)`}`,
  );
  const names = columns.slice(0, MAX_NAMES).map((column) => column.name);
  const others = columns.length > MAX_NAMES ? ` and ${columns.length - MAX_NAMES} more` : '';
  const path = partitions.size > 0 ? `, its path ${[...partitions.keys()].join(', ')}` : '';
  return (
    `the file has no column ${lacking.join(', ')}, which the mapping "${name}" requires. ` +
    `It has: ${names.join(', ')}${others}${path}. ${advice.mapping} can map other columns`
  );
}

function throwIfAny(name: string, problems: readonly string[]): void {
  if (problems.length > 0) throw new DataConversionError(`${name}: ${problems.join(', ')}`, { object: name });
}
