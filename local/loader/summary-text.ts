/** Formats a summary for people. */
import type { Summary } from 'shared/loads/summary';
import { count } from './progress';

/** Texts for the reasons of invalid rows. Their keys in the summary are `<column> <reason>`. */
const REASONS: Readonly<Record<string, string>> = {
  missing: 'is missing',
  nan: 'is NaN',
  infinite: 'is infinite',
  unreadable: 'cannot be read as a value of its type',
  'out-of-range': 'is out of range',
};

/** Texts for the kinds of warnings. Their keys in the summary are `<kind> <column>`. */
const WARNINGS: Readonly<Record<string, string>> = {
  'unknown-value': 'has a value that the mapping does not list',
  'out-of-range': 'is outside the range in the mapping',
  'left-out': 'was left out, because it is not a finite number or not UTF-8 text',
  renamed: 'was stored under another name, because the unit already uses its name',
  ignored: 'was ignored, because its type is not supported',
  'trailing-backslash': 'was stored without its last backslash',
};

export function summaryText(summary: Summary, isDry: boolean): string {
  const { datasets, duplicates, rejected_reasons, causes } = summary;
  const lines = [
    headline(summary, isDry),
    ...Object.entries(datasets).map(
      ([name, totals]) =>
        `  ${name}: ${number(totals.points_written, 'point')} of ${number(totals.source_records, 'row')}`,
    ),
    ...section('Invalid rows, which were dropped:', summary.invalid_records, invalidText),
    ...section('Points that InfluxDB refused:', rejected_reasons, (reason) => reason),
    ...section('Warnings:', summary.warnings, warningText),
    ...(duplicates > 0
      ? [`At least ${number(duplicates, 'row')} overwrote an earlier row with the same tags and time`]
      : []),
    ...causes.map(({ error, cause, items, objects }) => {
      const where = objects.length > 0 ? ` (${number(items, 'part')} of ${objects.join(', ')})` : '';
      return `${error}: ${cause}${where}`;
    }),
  ];
  return lines.join('\n');
}

export function number(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

export const invalidRows = ({ invalid_records }: Summary): number =>
  Object.values(invalid_records).reduce((all, rows) => all + rows, 0);

function headline(summary: Summary, isDry: boolean): string {
  const { points_written: points, source_records: rows, files, failed_points, rejected_points } = summary;
  const dropped = invalidRows(summary);
  const parts = [
    ...(dropped > 0 ? [`${number(dropped, 'invalid row')} dropped`] : []),
    ...(rejected_points > 0 ? [`${number(rejected_points, 'point')} refused by InfluxDB`] : []),
    ...(failed_points > 0 ? [`${number(failed_points, 'point')} not stored`] : []),
    ...(summary.failed_items > 0
      ? [`${count(summary.failed_items)} of ${number(summary.items, 'part')} not loaded`]
      : []),
  ];
  const verb = isDry ? 'Dry run, nothing was written: would store' : 'Stored';
  const what = `${number(points, 'point')} of ${number(rows, 'row')} in ${number(files, 'file')}`;
  return [`${verb} ${what}`, ...parts].join('; ');
}

function section(title: string, counts: Readonly<Record<string, number>>, text: (reason: string) => string): string[] {
  const entries = Object.entries(counts);
  return entries.length === 0 ? [] : [title, ...entries.map(([key, rows]) => `  ${number(rows, 'row')}: ${text(key)}`)];
}

function invalidText(key: string): string {
  const at = key.lastIndexOf(' ');
  const [column, reason] = [key.slice(0, Math.max(0, at)), key.slice(at + 1)];
  if (reason === 'no-fields') return 'no field has a value';
  const text = REASONS[reason];
  return text === undefined ? key : `${column} ${text}`;
}

function warningText(key: string): string {
  const at = key.indexOf(' ');
  const text = WARNINGS[key.slice(0, Math.max(0, at))];
  return text === undefined ? key : `${key.slice(at + 1)} ${text}`;
}
