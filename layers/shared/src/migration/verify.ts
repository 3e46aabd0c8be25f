/** The step Verify: counts each window at the target, and compares it with the counts at the source. */
import { grouped } from '../count-text';
import { InfluxDBWriteError } from '../errors';
import { inOrder } from '../loads/in-order';
import { validate } from '../validation';
import { ledgerDifferences, overwrittenDifferences, targetDifferences } from './compare';
import { type TargetTable, targetTable } from './fields';
import { Ledger, type LedgerEntry } from './ledger';
import type { Difference, FieldCount, Migration, TableSurvey, WindowCount, WindowRecord } from './records';
import type { MigrationServices } from './services';
import { stepInputSchema, type VerifyOutput } from './steps';
import { countTarget, countWithoutTag, NO_SUMS } from './target-counts';
import { windowName } from './work-keys';

/** Windows counted concurrently. */
const CONCURRENCY = 4;

/**
 * Verifies all windows, also those that an earlier run verified: the target may have changed.
 * @throws InfluxDBConnectionError if the target cannot be queried; InfluxDBWriteError if it refuses queries; S3UnavailableError
 */
export async function verifyStep(event: unknown, services: MigrationServices): Promise<VerifyOutput> {
  const { migrationId, continuation } = validate(stepInputSchema, event, 'the input of Verify');
  const ledger = new Ledger(migrationId, services.objects, services.workBucket);
  const migration = await ledger.migration();
  const skip = continuation ?? 0;
  let windows = 0;
  let differing = 0;
  let verified = skip;
  async function* remaining() {
    for await (const entry of ledger.allEntries()) {
      windows += 1;
      if (windows > skip) yield entry;
      else if ((entry.record?.verified?.differences.length ?? 1) > 0) differing += 1;
    }
  }
  const work = async (entry: LedgerEntry & { readonly survey: TableSurvey }) => {
    if (services.deadline.aborted) return undefined;
    try {
      return await verifyWindow(entry, migration, ledger, services);
    } catch (error) {
      if (services.deadline.aborted) return undefined;
      throw error;
    }
  };
  for await (const differences of inOrder(remaining(), CONCURRENCY, work)) {
    if (differences === undefined) return { migrationId, done: false, continuation: verified, windows, differing };
    verified += 1;
    if (differences > 0) differing += 1;
  }
  return { migrationId, done: true, continuation: verified, windows, differing };
}

/** @returns the number of differences */
async function verifyWindow(
  { table, window, record, survey }: LedgerEntry & { readonly survey: TableSurvey },
  migration: Migration,
  ledger: Ledger,
  services: MigrationServices,
): Promise<number> {
  if (record === undefined) return 1;
  const { verify, mapping, allowMerges } = migration.request;
  const target = targetTable(survey, record.exported?.columns ?? survey.columns, mapping);
  const counted = verify === 'none' || record.source === null ? null : await counts(record, target, services);
  const overwritten = allowMerges || record.source === null ? [] : overwrittenDifferences(record.source);
  const found = [...ledgerDifferences(record), ...overwritten, ...(counted?.found ?? [])];
  const differences = found.map((difference): Difference => ({ table, window, ...difference }));
  const verified = { at: new Date(services.now()).toISOString(), target: counted?.target ?? null, differences };
  await ledger.save(table, { ...record, verified });
  services.onEvent?.({ kind: 'verified', table, window: windowName(window), differences: differences.length });
  return differences.length;
}

type Found = ReturnType<typeof targetDifferences>;

async function counts(
  { window, source }: WindowRecord,
  target: TargetTable,
  services: MigrationServices,
): Promise<{ readonly target: WindowCount; readonly found: Found } | undefined> {
  if (source === null) return undefined;
  const options = { signal: services.deadline, clock: services.clock };
  const summed = source.fields.filter(({ sum }) => sum !== undefined);
  const of = (...kinds: readonly FieldCount['kind'][]) =>
    summed.filter(({ kind }) => kinds.includes(kind)).map(({ field }) => field);
  const sums = { numbers: of('float', 'integer', 'timestamp'), booleans: of('boolean'), texts: of('string') };
  const found: Found = [];
  const { influxdb } = services;
  const stored = await countTarget(influxdb, target.measurement, window, sums, options).catch(
    async (error: unknown) => {
      if (!(error instanceof InfluxDBWriteError) || summed.length === 0) throw error;
      found.push({ field: null, kind: 'type', expected: null, found: null, detail: `no sums: ${error.message}` });
      return await countTarget(influxdb, target.measurement, window, NO_SUMS, options);
    },
  );
  found.push(...targetDifferences(source, stored));
  const isExtra = found.some(({ kind }) => kind === 'extra');
  const tag = target.tags.find(({ column }) => column === 'measure_name')?.key;
  if (isExtra && tag !== undefined) {
    const untagged = await countWithoutTag(influxdb, target.measurement, window, tag, options);
    if (untagged > 0) {
      const what = influxdb.target.engine === 'v2' ? 'values are in points' : 'points are';
      const detail = `${grouped(untagged)} ${what} without the tag ${tag}: another writer stored them`;
      found.push({ field: null, kind: 'extra', expected: '0', found: String(untagged), detail });
    }
  }
  return { target: stored, found };
}
