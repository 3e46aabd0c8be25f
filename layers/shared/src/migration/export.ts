/** The step Export: one UNLOAD for each window, polled to its end; too large windows are halved. */
import { InvalidEventError } from '../errors';
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
/** Exported windows whose files are looked for concurrently: one after the other, 40,000 windows would take the whole time of the step. */
const CHECKS = 16;

/**
 * Exports the windows that are not exported. A window that fails does not stop the others. Ends early, with `done: false`, when the
 * deadline aborts; queries in progress go on in the service, and the next call continues them. With the continuation, that call leaves
 * the windows alone that this run has settled: if it tried those that failed again, it might never come to the others.
 * @throws TimestreamUnavailableError if Timestream stays unavailable; S3UnavailableError; InvalidEventError if there are too many windows
 */
export async function exportStep(event: unknown, services: MigrationServices): Promise<ExportOutput> {
  const { migrationId, continuation } = validate(stepInputSchema, event, 'the input of Export');
  const ledger = new Ledger(migrationId, services.objects, services.workBucket);
  const migration = await ledger.migration();
  const settled = continuation ?? 0;
  const counts = noCounts();
  const end = (done: boolean): ExportOutput => ({ migrationId, done, continuation: counts.windows, ...counts });
  const work = async ({ entry, ...part }: Part) => {
    return { ...part, records: entry ? await exportEntry(entry, migration, ledger, services) : [] };
  };
  for await (const { before, isLast, records } of inOrder(parts(ledger, settled, services), CONCURRENCY, work)) {
    add(counts, before);
    for (const record of records) {
      if (!isSettled(record)) return end(false);
      add(counts, countsOf(record));
    }
    if (isLast) return end(true);
  }
  // The deadline came before the last window was read.
  if (settled === 0 || counts.windows > settled) return end(false);
  throw new InvalidEventError(
    `Export cannot read the ledger of ${settled} windows before its deadline: divide the migration by from and to`,
  );
}

type Work = LedgerEntry & { readonly survey: TableSurvey };
type Counts = Pick<ExportOutput, 'windows' | 'exported' | 'failed' | 'rows' | 'bytes'>;

/** A window to export, and the counts of those before it that need no export. */
interface Part {
  readonly before: Counts;
  readonly entry?: Work;
  /** Whether no window comes after `before`. */
  readonly isLast?: boolean;
}

const isSettled = (record: WindowRecord | undefined): record is WindowRecord =>
  record?.state === 'exported' || record?.state === 'failed';

const noCounts = () => ({ windows: 0, exported: 0, failed: 0, rows: 0, bytes: 0 });

function countsOf({ state, exported }: WindowRecord): Counts {
  if (state === 'failed') return { ...noCounts(), windows: 1, failed: 1 };
  return { windows: 1, exported: 1, failed: 0, rows: exported?.rows ?? 0, bytes: exported?.bytes ?? 0 };
}

function add(counts: { -readonly [K in keyof Counts]: number }, more: Counts): void {
  for (const key of ['windows', 'exported', 'failed', 'rows', 'bytes'] as const) counts[key] += more[key];
}

/** Without the last part if the deadline aborts. @param settled windows at the beginning that this run has settled */
async function* parts(ledger: Ledger, settled: number, { objects, deadline }: MigrationServices): AsyncGenerator<Part> {
  let windows = 0;
  const entries = inOrder(ledger.allEntries(), CHECKS, async (entry) => {
    windows += 1;
    const isLeft = windows <= settled && isSettled(entry.record);
    return { entry, isPending: !isLeft && (await isPending(entry.record, objects)) };
  });
  let before = noCounts();
  for await (const { entry, isPending } of entries) {
    if (isPending) {
      yield { before, entry };
      before = noCounts();
    } else if (entry.record) add(before, countsOf(entry.record));
    if (deadline.aborted) return yield { before };
  }
  yield { before, isLast: true };
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
): Promise<(WindowRecord | undefined)[]> {
  if (services.deadline.aborted) return [undefined];
  const { record, parts } = await exportWindow(work, migration, ledger, services);
  if (parts.length === 0) return [record];
  const records: (WindowRecord | undefined)[] = [];
  for (const window of parts) {
    records.push(...(await exportEntry({ ...work, window, record: undefined }, migration, ledger, services)));
  }
  return records;
}
