/** The form of one result file, CSV or Parquet. */
import type { DuckDBValue } from '@duckdb/node-api';

/** Receives the bytes of a file in order. */
export type Sink = (bytes: Uint8Array) => Promise<void>;

export interface ResultFile {
  /** Adds rows, given as one array per column of the same length. */
  add(columns: readonly (readonly DuckDBValue[])[]): Promise<void>;
  /** Adds what a complete file needs at its end. */
  end(): Promise<void>;
}

export interface ResultFormat {
  /** With its dot. */
  readonly extension: string;
  open(sink: Sink): Promise<ResultFile>;
}
