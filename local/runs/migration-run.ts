/** The run of a migration: its items are windows, and its report ends its file. */
import type { Target } from 'shared/influxdb/protocol';
import { type ObjectStore, readText } from 'shared/loads/objects';
import type { Summary } from 'shared/loads/summary';
import { type MigrationProgress, migrationProgress } from 'shared/migration/progress';
import { differenceSchema, findingSchema } from 'shared/migration/records';
import type { MigrationRequest } from 'shared/migration/request';
import type { MigrationEvent } from 'shared/migration/services';
import type { ReportOutput } from 'shared/migration/steps';
import { migrationKey } from 'shared/migration/work-keys';
import { z } from 'zod';
import { targetText } from './load-run';
import { RunRecorder } from './recorder';
import type { MigrationStep, Run } from './run';

export function startMigrationRun(
  folder: string,
  id: string,
  { database, tables, verify }: Pick<MigrationRequest, 'database' | 'tables' | 'verify'>,
  target: Target,
): RunRecorder {
  const source = `${database}: ${tables.join(', ')}`;
  const about = { folder, id, kind: 'migration', source, target: targetText(target) } as const;
  return new RunRecorder({ ...about, isUnverified: verify === 'none' });
}

const itemsOf = ({ windows, loaded, failed }: MigrationProgress): Run['items'] => ({
  done: loaded,
  total: windows,
  failed,
});

/** Every run verifies all windows again. */
export function recordStep(run: RunRecorder, step: MigrationStep): void {
  run.setStep(step);
  if (step === 'verify') run.setWindows(() => ({ verified: 0 }));
}

/** Takes the counts of the ledger, which are exact and have also the windows of earlier runs. */
export function recordProgress(run: RunRecorder, progress: MigrationProgress): void {
  run.setItems(itemsOf(progress));
  run.setWindows(() => ({ exported: progress.exported, verified: progress.verified }));
}

/** Counts the window of a load when it has ended. */
export function recordWindow(run: RunRecorder, load: Promise<Summary>): void {
  load.then(
    ({ statusCode, rejected_points: rejected, failed_points: failed, message, causes }) => {
      // An interrupted window is loaded by the next run.
      if (causes.some(({ error }) => error === 'Interrupted')) return;
      if (statusCode === 200) run.itemDone({ rejected, failed });
      else run.itemFailed(new Error(message));
    },
    (error: unknown) => run.itemFailed(error),
  );
}

export function recordEvent(run: RunRecorder, event: MigrationEvent): void {
  if (event.kind === 'surveyed') run.addItems(event.windows);
  if (event.kind === 'exported') run.setWindows(({ exported }) => ({ exported: exported + 1 }));
  if (event.kind === 'verified') run.setWindows(({ verified }) => ({ verified: verified + 1 }));
  // A window that is exported in halves becomes two.
  if (event.kind === 'split') run.addItems(1);
  if (event.kind === 'failed') run.itemFailed(new Error(`${event.table}: ${event.reason}`));
}

/** Ends the run with the counts of the ledger, and with the causes of its report if it failed. */
export async function endMigrationRun(
  run: RunRecorder,
  { migrationId, status, message }: ReportOutput,
  { objects, workBucket }: { readonly objects: ObjectStore; readonly workBucket: string },
): Promise<void> {
  const deadline = new AbortController().signal;
  const counted = await migrationProgress(migrationId, { objects, workBucket, deadline });
  if (counted) recordProgress(run, counted);
  const file = (name: string) =>
    readText(objects, { bucket: workBucket, key: migrationKey(migrationId, `report.${name}`) });
  const report = (await file('txt')) ?? message;
  if (status !== 'failed') {
    run.end({ status: 'succeeded', report });
    return;
  }
  const causes = causesOf(JSON.parse((await file('json')) ?? '{}'));
  run.end({ status: 'failed', causes: causes.length > 0 ? causes : [{ cause: message, count: 1 }], report });
}

const reasonsSchema = z.object({ findings: z.array(findingSchema), differences: z.array(differenceSchema) }).partial();

/** The problems and differences of a report as JSON. Windows that differ in the same way are counted. */
export function causesOf(report: unknown): Run['causes'] {
  const { findings = [], differences = [] } = reasonsSchema.safeParse(report).data ?? {};
  const texts = [
    ...findings
      .filter(({ severity }) => severity === 'problem')
      .map(({ name, table, detail }) => `${name}${table === null ? '' : ` of ${table}`}: ${detail}`),
    ...differences.map(
      ({ table, field, kind, detail }) => `${table}${field === null ? '' : `, field ${field}`}: ${kind}: ${detail}`,
    ),
  ];
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].map(([cause, count]) => ({ cause, count }));
}
