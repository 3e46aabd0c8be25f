/** Formats the checks of a load for people. */
import { grouped, number } from 'shared/count-text';
import type { Summary } from 'shared/loads/summary';
import { shortTimeText } from 'shared/nanoseconds';
import type { Checks, TooManyColumns, TypeConflict } from './checks';

/** Reasons shown why a load would fail. */
const MAX_FAILURES = 5;

/**
 * Series with field keys above which a load warns. InfluxDB 2 keeps an index of all series; AWS advises db.influx.2xlarge for about one
 * million and no more than 10 million.
 */
const MANY_SERIES = 1_000_000;
/** Points above which a series for nearly every point is worth a warning. */
const MANY_POINTS = 1_000;
/** Nearly every point, although both numbers may be estimates. */
const NEARLY_ALL = 0.95;
const MAX_TAGS = 3;
const MAX_MEASUREMENTS = 10;
const MAX_CONFLICTS = 20;

/** The lines for a summary: a dry run shows all numbers, a load only its warnings. */
export function checksText(
  checks: Checks,
  { earliest, latest, duplicates }: Pick<Summary, 'earliest' | 'latest' | 'duplicates'>,
  isDry: boolean,
) {
  const warnings = [
    ...overwriteWarnings(checks, duplicates, isDry),
    ...seriesWarnings(checks),
    ...retentionWarnings(checks, isDry),
    ...schemaWarnings(checks),
  ];
  const numbers = [
    ...seriesLines(checks),
    ...tagLines(checks),
    ...(earliest === null || latest === null ? [] : [`Times: ${shortTimeText(earliest)} to ${shortTimeText(latest)}`]),
    ...(checks.bucket.unread === null ? [`Bucket: ${bucketText(checks)}`] : []),
  ];
  return [
    ...(isDry ? numbers : []),
    ...(warnings.length > 0 ? ['Checks:', ...warnings.map((text) => `  ${text}`)] : []),
    ...(isDry ? failureLines(checks.failures) : []),
  ];
}

function failureLines(failures: readonly string[]): string[] {
  const more = failures.length - MAX_FAILURES;
  return [
    ...failures.slice(0, MAX_FAILURES).map((text) => `The load would fail: ${text}`),
    ...(more > 0 ? [`The load would fail for ${number(more, 'further reason')}`] : []),
  ];
}

/** Type conflicts and too many columns, as sentences. */
export function schemaWarnings({
  typeConflicts,
  tooManyColumns,
}: {
  readonly typeConflicts: readonly TypeConflict[];
  readonly tooManyColumns: readonly TooManyColumns[];
}): string[] {
  const others = typeConflicts.length - MAX_CONFLICTS;
  return [
    ...typeConflicts.slice(0, MAX_CONFLICTS).map(conflictText),
    ...(others > 0 ? [number(others, 'further type conflict')] : []),
    ...tooManyColumns.map(columnsText),
  ];
}

/** A period, with the largest unit that divides it: `30 days`. */
export function periodText(seconds: number): string {
  const [unit, per] = (
    [
      ['day', 86_400],
      ['hour', 3_600],
      ['minute', 60],
    ] as const
  ).find(([, each]) => seconds % each === 0) ?? ['second', 1];
  return number(seconds / per, unit);
}

function seriesLines({ series }: Checks): string[] {
  const largest = [...series].sort((a, b) => b.fieldSeries - a.fieldSeries);
  const others = largest.length - MAX_MEASUREMENTS;
  return [
    ...largest.slice(0, MAX_MEASUREMENTS).map(({ measurement, series, fieldSeries, isEstimate }) => {
      const about = isEstimate ? 'about ' : '';
      return `Series of ${measurement ?? 'the other measurements'}: ${about}${grouped(series)}; with field keys: ${about}${grouped(fieldSeries)}`;
    }),
    ...(others > 0 ? [`Series: ${number(others, 'further measurement')} with fewer`] : []),
  ];
}

