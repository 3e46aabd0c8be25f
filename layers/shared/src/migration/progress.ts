/** How far a migration is: counts of its windows by state, read from the ledger. */
import { inOrder } from '../loads/in-order';
import { Ledger } from './ledger';
import type { TableSurvey } from './records';
import type { MigrationServices } from './services';

/** Tables read concurrently; the windows of each are read 16 at a time. */
const TABLES = 4;

export interface MigrationProgress {
  /** Windows without halved ones, in the tables surveyed so far. */
  readonly windows: number;
  readonly exported: number;
  readonly failed: number;
  /** Windows whose load is complete. */
  readonly loaded: number;
  /** Windows that were compared with the target, and those of them with a difference. */
  readonly verified: number;
  readonly differing: number;
  /** Rows of the exported windows. */
  readonly rows: number;
  /** Points that InfluxDB acknowledged in windows that were verified without a difference. */
  readonly points: number;
  /** Points of the loads that have ended: acknowledged, rejected by InfluxDB, and of batches that failed. */
  readonly pointsWritten: number;
  readonly rejectedPoints: number;
  readonly failedPoints: number;
}

/**
 * Undefined if the deadline aborts before all windows are read.
 * @throws InvalidEventError if an object of the migration is not valid; S3UnavailableError
 */
export async function migrationProgress(
  migrationId: string,
  { objects, workBucket, deadline }: Pick<MigrationServices, 'objects' | 'workBucket' | 'deadline'>,
): Promise<MigrationProgress | undefined> {
  const ledger = new Ledger(migrationId, objects, workBucket);
  const total = nothing();
  const work = async (table: string): Promise<MigrationProgress> => {
    const survey = deadline.aborted ? undefined : await ledger.survey(table);
    return survey ? await ofTable(survey, ledger, deadline) : nothing();
  };
  for await (const counts of inOrder((await ledger.tables()) ?? [], TABLES, work)) {
    for (const name of NAMES) total[name] += counts[name];
  }
  return deadline.aborted ? undefined : total;
}

const NAMES = [
  ...(['windows', 'exported', 'failed', 'loaded', 'verified', 'differing'] as const),
  ...(['rows', 'points', 'pointsWritten', 'rejectedPoints', 'failedPoints'] as const),
] as const;

const nothing = () => ({
  ...{ windows: 0, exported: 0, failed: 0, loaded: 0 },
  ...{ verified: 0, differing: 0, rows: 0, points: 0 },
  ...{ pointsWritten: 0, rejectedPoints: 0, failedPoints: 0 },
});

async function ofTable(survey: TableSurvey, ledger: Ledger, deadline: AbortSignal): Promise<MigrationProgress> {
  const counts = nothing();
  for await (const { record } of ledger.entries(survey)) {
    if (deadline.aborted) break;
    counts.windows += 1;
    if (record?.state === 'failed') counts.failed += 1;
    if (record?.state === 'exported') {
      counts.exported += 1;
      counts.rows += record.exported?.rows ?? 0;
    }
    if (record?.loaded?.complete) counts.loaded += 1;
    counts.pointsWritten += record?.loaded?.written ?? 0;
    counts.rejectedPoints += record?.loaded?.rejected ?? 0;
    counts.failedPoints += record?.loaded?.failed ?? 0;
    if (!record?.verified) continue;
    counts.verified += 1;
    if (record.verified.differences.length > 0) counts.differing += 1;
    else counts.points += record.loaded?.written ?? 0;
  }
  return counts;
}
