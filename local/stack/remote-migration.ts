/** Starts and follows migrations of the workflow of a deployed stack. */
import { SFNClient } from '@aws-sdk/client-sfn';
import { readCause } from 'shared/loads/map-results';
import type { ObjectStore } from 'shared/loads/objects';
import { type MigrationProgress, migrationProgress } from 'shared/migration/progress';
import { ledgerId } from 'shared/migration/request';
import { migrationKey } from 'shared/migration/work-keys';
import { s3Objects } from '../../functions/clients/s3';
import { type Executions, executionsOf } from '../../functions/clients/step-functions';
import { UsageError } from '../cli/ending';
import { followRemote } from './remote-execution';
import { describeStack } from './stack';

/** Reading the progress reads a small object for each window. */
const PROGRESS_MS = 30_000;

export interface RemoteMigrations {
  readonly executions: Executions;
  readonly objects: ObjectStore;
  readonly workBucket: string;
}

export interface RemoteOutcome {
  /** The status in Step Functions. */
  readonly state: string;
  /** The id of the ledger: that of the migration that was resumed, if any. */
  readonly migrationId: string;
  /** Whether there is a report. */
  readonly hasReport: boolean;
  readonly failure: { readonly error: string; readonly cause: string } | undefined;
}

/** @throws UsageError if the stack does not exist or has no migration */
export async function remoteMigrations(stackName: string): Promise<RemoteMigrations> {
  const stack = await describeStack(stackName);
  const stateMachineArn = stack.output('MigrateStateMachineArn');
  const workBucket = stack.output('WorkBucketName');
  if (stateMachineArn === undefined || workBucket === undefined) {
    throw new UsageError(`the stack ${stackName} has no migration: deploy it with the parameter MigrationDatabaseName`);
  }
  return { executions: executionsOf(stateMachineArn, new SFNClient({})), objects: s3Objects(), workBucket };
}

/**
 * Follows a migration to its end.
 * @param show called with each change of the progress
 * @returns undefined if the signal aborted; the migration itself continues
 * @throws UsageError if no migration has that id
 */
export async function watchMigration(
  id: string,
  { executions, objects, workBucket }: RemoteMigrations,
  show: (progress: MigrationProgress) => void,
  signal: AbortSignal,
): Promise<RemoteOutcome | undefined> {
  let next = 0;
  let shown = '';
  const execution = await followRemote(id, 'migration', executions, signal, async ({ status, input }) => {
    const now = performance.now();
    if (now < next && status === 'RUNNING') return;
    next = now + PROGRESS_MS;
    const place = { objects, workBucket, deadline: signal };
    const progress = await migrationProgress(ledgerId(id, JSON.parse(input)), place);
    if (progress === undefined || progress.windows === 0 || JSON.stringify(progress) === shown) return;
    shown = JSON.stringify(progress);
    show(progress);
  });
  if (execution === undefined) return undefined;
  const { status: state, error, cause = '' } = execution;
  const migrationId = ledgerId(id, JSON.parse(execution.input));
  const report = await objects.find({ bucket: workBucket, key: migrationKey(migrationId, 'report.json') });
  // An earlier run may have left the report.
  const hasReport = report !== undefined && (state === 'SUCCEEDED' || error === 'MigrationIncomplete');
  return { state, migrationId, hasReport, failure: error === undefined ? undefined : readCause({ error, cause }) };
}
