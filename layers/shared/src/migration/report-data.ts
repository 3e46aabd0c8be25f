/** Adds up the ledger of a migration: the sums of each table, its differences, and the result in one sentence. */
import { grouped, number } from '../count-text';
import { acceptedMeasurement } from '../exports/names';
import { timeText } from '../nanoseconds';
import { ledgerDifferences } from './compare';
import type { Ledger } from './ledger';
import type { Proof, TableProof } from './proof';
import type { Difference, Finding, Migration, TableSurvey, WindowRecord } from './records';
import type { MigrationServices } from './services';
import type { ReportOutput } from './steps';

const MAX_DIFFERENCES = 1_000;

/** What the report says beyond the proof. */
export interface Report extends Proof {
  readonly status: ReportOutput['status'];
  readonly message: string;
  readonly findings: readonly Finding[];
  readonly surveys: readonly TableSurvey[];
  readonly exportedBytes: number;
  /** Bytes that Timestream metered for the survey, the exports and the counts. */
  readonly scannedBytes: number;
}

export async function makeReport(
  migration: Migration,
  ledger: Ledger,
  { influxdb, now }: Pick<MigrationServices, 'influxdb' | 'now'>,
): Promise<Report> {
  const { request, migrationId } = migration;
  const surveys = await ledger.surveys();
  const findings = [...(await ledger.findings()), ...surveys.flatMap((survey) => survey.findings)];
  const problems = findings.filter(({ severity }) => severity === 'problem');
  const isSurvey = request.dryRun || problems.length > 0;
  const tables: TableProof[] = [];
  const differences: Difference[] = [];
  let differencesTotal = 0;
  let exportedBytes = 0;
  let scannedBytes = surveys.reduce((sum, survey) => sum + survey.scannedBytes, 0);
  for (const survey of isSurvey ? [] : surveys) {
    const sums = new TableSums(survey.table, acceptedMeasurement(survey.table));
    for await (const { window, record } of ledger.entries(survey)) {
      const found = differencesOf(survey.table, window, record, request.verify !== 'none');
      sums.add(window, record, found.length);
      differencesTotal += found.length;
      differences.push(...found.slice(0, Math.max(0, MAX_DIFFERENCES - differences.length)));
      exportedBytes += record?.exported?.bytes ?? 0;
      scannedBytes += record?.scannedBytes ?? 0;
    }
    tables.push(sums.proof());
  }
  const proved = !isSurvey && differencesTotal === 0;
  const status = statusOf(request.dryRun && problems.length === 0, proved, request.verify !== 'none');
  return {
    migrationId,
    proved: status === 'proved',
    verify: request.verify === 'sums' ? 'sums' : 'counts',
    database: request.database,
    target: influxdb.target,
    created: new Date(now()).toISOString(),
    tables,
    differences,
    differencesTotal,
    status,
    message: messageOf(status, { surveys, tables, differences, differencesTotal, problems }),
    findings,
    surveys,
    exportedBytes,
    scannedBytes,
  };
}

function statusOf(isSurvey: boolean, isEqual: boolean, isVerified: boolean): ReportOutput['status'] {
  if (isSurvey) return 'surveyed';
  if (!isEqual) return 'failed';
  return isVerified ? 'proved' : 'loaded';
}

/** The differences of a window, as verified; a window that was not verified differs as a whole. */
function differencesOf(
  table: string,
  window: WindowRecord['window'],
  record: WindowRecord | undefined,
  isVerified: boolean,
): readonly Difference[] {
  const whole = (kind: Difference['kind'], detail: string): Difference[] => [
    { table, window, field: null, kind, expected: null, found: null, detail },
  ];
  if (record === undefined) return whole('export', 'the window is not exported: it was not reached');
  const ledger = ledgerDifferences(record).map((difference) => ({ table, window, ...difference }));
  if (ledger.length > 0 || !isVerified) return ledger;
  return record.verified?.differences ?? whole('missing', 'the window is not verified');
}

class TableSums {
  private readonly counts = {
    manifest_rows: 0,
    rows_read: 0,
    points: 0,
    empty: 0,
    invalid: 0,
    written: 0,
    rejected: 0,
    failed: 0,
    merged: 0,
  };
  private readonly fields = new Map<string, { expected: number; found: number; overwritten: number }>();
  private readonly windows: TableProof['windows'] = [];
  private differences = 0;

