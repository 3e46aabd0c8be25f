/** GET /migrations/{id}: the state of a migration, its progress, and its report after it has ended. */
import { pointRate } from 'shared/loads/load-progress';
import { type ObjectStore, readText } from 'shared/loads/objects';
import type { Logger } from 'shared/logger';
import { type MigrationProgress, migrationProgress } from 'shared/migration/progress';
import { ledgerId } from 'shared/migration/request';
import { reportOutputSchema } from 'shared/migration/steps';
import { migrationKey } from 'shared/migration/work-keys';
import { validate } from 'shared/validation';
import type { Executions } from '../clients/step-functions';
import { failureOf, findExecution, stateOf } from '../describe-execution';
import { type ApiEvent, type ApiResponse, jsonResponse } from '../http';

export interface DescribeServices {
  readonly executions: Executions;
  readonly objects: ObjectStore;
  readonly workBucket: string;
  readonly logger: Pick<Logger, 'warn'>;
  /** Aborts the count of the windows, early enough for the response. */
  readonly deadline: AbortSignal;
}

/** The name of an execution. */
const MIGRATION_ID = /^[\w-]{1,80}$/;
const resultSchema = reportOutputSchema.pick({ status: true, message: true });

/** Returns 200 with `{migrationId, state, started, ended, input, progress, result, error, cause}`, or 404. */
export async function describeMigration(event: ApiEvent, services: DescribeServices): Promise<ApiResponse> {
  const found = await findExecution(event, MIGRATION_ID, 'migration', services.executions);
  if ('notFound' in found) return found.notFound;
  const { id: migrationId, execution } = found;
  const state = stateOf(execution);
  const ledger = ledgerId(migrationId, state.input);
  const progress = await progressOf(ledger, services);
  // The ledger of a resumed migration has the points of earlier executions too.
  const isResumed = ledger !== migrationId;
  const rate = isResumed ? null : pointRate(progress?.pointsWritten, execution.started, execution.ended, Date.now());
  return jsonResponse(200, {
    migrationId,
    ...state,
    progress: progress ? { ...progress, pointsPerSecond: rate } : null,
    result: execution.status === 'RUNNING' ? null : await resultOf(ledger, services),
    ...failureOf(execution),
  });
}

/** Undefined if the windows cannot be counted in time; the state of the migration is returned anyway. */
async function progressOf(ledger: string, services: DescribeServices): Promise<MigrationProgress | undefined> {
  try {
    return await migrationProgress(ledger, services);
  } catch (error) {
    services.logger.warn('the windows of a migration could not be counted', { error });
    return undefined;
  }
}

/** Null if the migration ended before its report. */
async function resultOf(ledger: string, { objects, workBucket }: DescribeServices) {
  const ref = (name: string) => ({ bucket: workBucket, key: migrationKey(ledger, name) });
  const text = await readText(objects, ref('report.json'));
  if (text === undefined) return null;
  const result = validate(resultSchema, JSON.parse(text), objects.nameOf(ref('report.json')));
  return { ...result, report: objects.nameOf(ref('report.json')), page: objects.nameOf(ref('report.txt')) };
}
