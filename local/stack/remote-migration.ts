/** Starts and follows migrations of the workflow of a deployed stack. */
import { pointRate } from 'shared/loads/load-progress';
import { type MigrationProgress, migrationProgress } from 'shared/migration/progress';
import { ledgerId } from 'shared/migration/request';
import { migrationKey } from 'shared/migration/work-keys';
import { type Failure, failureOf } from '../../functions/describe-execution';
import { followRemote, type RemoteWorkflow, remoteWorkflow } from './remote-execution';

/** Reading the progress reads a small object for each window. */
const PROGRESS_MS = 30_000;

export interface RemoteOutcome {
  /** The status in Step Functions. */
  readonly state: string;
  /** The id of the ledger: that of the migration that was resumed, if any. */
  readonly migrationId: string;
  /** Whether there is a report. */
  readonly hasReport: boolean;
  readonly failure: Failure | undefined;
}

/** @throws UsageError if the stack does not exist or has no migration */
export const remoteMigrations = (stackName: string): Promise<RemoteWorkflow> =>
  remoteWorkflow(stackName, 'MigrateStateMachineArn', 'migration: deploy it with the parameter MigrationDatabaseName');

/**
 * Follows a migration to its end.
 * @param show called with each change of the progress
 * @returns undefined if the signal aborted; the migration itself continues
 * @throws UsageError if no migration has that id
 */
export async function watchMigration(
  id: string,
  { executions, objects, workBucket }: RemoteWorkflow,
  show: (progress: MigrationProgress, pointsPerSecond: number | null) => void,
  signal: AbortSignal,
): Promise<RemoteOutcome | undefined> {
  let next = 0;
  let shown = '';
  const execution = await followRemote(
    id,
    'migration',
    executions,
    signal,
    async ({ status, input, started, ended }) => {
      const now = performance.now();
      if (now < next && status === 'RUNNING') return;
      next = now + PROGRESS_MS;
      const place = { objects, workBucket, deadline: signal };
      const ledger = ledgerId(id, JSON.parse(input));
      const progress = await migrationProgress(ledger, place);
      if (progress === undefined || progress.windows === 0 || JSON.stringify(progress) === shown) return;
      shown = JSON.stringify(progress);
      // The ledger of a resumed migration has the points of earlier executions too.
      show(progress, ledger === id ? pointRate(progress.pointsWritten, started, ended, Date.now()) : null);
    },
  );
  if (execution === undefined) return undefined;
  const { status: state, error } = execution;
  const migrationId = ledgerId(id, JSON.parse(execution.input));
  const report = await objects.find({ bucket: workBucket, key: migrationKey(migrationId, 'report.json') });
  // An earlier run may have left the report.
  const hasReport = report !== undefined && (state === 'SUCCEEDED' || error === 'MigrationIncomplete');
  return { state, migrationId, hasReport, failure: failureOf(execution) };
}
