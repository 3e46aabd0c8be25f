/** The step Report: writes proof.json, report.json and a page of text. */
import { validate } from '../validation';
import { Ledger } from './ledger';
import { proofSchema } from './proof';
import type { Migration, TableSurvey } from './records';
import { makeReport } from './report-data';
import { reportText } from './report-text';
import type { MigrationServices } from './services';
import { type ReportOutput, stepInputSchema } from './steps';
import { targetId, toNanoseconds } from './survey';

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
    for (const { table } of report.tables) await saveEnd(table, migration, ledger, targetId(services));
  }
  return { migrationId, status, message, ...saved };
}

/** `from: last` may neither skip a range between two proved ranges, nor begin before the later one of two ends. */
async function saveEnd(table: string, { request, migrationId, to }: Migration, ledger: Ledger, target: string) {
  const { database, from } = request;
  const before = await ledger.lastProved(database, table, target);
  if (before && BigInt(before.to) > BigInt(to)) return;
  const hasGap = before && from && from !== 'last' && toNanoseconds(from) > BigInt(before.to);
  if (!hasGap) await ledger.saveLastProved({ database, table, migrationId, to }, target);
}

/** Columns and windows are in the survey of the table. */
function withoutColumns({ columns, windows, ...survey }: TableSurvey) {
  return { ...survey, columns: columns.length, windows: windows.length };
}