  constructor(
    private readonly table: string,
    private readonly measurement: string,
  ) {}

  add(window: WindowRecord['window'], record: WindowRecord | undefined, differences: number): void {
    const { exported, source, loaded, verified } = record ?? {};
    const { counts } = this;
    counts.manifest_rows += exported?.rows ?? 0;
    counts.rows_read += loaded?.rows ?? 0;
    for (const name of ['points', 'empty', 'invalid', 'written', 'rejected', 'failed'] as const) {
      counts[name] += loaded?.[name] ?? 0;
    }
    counts.merged += source?.merged ?? loaded?.merged ?? 0;
    for (const { field, count, overwritten = 0 } of source?.fields ?? []) {
      this.field(field).expected += count;
      this.field(field).overwritten += overwritten;
    }
    for (const { field, count } of verified?.target?.fields ?? []) this.field(field).found += count;
    const total = (fields: readonly { readonly count: number }[] | undefined) =>
      fields?.reduce((sum, { count }) => sum + count, 0) ?? null;
    this.differences += differences;
    this.windows.push({
      from: timeText(window.from),
      to: timeText(window.to),
      rows: exported?.rows ?? 0,
      expected: total(source?.fields),
      found: total(verified?.target?.fields),
      differences,
    });
  }

  proof(): TableProof {
    const fields = [...this.fields].map(([field, { overwritten, ...counts }]) => ({
      field,
      ...counts,
      ...(overwritten > 0 && { overwritten }),
    }));
    const { table, measurement, windows } = this;
    return { table, measurement, proved: this.differences === 0, ...this.counts, fields, windows };
  }

  private field(name: string) {
    const known = this.fields.get(name) ?? { expected: 0, found: 0, overwritten: 0 };
    this.fields.set(name, known);
    return known;
  }
}

interface Outcome {
  readonly surveys: readonly TableSurvey[];
  readonly tables: readonly TableProof[];
  readonly differences: readonly Difference[];
  readonly differencesTotal: number;
  readonly problems: readonly Finding[];
}

function messageOf(
  status: ReportOutput['status'],
  { surveys, tables, differences, differencesTotal, problems }: Outcome,
): string {
  const of = number(surveys.length, 'table');
  const rows = tables.reduce((sum, { manifest_rows }) => sum + manifest_rows, 0);
  if (status === 'surveyed') {
    const found = surveys.reduce((sum, survey) => sum + survey.rows, 0);
    return `${of} with ${number(found, 'row')} can be migrated`;
  }
  if (differencesTotal === 0 && problems.length === 0 && tables.every(({ windows }) => windows.length === 0))
    return `${of} without rows in the range: there was nothing to migrate`;
  if (status === 'proved') return `${of} with ${number(rows, 'row')}: proved, every window is equal${lostText(tables)}`;
  if (status === 'loaded') return `${of} with ${number(rows, 'row')} loaded; nothing was verified`;
  const [problem] = problems;
  if (problem) {
    return `nothing was migrated: ${problem.name}${problem.table === null ? '' : ` of ${problem.table}`}: ${problem.detail}`;
  }
  const [first] = differences;
  const example = first === undefined ? '' : `: ${differenceText(first)}`;
  return `failed: ${number(differencesTotal, 'difference')}${example}`;
}

/** What --allow-merges has accepted. */
function lostText(tables: readonly TableProof[]): string {
  const lost = tables.flatMap(({ fields }) => fields).reduce((sum, { overwritten = 0 }) => sum + overwritten, 0);
  return lost === 0 ? '' : ` but for ${number(lost, 'value')} overwritten by merges, which were allowed`;
}

/** Table, window and field of a difference, and what differs. */
export function differenceText({ table, window, field, kind, detail, expected, found }: Difference): string {
  const counts =
    expected === null && found === null ? '' : ` (expected ${countText(expected)}, found ${countText(found)})`;
  const name = field === null ? '' : `, field ${field}`;
  return `${table}, ${timeText(window.from)} to ${timeText(window.to)}${name}: ${kind}: ${detail}${counts}`;
}

function countText(text: string | null): string {
  if (text === null) return 'nothing';
  return /^\d{1,15}$/.test(text) ? grouped(Number(text)) : text;
}
