/** What became of the rows of a run: counts that add up over the runs of a file and over files. */
import { own } from '../own';
import type { SeriesReport } from './series-counts';

export interface PointsReport {
  readonly rows: number;
  readonly points: number;
  /** Bytes of line protocol. */
  readonly bytes: number;
  readonly invalid: readonly InvalidRows[];
  /** Of an export: rows of NULLs alone, which are neither points nor invalid. */
  readonly empty?: number;
  /** Of an export: the sum of the points' series and times, to recognize a set of points that comes twice. */
  readonly pointSet?: string;
  /** Points that repeat tags, time and named field of an earlier point of this run; InfluxDB keeps the last. A lower bound for a file. */
  readonly duplicates: number;
  /** Distinct points by tags, time and named field: bytes of `DistinctCounter`; none unless they were counted. */
  readonly distinct: Uint8Array;
  readonly warnings: readonly Warning[];
  /** Rows with a value, by mapped column of the file. */
  readonly present: Readonly<Record<string, number>>;
  /** The times of the first and last point, ns since 1970 as decimals; null without points. */
  readonly earliest: string | null;
  readonly latest: string | null;
  /** Points before the time `keepFrom` of the run. */
  readonly beforeKeepFrom: number;
  readonly series: SeriesReport;
}

/** An invalid row counts once, under the first error found: time, then tags, then fields. */
export interface InvalidRows {
  readonly reason: InvalidReason;
  readonly column: string;
  readonly count: number;
  /** The first few. */
  readonly examples: readonly InvalidExample[];
}

/**
 * `no-fields`: every field of the row is missing, and a point needs one. `unreadable`: text that is not a number, not a time or not
 * UTF-8, or a column of a type that cannot be used. `out-of-range`: a time before 1677-09-21 or after 2262-04-11, or a value outside the
 * type of its field. `not-an-integer`: a number with a fraction. `inexact`: an integer that no double is, or a time with a fraction of its
 * field's unit. `not-a-name`: text that cannot be a measurement or the key of a field. `name-taken`: the text of a column names a field,
 * and another field or tag of the row has the same name. `unexpected`: another text than the mapping expects.
 */
export type InvalidReason =
  | 'missing'
  | 'nan'
  | 'infinite'
  | 'unreadable'
  | 'out-of-range'
  | 'no-fields'
  | 'not-a-name'
  | 'not-an-integer'
  | 'inexact'
  | 'name-taken'
  | 'unexpected';

export interface InvalidExample {
  /** In the file, from 0. */
  readonly row: number;
  readonly value: string | null;
}

/** A row without a point, for a reject file. */
export interface RejectedRow extends InvalidExample {
  readonly reason: InvalidReason;
  readonly column: string;
  /** The row's mapped columns. */
  readonly values: Readonly<Record<string, string | null>>;
}

/** Takes invalid rows. Once it is full, rows are no longer rendered, and it gets only their number. */
export interface RejectSink {
  readonly isFull: boolean;
  add(row: RejectedRow): void;
  omit(rows: number): void;
}

/**
 * `unknown-value`: a tag's value that the mapping does not list. `out-of-range`: a number outside the mapping's range. `left-out`: an
 * optional number that is unreadable, NaN or infinite, or an optional text that is not UTF-8; with the reason in `value`. `renamed`: a field that is stored under
 * the name in `value`, because the unit's field uses its own name. `ignored`: an optional column of a type that cannot be used.
 * `absent`: an optional column that the file lacks, counted once per file. `trailing-backslash`: a tag that was stored without its last backslash, which line protocol cannot express.
 * `control-character`: a tag with a line feed, carriage return or tab, stored as the two characters `\n`, `\r` or `\t`.
 * `unit-ignored`: a column that is not of integers, although the mapping has a unit for its integers.
 */
export interface Warning {
  readonly kind:
    | 'unknown-value'
    | 'out-of-range'
    | 'left-out'
    | 'renamed'
    | 'ignored'
    | 'trailing-backslash'
    | 'control-character'
    | 'unit-ignored'
    | 'absent';
  readonly column: string;
  readonly value?: string;
  readonly count: number;
  /** The first value that was left out. */
  readonly example?: InvalidExample;
}

/** The counts that a report has without points. */
export const NO_POINTS = {
  duplicates: 0,
  distinct: new Uint8Array(0),
  earliest: null,
  latest: null,
  beforeKeepFrom: 0,
  series: { measurements: [], tags: [] },
} as const;

export const EXAMPLES = 5;
export const WARNED_VALUES = 50;

/** Rows with a value in a column. */
export function rowsWith(column: string, { present }: Pick<PointsReport, 'present'>): number {
  return own(present, column) ?? 0;
}

/** Invalid rows as a sentence for a person: `12 rows: value is nan (row 7: NaN; row 9: NaN)`. */
export function describeInvalid(invalid: readonly InvalidRows[]): string {
  return invalid
    .map(({ reason, column, count, examples }) => {
      const shown = examples
        .map(({ row, value }) => `row ${row}: ${value === null ? 'null' : JSON.stringify(value)}`)
        .join('; ');
      return `${count} ${count === 1 ? 'row' : 'rows'} with ${column} ${reason} (${shown})`;
    })
    .join(', ');
}
