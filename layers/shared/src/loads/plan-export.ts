/** Plans the files of an export: checks each against its manifest, and names the mapping of its table. */
import { DataConversionError, InvalidEventError } from '../errors';
import { exportMapping, unknownNames } from '../exports/export-mapping';
import type { ExportOptions } from '../exports/options';
import { type ExportReading, loadReading, readingName, saveReading } from '../exports/reading';
import { type ExportFile, type ExportQuery, surveyExport } from '../exports/survey';
import { tableOf } from '../exports/table';
import type { ExportTables } from './export-tables';
import { saveExportTables } from './export-tables';
import { type ObjectRef, type ObjectStore, type ObjectVersion, parseS3Folder } from './objects';
import { type FilePlan, type FilePlanner, planMapped } from './plan-file';
import type { ExportPart } from './plan-item';
import { workKey } from './work-keys';

/** A file of the export, or a manifest that cannot be read. */
export interface ExportCandidate {
  readonly ref: ObjectRef;
  readonly version: ObjectVersion | undefined;
  /** Undefined if its mapping is unknown. */
  readonly part: ExportPart | undefined;
  /** Why it cannot be loaded, if that is known already. */
  readonly cause: string | undefined;
}

export interface ExportPlan {
  readonly candidates: readonly ExportCandidate[];
  readonly ignored: number;
}

/**
 * Surveys an export, and writes the mappings of its tables and their manifests' sums to the work bucket.
 * @throws InvalidEventError for an export without a manifest, a table without a name, and options that name no column
 */
export async function planExport(
  loadId: string,
  { export: folder, options }: { readonly export: string; readonly options: ExportOptions },
  { objects, workBucket }: { readonly objects: ObjectStore; readonly workBucket: string },
): Promise<ExportPlan> {
  const survey = await surveyExport(parseS3Folder(folder), objects);
  const unknown = unknownNames(survey.queries, options);
  if (unknown.length > 0 && survey.queries.some(({ columns }) => columns)) {
    throw new InvalidEventError(`options: no column of the export is named ${unknown.join(', ')}`);
  }

  const tables = new Map<string, ExportTables[string]>();
  const readings = new Map<ExportQuery, { table: string; mapping: ObjectRef } | { table: string; cause: string }>();
  const saved = new Set<string>();
  for (const query of survey.queries) {
    const table = tableOf(query.folder, options.measurement);
    const sums = tables.get(table) ?? { queries: 0, files: 0, rows: 0, leftOut: [] };
    tables.set(table, sums);
    sums.queries += 1;
    try {
      const { leftOut, ...reading } = readingOf(table, query, options);
      sums.leftOut = [...new Set([...sums.leftOut, ...leftOut])];
      const mapping = { bucket: workBucket, key: workKey(loadId, readingName(reading)) };
      if (!saved.has(mapping.key)) await saveReading(mapping, reading, objects);
      saved.add(mapping.key);
      readings.set(query, { table, mapping });
    } catch (error) {
      if (!(error instanceof DataConversionError)) throw error;
      readings.set(query, { table, cause: error.message });
    }
  }

  const candidates = survey.files.map((file): ExportCandidate => {
    const found = readings.get(file.query);
    const table = found && tables.get(found.table);
    if (table) {
      table.files += 1;
      table.rows += file.rows;
    }
    const cause = found && 'cause' in found ? found.cause : undefined;
    return { ref: refOf(file), version: file.version, part: found && partOf(file, found), cause };
  });
  await saveExportTables({ bucket: workBucket, loadId }, Object.fromEntries(tables), objects);
  const unreadable = survey.problems.map(({ cause, ...ref }) => ({ ref, version: undefined, part: undefined, cause }));
  return { candidates: [...candidates, ...unreadable], ignored: survey.ignored };
}

const refOf = ({ bucket, key }: ObjectRef): ObjectRef => ({ bucket, key });

function partOf(
  { query: { folder, id }, size, rows }: ExportFile,
  found: { table: string; mapping?: ObjectRef },
): ExportPart | undefined {
  const { table, mapping } = found;
  return mapping && { table, query: folder === '' ? id : `${folder}/${id}`, mapping, size, rows };
}

function readingOf(
  table: string,
  { columns, partitions, format, id }: ExportQuery,
  options: ExportOptions,
): ExportReading & { leftOut: readonly string[] } {
  if (!columns) {
    throw new DataConversionError(
      `its types are unknown, because ${id}_metadata.json does not exist: copy it too, or export again`,
    );
  }
  const { mapping, leftOut } = exportMapping(table, { columns, partitions, format }, options);
  const inFile = columns.map(({ name }) => name).filter((name) => !partitions.has(name));
  return { mapping, csv: format === 'CSV' ? { columns: inFile, ...options.csv } : null, leftOut };
}

/**
 * Plans the items of a file, which must have the size and the rows in its manifest. The rows of a CSV file are counted when it is loaded.
 * @throws DataConversionError if the file does not exist, differs from its manifest, cannot be read, or its columns do not fit
 */
export async function planExportFile(
  ref: ObjectRef,
  version: ObjectVersion | undefined,
  part: ExportPart,
  planner: FilePlanner,
  signal?: AbortSignal,
): Promise<FilePlan> {
  const name = planner.objects.nameOf(ref);
  const fail = (text: string): never => {
    throw new DataConversionError(`${name} ${text}. Copy the whole export again, or export again`, { object: name });
  };
  if (!version) return fail('does not exist, but its manifest lists it');
  if (version.size !== part.size) return fail(`has ${version.size} bytes, but its manifest says ${part.size}`);
  const { mapping, csv } = await loadReading(part.mapping, planner.objects);
  if (csv) {
    const run = { firstRowGroup: 0, rowGroups: 1, firstRow: 0, rows: part.rows, bytes: version.size };
    const item = { ...version, dataset: part.table, fileRows: part.rows, taken: [], ...run, export: part };
    return { mapping, rows: part.rows, items: part.rows === 0 ? [] : [item] };
  }
  const plan = await planMapped(version, mapping, planner, signal);
  if (plan.rows !== part.rows) return fail(`has ${plan.rows} rows, but its manifest says ${part.rows}`);
  return { ...plan, items: plan.items.map((item) => ({ ...item, dataset: part.table, export: part })) };
}
