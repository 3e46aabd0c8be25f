/** The step Report: writes proof.json, report.json and a page of text. */

import { toNanoseconds } from '../nanoseconds';
import { validate } from '../validation';
import { type LastProved, Ledger } from './ledger';
import { proofSchema } from './proof';
import type { Migration, TableSurvey } from './records';
import { makeReport } from './report-data';
import { reportText } from './report-text';
import type { MigrationServices } from './services';
import { type ReportOutput, stepInputSchema } from './steps';
import { provedInto } from './survey';

/**
 * @throws InvalidEventError if the migration does not exist; S3UnavailableError
 */
export async function reportStep(
  event: unknown,
  services: Pick<MigrationServices, 'objects' | 'workBucket' | 'influxdb' | 'now'>,
): Promise<ReportOutput> {
  const { migrationId } = validate(stepInputSchema, event, 'the input of Report');
  const ledger = new Ledger(migrationId, services.objects, services.workBucket);
  const migration = await ledger.migration();
  const report = await makeReport(migration, ledger, services);
  const { request } = migration;
  const { findings, surveys, exportedBytes, scannedBytes, status, message, ...proof } = report;
  const isVerified = request.verify !== 'none' && status !== 'surveyed' && report.tables.length > 0;
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  const saved = {
    report: await ledger.saveFile(
      'report.json',
      json({ ...report, surveys: surveys.map(withoutColumns) }),
      'application/json',
    ),
    page: await ledger.saveFile('report.txt', reportText(report, request), 'text/plain; charset=utf-8'),
    proof: isVerified ? await ledger.saveFile('proof.json', json(proofSchema.parse(proof)), 'application/json') : null,
  };
  if (status === 'proved') {
    for (const { table } of report.tables)
      await saveProved(table, migration, ledger, provedInto(request.mapping, services));
  }
  return { migrationId, status, message, ...saved };
}

/**
 * `from: last` goes on where the proved range ends. Of two ranges with a gap between them the earlier one counts, so that the gap is
 * migrated too. The range ends with the start of the migration: rows that arrive later may have times before `to`.
 */
async function saveProved(
  table: string,
  { request, migrationId, to, started }: Migration,
  ledger: Ledger,
  into: string,
): Promise<void> {
  const { database, from } = request;
  const known = await ledger.lastProved(database, table, into);
  const first = from === 'last' ? (known?.from ?? null) : from ? String(toNanoseconds(from)) : null;
  const proved = { from: first, to: String(least(BigInt(to), toNanoseconds(started))) };
  const range = known === undefined || from === 'last' ? later(known, proved) : joined(known, proved);
  await ledger.saveLastProved({ database, table, migrationId, ...range }, into);
}

type Range = Pick<LastProved, 'from' | 'to'>;

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** The end never moves back: an execution that is verified again may be older. */
const later = (known: Range | undefined, range: Range): Range =>
  known && BigInt(known.to) > BigInt(range.to) ? known : range;

function joined(a: Range, b: Range): Range {
  const [early, late] = beginOf(a) <= beginOf(b) ? [a, b] : [b, a];
  if (beginOf(late) > BigInt(early.to)) return early;
  return { from: early.from, to: later(early, late).to };
}

/** Before any time that a row can have. */
const beginOf = ({ from }: Range): bigint => (from === null ? -(2n ** 63n) : BigInt(from));

/** Columns and windows are in the survey of the table. */
function withoutColumns({ columns, windows, ...survey }: TableSurvey) {
  return { ...survey, columns: columns.length, windows: windows.length };
}
