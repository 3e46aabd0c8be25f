/** Formats a summary for people. */
import { grouped, number } from 'shared/count-text';
import type { ExportTable, Summary } from 'shared/loads/summary';
import type { Checks } from './checks';
import { checksText } from './checks-text';
import type { LoadDetails, ValueWarning } from './details';

/** Texts for the reasons of invalid rows. Their keys in the summary are `<column> <reason>`. */
const REASONS: Readonly<Record<string, string>> = {
  missing: 'is missing',
  nan: 'is NaN',
  infinite: 'is infinite',
  unreadable: 'cannot be read as a value of its type',
  'out-of-range': 'is out of range',
  'not-an-integer': 'has a fraction, but its field is an integer',
  inexact: 'cannot be stored exactly in its field',
  'not-a-name': 'is not a name that InfluxDB can store',
  'name-taken': 'would have the name of another field or tag of its row',
  unexpected: 'is not the text that the mapping expects',
};

/** The reasons that an example explains. */
const WITH_EXAMPLE = new Set(['unreadable', 'out-of-range', 'not-an-integer', 'inexact', 'not-a-name']);

/** Texts for the kinds of warnings. Their keys in the summary are `<kind> <column>`. */
const WARNINGS: Readonly<Record<string, string>> = {
  'unknown-value': 'has a value that the mapping does not list',
  'out-of-range': 'is outside the range in the mapping',
  'left-out': 'was left out, because it is not a finite number, not UTF-8 text, or does not fit the type of its field',
  renamed: 'was stored under another name, because the unit already uses its name',
  ignored: 'was ignored, because its type is not supported',
  'trailing-backslash': 'was stored without its last backslash',
  'control-character':
    'was stored with the two characters \\n, \\r or \\t for a line break or tab, which a tag cannot have',
  'unit-ignored': 'has no integers, so the unit in the mapping was not used',
  absent: 'is missing, although the mapping names it',
};

/** Kinds of warnings that are counted once per item or file; the others count rows. */
const COUNTED: Readonly<Record<string, string>> = {
  renamed: 'item',
  ignored: 'item',
  'unit-ignored': 'item',
  absent: 'file',
};
/** Kinds of warnings that are shown by value. The value of a number that was left out is the reason. */
const WITH_VALUES = new Set(['unknown-value', 'out-of-range', 'left-out']);
/** Maximum values of a column that are shown. */
const MAX_VALUES = 5;
/** The share of duplicates that makes a missing tag likely. */
const MANY_DUPLICATES = 0.1;

/** @param details and `checks` of a local load; a summary of the workflow has none */
export function summaryText(summary: Summary, isDry: boolean, details?: LoadDetails, checks?: Checks): string {
  const { datasets, tables, duplicates, rejected_reasons, causes } = summary;
  const isLarge = duplicates > MANY_DUPLICATES * summary.source_records;
  const lines = [
    headline(summary, isDry, details),
    ...(tables
      ? Object.entries(tables).map(([name, table]) => `  ${name}: ${tableText(table)}`)
      : Object.entries(datasets).map(
          ([name, totals]) =>
            `  ${name}: ${number(totals.points_written, 'point')} of ${number(totals.source_records, 'row')}`,
        )),
    ...section(`Invalid rows, which ${isDry ? 'would be' : 'were'} dropped:`, summary.invalid_records, (key, rows) => [
      `${number(rows, 'row')}: ${invalidText(key, details)}`,
    ]),
    ...section('Points that InfluxDB refused:', rejected_reasons, (reason, points) => [
      `${number(points, 'point')}: ${reason}`,
    ]),
    ...section('Warnings:', summary.warnings, (key, times) => warningTexts(key, times, details)),
    ...(duplicates > 0
      ? [
          tables
            ? `At least ${number(duplicates, 'row')} ${isDry ? 'would join' : 'joined'} an earlier row with the same tags and time in one point, ` +
              'where a field keeps the last value'
            : `At least ${number(duplicates, 'row')} ${isDry ? 'would overwrite' : 'overwrote'} an earlier row with the same tags and time` +
              (isLarge ? ': a tag that tells these rows apart may be missing from the mapping' : ''),
        ]
      : []),
    ...(checks ? checksText(checks, summary, isDry) : []),
    ...causes.map(({ error, cause, items, objects }) => {
      const where = objects.length > 0 ? ` (${number(items, 'item')} of ${objects.join(', ')})` : '';
      return `${error}: ${cause}${where}`;
    }),
  ];
  return lines.join('\n');
}

