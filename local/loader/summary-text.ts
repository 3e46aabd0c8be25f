/** A summary as a person reads it. */
import type { Summary } from 'shared/loads/summary';
import { count } from './progress';

export function summaryText(summary: Summary, isDry: boolean): string {
  const { invalid_records, rejected_reasons, warnings, causes } = summary;
  const lines = [
    isDry ? `Dry run, nothing was written. It would be: ${summary.message}` : summary.message,
    ...Object.entries(summary.datasets).map(
      ([name, totals]) => `  ${name}: ${count(totals.points_written)} points of ${count(totals.source_records)} rows`,
    ),
    ...section('Invalid rows', invalid_records),
    ...section('Refused by InfluxDB', rejected_reasons),
    ...section('Warnings', warnings),
    ...(summary.duplicates > 0 ? [`At least ${count(summary.duplicates)} rows overwrite an earlier one`] : []),
    ...causes.map(({ error, cause, items, objects }) => {
      const where = objects.length > 0 ? ` (${items} times: ${objects.join(', ')})` : '';
      return `${error}: ${cause}${where}`;
    }),
  ];
  return lines.join('\n');
}

function section(title: string, counts: Readonly<Record<string, number>>): string[] {
  const entries = Object.entries(counts);
  return entries.length === 0 ? [] : [`${title}:`, ...entries.map(([name, rows]) => `  ${count(rows)} ${name}`)];
}