function tagLines({ tags }: Checks): string[] {
  const shown = tags.slice(0, MAX_TAGS).map(({ tag, values }) => `${tag} (${grouped(values)})`);
  return shown.length === 0 ? [] : [`Tags with the most values: ${shown.join(', ')}`];
}

function bucketText({ bucket, typeConflicts }: Checks): string {
  const kept =
    bucket.retentionSeconds === null ? 'keeps all points' : `keeps points for ${periodText(bucket.retentionSeconds)}`;
  const types = typeConflicts.length === 0 ? 'no type conflicts' : number(typeConflicts.length, 'type conflict');
  return `${bucket.name} ${kept}; ${types}`;
}

/** @param duplicates of rows in the same item, which the summary reports */
function overwriteWarnings({ points }: Checks, duplicates: number, isDry: boolean): string[] {
  const { distinct, written, isEstimate, overwritten } = points;
  if (overwritten <= duplicates) return [];
  const about = isEstimate ? 'about ' : '';
  const error = isEstimate ? ' (an estimate, standard error 0.81 %)' : '';
  return [
    `${number(written, 'point')} ${isDry ? 'would have' : 'had'} only ${about}${grouped(distinct)} different series and times${error}: rows of different files or ` +
      `items have the same tags and time, and InfluxDB keeps the last value of a field. If the path tells them apart, make it a tag with path in the mapping`,
  ];
}

function seriesWarnings({ engine, series, tags, points }: Checks): string[] {
  const total = series.reduce((sum, { fieldSeries }) => sum + fieldSeries, 0);
  const all = series.reduce((sum, each) => sum + each.series, 0);
  const isUnique = points.distinct > MANY_POINTS && all > NEARLY_ALL * points.distinct;
  if (engine === 'v3' || (total <= MANY_SERIES && !isUnique)) return [];
  const largest = tags
    .filter(({ values }) => values > 1)
    .slice(0, MAX_TAGS)
    .map(({ tag, values }) => `${tag} (${number(values, 'value')})`);
  if (total <= MANY_SERIES) {
    return [
      `nearly every point is the only one of its series (about ${grouped(all)} series of ${number(points.distinct, 'point')}): InfluxDB 2 needs memory for each ` +
        `series. If a tag has another value in each row, make it a field: ${largest.join(', ')}`,
    ];
  }
  return [
    `${grouped(total)} series with field keys, above ${grouped(MANY_SERIES)}: InfluxDB 2 needs memory for each. ` +
      `Make a tag with many values a field: ${largest.join(', ')}`,
  ];
}

function retentionWarnings({ bucket, outsideRetention }: Checks, isDry: boolean): string[] {
  if (bucket.retentionSeconds === null || outsideRetention === null || outsideRetention === 0) return [];
  return [
    `${number(outsideRetention, 'point')} ${outsideRetention === 1 ? 'is' : 'are'} older than the retention of bucket ${bucket.name} ` +
      `(${periodText(bucket.retentionSeconds)}), so InfluxDB ${isDry ? 'would refuse or soon delete' : 'refuses or soon deletes'} them: load into a bucket with a longer retention`,
  ];
}

function conflictText({ measurement, column, stored, written }: TypeConflict): string {
  if (stored.length === 0) {
    return `${column} of ${measurement} is written as ${written.join(' and ')}: InfluxDB keeps the type that comes first and refuses the other`;
  }
  return (
    `${column} of ${measurement} is stored as ${stored.join(' and ')} and would be written as ${written.join(' and ')}: ` +
    'InfluxDB refuses these points. Change the type or the name in the mapping, or load into another bucket'
  );
}

function columnsText({ measurement, columns, limit }: TooManyColumns): string {
  return (
    `${measurement} would have ${grouped(columns)} columns, above the limit of ${grouped(limit)} of InfluxDB 3 Core: ` +
    'leave out fields, or split the measurement'
  );
}
