/** A page of text about a migration, for people. */
import { grouped, number } from '../count-text';
import { timeText } from '../nanoseconds';
import type { TableProof } from './proof';
import type { Finding, TableSurvey } from './records';
import { differenceText, type Report } from './report-data';
import type { MigrationRequest } from './request';

/** US dollars per GB scanned. Source: Amazon Timestream pricing, queries of LiveAnalytics. */
const PER_GB = 0.01;
const MAX_LISTED = 50;

export function reportText(report: Report, request: MigrationRequest): string {
  const { status, message, findings, surveys, tables, differences, differencesTotal, target } = report;
  const isSurvey = tables.length === 0;
  return [
    `Migration ${report.migrationId}: ${status}`,
    message,
    '',
    `From ${request.database} to ${target.engine === 'v2' ? `${target.org}/` : ''}${target.bucket} at ${target.url}`,
    `measure_name: ${request.mapping.measureName}; verify: ${request.verify}`,
    '',
    ...(isSurvey ? surveys.flatMap(surveyLines) : tables.flatMap((table) => tableLines(table, request))),
    ...costLines(report),
    ...section('Problems, which end the migration:', findings, 'problem'),
    ...section('Warnings:', findings, 'warning'),
    ...(differencesTotal > 0
      ? [
          '',
          `Differences (${grouped(differencesTotal)}):`,
          ...differences.slice(0, MAX_LISTED).map((difference) => `  ${differenceText(difference)}`),
          ...(differencesTotal > MAX_LISTED ? ['  ... proof.json and the records of the windows list the others'] : []),
        ]
      : []),
    '',
  ].join('\n');
}

function surveyLines({ table, rows, first, last, columns, series, windows, estimatedBytes }: TableSurvey): string[] {
  if (first === null || last === null) return [`${table}: no rows in the range`];
  const dimensions = columns.filter(({ role }) => role === 'dimension').length;
  const measures = columns.filter(({ role }) => role === 'measure');
  return [
    `${table}: ${number(rows, 'row')} from ${timeText(first)} to ${timeText(last)}`,
    `  ${number(dimensions, 'dimension')}, ${number(measures.length, 'measure')} (${typesOf(measures)}), about ${grouped(series)} series`,
    `  ${number(windows.length, 'window')}, about ${gigabytes(estimatedBytes)} to scan`,
  ];
}

function typesOf(measures: TableSurvey['columns']): string {
  const counts = new Map<string, number>();
  for (const { type } of measures) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].map(([type, count]) => `${grouped(count)} ${type}`).join(', ');
}

function tableLines(table: TableProof, { verify }: MigrationRequest): string[] {
  if (table.windows.length === 0) return [`${table.table}: no rows in the range`];
  const count = (value: number, text: string) => (value > 0 ? [`${grouped(value)} ${text}`] : []);
  const rows = (value: number, text: string, plural?: string) => (value > 0 ? [number(value, text, plural)] : []);
  const parts = [
    `${number(table.manifest_rows, 'row')} exported`,
    `${grouped(table.rows_read)} read`,
    number(table.points, 'point'),
    ...rows(table.empty, 'row without a value', 'rows without a value'),
    ...rows(table.invalid, 'invalid row'),
    `${grouped(table.written)} written`,
    ...count(table.rejected, 'rejected'),
    ...count(table.failed, 'not confirmed'),
    ...count(table.merged, 'merged with a point of the same series and time'),
  ];
  const values = table.fields.reduce((sum, { expected }) => sum + expected, 0);
  const found = table.fields.reduce((sum, { found: value }) => sum + value, 0);
  const isCounted = table.windows.some(({ expected }) => expected !== null);
  const counted = isCounted
    ? `  ${number(table.fields.length, 'field')}, ${number(table.windows.length, 'window')}: ${grouped(found)} of ${number(values, 'value')} at the target`
    : `  ${number(table.windows.length, 'window')}, not verified`;
  const equal = verify === 'none' ? 'loaded' : 'equal';
  return [`${table.table}: ${table.proved ? equal : 'differs'}`, `  ${parts.join('; ')}`, counted];
}

function costLines({ surveys, scannedBytes, exportedBytes, tables }: Report): string[] {
  const estimate = surveys.reduce((sum, { estimatedBytes }) => sum + estimatedBytes, 0);
  const lines = [
    '',
    tables.length === 0
      ? `Timestream scanned ${gigabytes(scannedBytes)} for the survey: ${dollars(scannedBytes)}. Export and verification will scan about ${gigabytes(estimate)}: ${dollars(estimate)}`
      : `Timestream scanned ${gigabytes(scannedBytes)}: ${dollars(scannedBytes)}. The exported files have ${gigabytes(exportedBytes)}`,
  ];
  return lines;
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(bytes < 1e8 ? 3 : 1)} GB`;
const dollars = (bytes: number): string => `$${((bytes / 1e9) * PER_GB).toFixed(2)} at $${PER_GB.toFixed(2)} per GB`;

function section(title: string, findings: readonly Finding[], severity: Finding['severity']): string[] {
  const found = findings.filter((finding) => finding.severity === severity);
  if (found.length === 0) return [];
  return [
    '',
    title,
    ...found.map(({ name, table, detail }) => `  ${name}${table === null ? '' : ` (${table})`}: ${detail}`),
  ];
}
