/** The run of a migration: its items are windows, and its report ends its file. */
import type { Target } from 'shared/influxdb/protocol';
import { type ObjectStore, readText } from 'shared/loads/objects';
import type { Summary } from 'shared/loads/summary';
import { type MigrationProgress, migrationProgress } from 'shared/migration/progress';
import type { MigrationRequest } from 'shared/migration/request';
import type { MigrationEvent } from 'shared/migration/services';
import type { ReportOutput } from 'shared/migration/steps';
import { migrationKey } from 'shared/migration/work-keys';
import { targetText } from './load-run';
import { RunRecorder } from './recorder';
import type { Run } from './run';

export function startMigrationRun(
  folder: string,
  id: string,
  { database, tables }: Pick<MigrationRequest, 'database' | 'tables'>,
  target: Target,
): RunRecorder {
  const source = `${database}: ${tables.join(', ')}`;
  return new RunRecorder({ folder, id, kind: 'migration', source, target: targetText(target) });
}

export const itemsOf = ({ windows, loaded, failed }: MigrationProgress): Run['items'] => ({
  done: loaded,
  total: windows,
  failed,
});

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
  // A window that is exported in halves becomes two.
  if (event.kind === 'split') run.addItems(1);
  if (event.kind === 'failed') run.itemFailed(new Error(`${event.table}: ${event.reason}`));
}

/** Ends the run with the counts of the ledger, which has also the windows of earlier runs. */
export async function endMigrationRun(
  run: RunRecorder,
  { migrationId, status, message }: ReportOutput,
  { objects, workBucket }: { readonly objects: ObjectStore; readonly workBucket: string },
): Promise<void> {
  const deadline = new AbortController().signal;
  const counted = await migrationProgress(migrationId, { objects, workBucket, deadline });
  const report = await readText(objects, { bucket: workBucket, key: migrationKey(migrationId, 'report.txt') });
  run.end({
    status: status === 'failed' ? 'failed' : 'succeeded',
    ...(counted && { items: itemsOf(counted) }),
    report: report ?? message,
  });
}
