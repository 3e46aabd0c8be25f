/** The step Export: one UNLOAD for each window, polled to its end; too large windows are halved. */
import { inOrder } from '../loads/in-order';
import { type ObjectStore, parseS3Uri } from '../loads/objects';
import { validate } from '../validation';
import { exportWindow } from './export-window';
import { isLoaded, Ledger, type LedgerEntry } from './ledger';
import type { Migration, TableSurvey, WindowRecord } from './records';
import type { MigrationServices } from './services';
import { type ExportOutput, stepInputSchema } from './steps';

/** Windows exported concurrently: more would compete for the account's compute units. */
const CONCURRENCY = 4;

/**
 * Exports the windows that are not exported. A window that fails does not stop the others. Ends early, with `done: false`, when the
 * deadline aborts; queries in progress go on in the service, and the next call continues them.
 * @throws TimestreamUnavailableError if Timestream stays unavailable; S3UnavailableError
 */
export async function exportStep(event: unknown, services: MigrationServices): Promise<ExportOutput> {
  const { migrationId } = validate(stepInputSchema, event, 'the input of Export');
  const ledger = new Ledger(migrationId, services.objects, services.workBucket);
  const migration = await ledger.migration();
  const work = (entry: Work): Promise<void> => exportEntry(entry, migration, ledger, services);
  for await (const _ of inOrder(pending(ledger, services.objects), CONCURRENCY, work))
    if (services.deadline.aborted) break;
  return await progress(migrationId, ledger, services.deadline);
}

type Work = LedgerEntry & { readonly survey: TableSurvey };

async function* pending(ledger: Ledger, objects: ObjectStore): AsyncGenerator<Work> {
  for await (const entry of ledger.allEntries()) if (await isPending(entry.record, objects)) yield entry;
}

/** Loads after which a window that still differs is exported again: its rows may have changed between its export and its count. */
const MAX_LOADS = 2;

/** Also an exported window that must be loaded, if its files were deleted or loading them again did not help. */
async function isPending(record: WindowRecord | undefined, objects: ObjectStore): Promise<boolean> {
  if (record?.state !== 'exported' || record.exported === null) return true;
  const { loads, loaded, exported } = record;
  if (isLoaded(record)) return false;
  if (loaded?.complete === true && loads >= MAX_LOADS) return true;
  return exported.manifest !== '' && (await objects.find(parseS3Uri(exported.manifest))) === undefined;
}

/** Exports a window, or its halves one after the other if it is too large. */
async function exportEntry(
  work: Work,
  migration: Migration,
  ledger: Ledger,
  services: MigrationServices,
): Promise<void> {
  if (services.deadline.aborted) return;
  const parts = await exportWindow(work, migration, ledger, services);
  for (const window of parts) {
    await exportEntry({ ...work, window, record: undefined }, migration, ledger, services);
  }
}

/** The counts of all windows. Reading many records takes minutes, so after the deadline the counts are those of the windows read so far. */
async function progress(migrationId: string, ledger: Ledger, deadline: AbortSignal): Promise<ExportOutput> {
  const counts = { windows: 0, exported: 0, failed: 0, rows: 0, bytes: 0 };
  if (deadline.aborted) return { migrationId, done: false, ...counts };
  for await (const { record } of ledger.allEntries()) {
    if (deadline.aborted) return { migrationId, done: false, ...counts };
    counts.windows += 1;
    if (record?.state === 'failed') counts.failed += 1;
    if (record?.state !== 'exported') continue;
    counts.exported += 1;
    counts.rows += record.exported?.rows ?? 0;
    counts.bytes += record.exported?.bytes ?? 0;
  }
  return { migrationId, done: counts.exported + counts.failed === counts.windows, ...counts };
}
