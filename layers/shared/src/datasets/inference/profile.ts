/** What a sample of a file's rows shows about its columns: the input of the inference, as plain data. */
import type { ColumnType } from '../../parquet/column-type';

/** Distinct values per column and file that a profile lists. A column with more values is no tag. */
export const MAX_LISTED = 10_000;

export interface ColumnProfile {
  readonly name: string;
  readonly type: ColumnType;
  /** As the file declares it: `INT64 TIMESTAMP(MICROS)`. */
  readonly declared: string;
  /** Sampled rows without a value. */
  readonly nulls: number;
  /** The distinct values of a text, UUID or integer column, as text; null if there are too many to list. Undefined for other types. */
  readonly values?: readonly string[] | null;
  /** Of a column of integers with a value; of timestamps, dates and texts that are times in seconds since 1970. */
  readonly range?: { readonly min: number; readonly max: number };
  /** What all values of a text column are. An empty text counts as a missing value. */
  readonly texts?: {
    readonly areTimes: boolean;
    readonly areNumbers: boolean;
    readonly areUtf8: boolean;
    /** Whether some of them are times. */
    readonly hasTimes?: boolean;
    /** The first text that is not a time. */
    readonly notTime?: string | undefined;
  };
}

export interface FileProfile {
  /** The columns that its path supplies; none by default. */
  readonly folders?: ReadonlyMap<string, string | null>;
  /** As in messages. */
  readonly name: string;
  /** Rows of the file. */
  readonly rows: number;
  readonly sampledRows: number;
  readonly columns: readonly ColumnProfile[];
}

/** The combinations of tag values in a sample. */
export interface SeriesProfile {
  /** The hashes of the distinct combinations as InfluxDB stores them. */
  readonly series: readonly number[];
  /** The hashes of the distinct points: of a combination and a time. */
  readonly points: readonly number[];
  /** Rows that repeat a point of an earlier row. Rows without a time are no points. */
  readonly duplicates: number;
}
