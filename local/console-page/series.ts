/** Turns a result into the lines of a chart: time on x, and a line per tag set and number column. */
import type { ResultColumn, Row } from './responses';

export interface Series {
  /** For example `temperature, city=Lisbon`. */
  readonly name: string;
  /** A value per time; NaN where the series has none. */
  readonly values: Float64Array;
}

export interface Chart {
  /** Ascending, in seconds since 1970, as uPlot takes them. */
  readonly times: Float64Array;
  readonly series: readonly Series[];
  /** The number of series in the result; `series` has the first ones. */
  readonly total: number;
}

const MAX_SERIES = 20;
/** Maximum number of values, so that drawing stays fast when every series has times of its own. */
const MAX_VALUES = 1_000_000;

const isTime = ({ type }: ResultColumn): boolean => /^timestamp/i.test(type);
const isNumber = ({ type }: ResultColumn): boolean => /^(?:double|bigint|integer|real|decimal|float)/i.test(type);

/**
 * All columns that are neither time nor number are tags, but those of `ignored`.
 * @returns why there is no chart, if there is none
 */
export function chartOf(
  columns: readonly ResultColumn[],
  rows: readonly Row[],
  ignored: ReadonlySet<string> = new Set(),
): Chart | string {
  const indexes = columns.map((_, index) => index);
  const has = (test: (column: ResultColumn) => boolean) => indexes.filter((at) => columns.slice(at, at + 1).some(test));
  const [timeIndex] = has(isTime);
  const numbers = has(isNumber);
  if (timeIndex === undefined) return 'A chart needs a column of type timestamp. Select time, or bin(time, 1m).';
  if (numbers.length === 0) return 'A chart needs a column of numbers, such as a measure, avg(...) or count(*).';
  if (rows.length === 0) return 'The result has no rows.';
  const tags = varying(
    has((column) => !isTime(column) && !isNumber(column) && !ignored.has(column.name)),
    rows,
  );

  const times = distinctTimes(rows, timeIndex);
  const positions = new Map(Array.from(times, (time, position) => [time, position]));
  const limit = Math.max(1, Math.min(MAX_SERIES, Math.floor(MAX_VALUES / Math.max(1, times.length))));
  const found = new Map<string, Float64Array | undefined>();
  for (const row of rows) {
    const position = positions.get(seconds(row[timeIndex] ?? null));
    if (position === undefined) continue;
    const tagSet = tags.map((index) => `${columns[index]?.name}=${row[index] ?? 'NULL'}`);
    for (const index of numbers) {
      const cell = row[index] ?? null;
      if (cell === null) continue;
      const measure = numbers.length > 1 || tags.length === 0 ? [columns[index]?.name ?? ''] : [];
      const name = [...measure, ...tagSet].join(', ');
      if (!found.has(name)) {
        found.set(name, found.size < limit ? new Float64Array(times.length).fill(Number.NaN) : undefined);
      }
      const values = found.get(name);
      if (values !== undefined) values[position] = Number(cell);
    }
  }
  const series = [...found].flatMap(([name, values]) => (values === undefined ? [] : [{ name, values }]));
  // Rows come in any order, but a series keeps its colour.
  series.sort((one, other) => one.name.localeCompare(other.name, 'en', { numeric: true }));
  return { times, series, total: found.size };
}

/** The columns with more than one value; the others tell no series from another. */
function varying(indexes: readonly number[], rows: readonly Row[]): number[] {
  const [first] = rows;
  return indexes.filter((index) => rows.some((row) => row[index] !== first?.[index]));
}

function distinctTimes(rows: readonly Row[], index: number): Float64Array {
  const times = new Set(rows.map((row) => seconds(row[index] ?? null)));
  return Float64Array.from(times)
    .filter((time) => !Number.isNaN(time))
    .sort();
}

/** Seconds since 1970 of Timestream's text in UTC, such as `2026-11-29 02:54:24.000000000`. NaN for another text. */
export function seconds(text: string | null): number {
  const [, date, time, fraction] = text?.match(/^(\d+-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d)?)(\.\d+)?Z?$/) ?? [];
  return date === undefined ? Number.NaN : Date.parse(`${date}T${time}Z`) / 1_000 + Number(fraction ?? 0);
}
