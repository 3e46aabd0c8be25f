/** The supported functions of Timestream's query language, with their names in DuckDB. */
import { INTERNAL } from './store';

const SAME_NAME = [
  ...[
    'abs',
    'ceil',
    'ceiling',
    'exp',
    'floor',
    'greatest',
    'least',
    'ln',
    'log10',
    'log2',
    'mod',
    'pi',
    'pow',
    'power',
  ],
  ...['radians', 'degrees', 'round', 'sign', 'sqrt', 'cbrt', 'sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'atan2'],
  ...['concat', 'length', 'lower', 'lpad', 'ltrim', 'replace', 'reverse', 'rpad', 'rtrim', 'split_part', 'strpos'],
  ...['substr', 'substring', 'trim', 'upper', 'starts_with', 'regexp_extract', 'regexp_replace'],
  ...['cast', 'try_cast', 'coalesce', 'nullif', 'extract'],
  ...['date_trunc', 'date_diff', 'year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second', 'millisecond'],
  ...['avg', 'bool_and', 'bool_or', 'corr', 'count', 'covar_pop', 'covar_samp', 'max', 'max_by', 'min', 'min_by'],
  ...['stddev', 'stddev_pop', 'stddev_samp', 'sum', 'var_pop', 'var_samp', 'variance'],
  ...['cume_dist', 'dense_rank', 'first_value', 'lag', 'last_value', 'lead', 'nth_value', 'ntile', 'percent_rank'],
  ...['rank', 'row_number'],
] as const;

const OTHER_NAME: Readonly<Record<string, string>> = {
  approx_distinct: 'approx_count_distinct',
  approx_percentile: 'approx_quantile',
  arbitrary: 'any_value',
  count_if: 'count_if',
  every: 'bool_and',
  regexp_like: 'regexp_matches',
  day_of_week: 'isodow',
  day_of_year: 'dayofyear',
};

const ns = (factor: string, name: string) => [name, `(n) AS make_timestamp_ns(CAST(n * ${factor} AS BIGINT))`] as const;

/** Definitions of macros. They are created in the internal schema. */
const MACROS: readonly (readonly [name: string, definition: string])[] = [
  ['bin', '(t, width) AS make_timestamp_ns(epoch_ns(t) - epoch_ns(t) % epoch_ns(width))'],
  ns('1000000000', 'from_unixtime'),
  ns('1000000', 'from_milliseconds'),
  ns('1', 'from_nanoseconds'),
  ['from_iso8601_timestamp', `(t) AS CAST(rtrim(t, 'Z') AS TIMESTAMP_NS)`],
  ['to_unixtime', '(t) AS epoch_ns(t) / 1e9'],
  ['to_milliseconds', '(t) AS epoch_ns(t) // 1000000'],
  ['to_microseconds', '(t) AS epoch_ns(t) // 1000'],
  ['to_nanoseconds', '(t) AS epoch_ns(t)'],
  [
    // The specifiers of MySQL that DuckDB writes in another way.
    'date_format',
    `(t, format) AS strftime(t, replace(replace(replace(replace(replace(replace(
       format, '%M', '%B'), '%i', '%M'), '%s', '%S'), '%T', '%H:%M:%S'), '%h', '%I'), '%W', '%A'))`,
  ],
  ['if', '(condition, a, b := NULL) AS CASE WHEN condition THEN a ELSE b END'],
  [
    'date_add',
    `(unit, n, t) AS make_timestamp_ns(epoch_ns(t) + CAST(n AS BIGINT) * CASE lower(unit)
       WHEN 'nanosecond' THEN 1 WHEN 'microsecond' THEN 1000 WHEN 'millisecond' THEN 1000000
       WHEN 'second' THEN 1000000000 WHEN 'minute' THEN 60000000000 WHEN 'hour' THEN 3600000000000
       WHEN 'day' THEN 86400000000000 WHEN 'week' THEN 604800000000000
       ELSE error('date_add takes nanosecond to week, not ' || unit) END)`,
  ],
];

/** Statements that define the macros. */
export const MACRO_STATEMENTS: readonly string[] = MACROS.map(
  ([name, definition]) => `CREATE OR REPLACE MACRO ${INTERNAL}.ts_${name}${definition}`,
);

/** From Timestream's name, in lower case, to DuckDB's. `now` and `ago` are not here, because they depend on the time of the query. */
export const FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ...SAME_NAME.map((name) => [name, name] as const),
  ...Object.entries(OTHER_NAME),
  ...MACROS.map(([name]) => [name, `${INTERNAL}.ts_${name}`] as const),
]);
