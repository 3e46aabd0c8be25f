/** The step Load: the exported windows that are not loaded, as inputs of nested loads, and the record of each of them. */
import { z } from 'zod';
import { JsonLines } from '../loads/json-lines';
import type { ObjectRef } from '../loads/objects';
import { type Summary, summarySchema } from '../loads/summary';
import { validate } from '../validation';
import { exportOptions } from './fields';
import { isLoaded, Ledger, type LedgerEntry } from './ledger';
import type { Loaded, Migration, TableSurvey, WindowRecord } from './records';
import type { MigrationServices } from './services';
import { type LoadOutput, type LoadTable, type LoadWindow, recordLoadInputSchema, stepInputSchema } from './steps';
import { migrationKey, tableFolder, windowName } from './work-keys';

type LoadStepServices = Pick<MigrationServices, 'objects' | 'workBucket'>;

/** Errors of a load that say that a file of the export is missing or damaged: only a new export helps. */
const DAMAGED = new Set(['DataConversionError']);

/**
 * Lists the windows to load: those without a complete load, and those that differed when they were last verified.
 * @throws InvalidEventError if the migration does not exist; S3UnavailableError
 */
export async function loadStep(event: unknown, { objects, workBucket }: LoadStepServices): Promise<LoadOutput> {
  const { migrationId } = validate(stepInputSchema, event, 'the input of Load');
  const ledger = new Ledger(migrationId, objects, workBucket);
  const migration = await ledger.migration();
  const tables = new JsonLines();
  let count = 0;
  const write = async (name: string, lines: JsonLines): Promise<ObjectRef> => {
    const ref = { bucket: workBucket, key: migrationKey(migrationId, name) };
    await objects.write(ref, lines.text(), 'application/x-ndjson');
    return ref;
  };
  for (const survey of await ledger.surveys()) {
    const { table } = survey;
    const lines = new JsonLines();
    for await (const { record, window } of ledger.entries(survey)) {
      if (record?.state !== 'exported' || record.exported === null || isLoaded(record)) continue;
      if (record.exported.files === 0) await ledger.save(table, { ...record, loaded: NOTHING, verified: null });
      else lines.add(lineOf({ survey, record, window, table }, migration));
    }
    if (lines.count === 0) continue;
    const line: LoadTable = { table, windows: await write(`loads/${tableFolder(table)}.jsonl`, lines) };
    tables.add(line);
    count += lines.count;
  }
  return { migrationId, tables: count === 0 ? null : await write('loads.jsonl', tables), count };
}

function lineOf(
  { survey, record, window, table }: LedgerEntry & { readonly survey: TableSurvey },
  { migrationId, request }: Migration,
): LoadWindow {
  const columns = record?.exported?.columns ?? survey.columns;
  const options = exportOptions(survey, columns, request.mapping);
  return { migrationId, table, window: windowName(window), input: { export: record?.exported?.folder, options } };
}

const NOTHING: Loaded = {
  loadId: '',
  complete: true,
  ...{ rows: 0, points: 0, empty: 0, invalid: 0, written: 0, rejected: 0, failed: 0, merged: 0 },
  causes: [],
};

const windowNameSchema = z.string().regex(/^(-?\d+)-(-?\d+)$/, 'must be the name of a window');

/**
 * Records the result of a nested load. If its files are missing or damaged, the next run exports the window again.
 * @throws InvalidEventError if the input or the summary is not valid
 */
export async function recordLoad(event: unknown, { objects, workBucket }: LoadStepServices): Promise<WindowRecord> {
  const input = validate(recordLoadInputSchema, event, 'the input of RecordLoad');
  const name = validate(windowNameSchema, input.window, 'the window');
  const [, from = '', to = ''] = /^(-?\d+)-(-?\d+)$/.exec(name) ?? [];
  const ledger = new Ledger(input.migrationId, objects, workBucket);
  const record = await ledger.record(input.table, { from, to });
  if (!record) throw new Error(`the window ${name} of ${input.table} has no record`);
  const summary = input.summary ? validate(summarySchema, input.summary, 'the summary of the load') : undefined;
  const loaded = summary ? loadedOf(summary) : failed(input.error);
  const isDamaged = summary?.causes.some(({ error }) => DAMAGED.has(error)) ?? DAMAGED.has(input.error?.error ?? '');
  const state = isDamaged ? ('failed' as const) : record.state;
  const error = isDamaged ? (loaded.causes[0] ?? 'the files are damaged') : record.error;
  const loads = record.loads + 1;
  const changed: WindowRecord = { ...record, state, loads, loaded, verified: null, error };
  await ledger.save(input.table, changed);
  return changed;
}

function failed(error: { readonly error: string; readonly cause: string } | null | undefined): Loaded {
  const cause = error ? `${error.error}: ${error.cause}` : 'the load has no summary';
  return { ...NOTHING, complete: false, causes: [cause] };
}

function loadedOf(summary: Summary): Loaded {
  const tables = Object.values(summary.tables ?? {});
  const sum = (of: (table: (typeof tables)[number]) => number): number =>
    tables.reduce((all, table) => all + of(table), 0);
  const invalid = sum((table) => table.invalid);
  return {
    loadId: summary.loadId,
    complete: summary.statusCode === 200 && invalid === 0,
    rows: sum((table) => table.rows),
    points: sum((table) => table.points),
    empty: sum((table) => table.empty),
    invalid,
    written: sum((table) => table.points_written),
    rejected: sum((table) => table.rejected_points),
    failed: sum((table) => table.failed_points),
    merged: sum((table) => table.merged),
    causes: [
      ...summary.causes.map(({ error, cause }) => `${error}: ${cause}`),
      ...Object.entries(summary.invalid_records).map(([reason, rows]) => `${reason} (${rows} rows)`),
      ...Object.entries(summary.rejected_reasons).map(([reason, points]) => `${reason} (${points} points)`),
    ].slice(0, 20),
  };
}