/** The account of a table of an export. */
function tableText({ manifest_rows, rows, points, empty, invalid, merged, left_out, accounted }: ExportTable): string {
  const read = rows === manifest_rows ? number(rows, 'row') : `${grouped(rows)} of ${number(manifest_rows, 'row')}`;
  const sum = `${read}: ${number(points, 'point')}, ${grouped(empty)} empty, ${grouped(invalid)} invalid`;
  return [
    sum,
    ...(merged > 0 ? [`${grouped(merged)} merged with others of the same series and time`] : []),
    ...(left_out.length > 0 ? [`columns left out: ${left_out.join(', ')}`] : []),
    ...(accounted ? [] : ['not every row is accounted for']),
  ].join('; ');
}

export const invalidRows = ({ invalid_records }: Summary): number =>
  Object.values(invalid_records).reduce((all, rows) => all + rows, 0);

function headline(summary: Summary, isDry: boolean, details: LoadDetails | undefined): string {
  const { points_written: points, source_records: rows, failed_points, rejected_points } = summary;
  const dropped = invalidRows(summary);
  const parts = [
    ...(dropped > 0 ? [`${number(dropped, 'invalid row')} ${isDry ? 'would be dropped' : 'dropped'}`] : []),
    ...(rejected_points > 0 ? [`${number(rejected_points, 'point')} refused by InfluxDB`] : []),
    ...(failed_points > 0 ? [`${number(failed_points, 'point')} sent but not confirmed`] : []),
    ...(summary.failed_items > 0
      ? [`${grouped(summary.failed_items)} of ${number(summary.items, 'item')} not loaded`]
      : []),
  ];
  const verb = isDry ? 'Dry run, nothing was written: would store' : 'Stored';
  const what = `${number(points, 'point')} of ${number(rows, 'row')}${inFiles(summary, details)}`;
  return [`${verb} ${what}`, ...parts].join('; ');
}

/** The summary counts the files that were planned. If items of them failed, only the details know the files with stored points. */
function inFiles({ files, failed_items }: Summary, details: LoadDetails | undefined): string {
  if (failed_items === 0) return ` in ${number(files, 'file')}`;
  return details === undefined ? '' : ` in ${number(details.files.size, 'file')}`;
}

function section(
  title: string,
  counts: Readonly<Record<string, number>>,
  texts: (key: string, count: number) => string[],
): string[] {
  const entries = Object.entries(counts).flatMap(([key, times]) => texts(key, times));
  return entries.length === 0 ? [] : [title, ...entries.map((text) => `  ${text}`)];
}

function invalidText(key: string, details: LoadDetails | undefined): string {
  const at = key.lastIndexOf(' ');
  const [column, reason] = [key.slice(0, Math.max(0, at)), key.slice(at + 1)];
  if (reason === 'no-fields') return 'no field has a value';
  const text = REASONS[reason];
  if (text === undefined) return key;
  const example = WITH_EXAMPLE.has(reason) ? details?.exampleOf(key) : undefined;
  const such = example === undefined ? '' : `, such as ${example.value}`;
  return `${column} ${text}${such}${example?.unit === undefined ? '' : `: is time.unit ${example.unit}?`}`;
}

function warningTexts(key: string, times: number, details: LoadDetails | undefined): string[] {
  const at = key.indexOf(' ');
  const [kind, column] = [key.slice(0, Math.max(0, at)), key.slice(at + 1)];
  const noun = COUNTED[kind] ?? 'row';
  const values = (details?.warningsOf(key) ?? []).filter(
    ({ value, range }) => value !== undefined || range !== undefined,
  );
  const shown = WITH_VALUES.has(kind)
    ? values.filter(({ value }) => kind !== 'left-out' || value).slice(0, MAX_VALUES)
    : [];
  const others = times - shown.reduce((all, { count: rows }) => all + rows, 0);
  const text = WARNINGS[kind];
  return [
    ...shown.map((warning) => `${number(warning.count, noun)}: ${valueText(warning)}`),
    ...(others > 0 ? [`${number(others, noun)}: ${text === undefined ? key : `${column} ${text}`}`] : []),
  ];
}

function valueText({ kind, column, value, range, example }: ValueWarning): string {
  if (kind === 'left-out') {
    const shown = example && WITH_EXAMPLE.has(value ?? '') ? ` ${JSON.stringify(example.value)}` : '';
    const such = example ? `, such as${shown} in row ${example.row} of ${example.file}` : '';
    return `${column} was left out, because it ${REASONS[value ?? '']}${such}`;
  }
  if (kind === 'unknown-value') return `${column} is ${value}, which checks.known does not list`;
  const { min, max } = range ?? {};
  if (max === undefined) return `${column} is below ${min}, its minimum in checks.ranges`;
  if (min === undefined) return `${column} is above ${max}, its maximum in checks.ranges`;
  return `${column} is outside ${min} to ${max}, its range in checks.ranges`;
}
