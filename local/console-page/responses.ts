/** The responses of the console's API. */
import type { RecordedWrite, RefusedLine } from '../console/recorder';
import type { TriedLine } from '../console/tried-line';
import type { Run } from '../runs/run';

export type { RefusedLine, Run };

/** A cell as the server's text; null is SQL's NULL. */
export type Cell = string | null;
export type Row = readonly Cell[];

export interface TableSize {
  readonly database: string;
  readonly table: string;
  /** Null if they are not counted: in Amazon Timestream a count reads the whole table, at a price. */
  readonly records: number | null;
}

/** Where points are stored. */
export interface Place {
  readonly destination: 'timestream' | 'both' | 'influxdb';
  /** Of the embedded Timestream, or of InfluxDB if it is the only destination; null for Amazon Timestream. */
  readonly url: string | null;
  /** Null if no point goes to InfluxDB. */
  readonly influxdbUrl: string | null;
}

export interface Overview extends Place {
  /** The server's start, ISO 8601. */
  readonly started: string;
  readonly uptimeMs: number;
  /** The last 300 s with the current one; `time` is the start of a second, ms since 1970. */
  readonly seconds: readonly { readonly time: number; readonly points: number; readonly requests: number }[];
  readonly statuses: Readonly<Record<string, number>>;
  /** Of the last 1,000 writes; null before the first. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly pointsStored: number;
  readonly rejectedLines: number;
  readonly faultyLines: number;
  readonly unstored: number;
  readonly tables: readonly TableSize[];
}

export interface Databases extends Place {
  readonly databases: readonly {
    readonly database: string;
    readonly tables: readonly Omit<TableSize, 'database'>[];
  }[];
}

export interface TableColumn {
  readonly name: string;
  readonly role: 'time' | 'measure name' | 'dimension' | 'measure';
  readonly type: string;
}

export interface TableDetails {
  readonly columns: readonly TableColumn[];
  readonly rows: readonly Row[];
}

export interface ResultColumn {
  readonly name: string;
  readonly type: string;
}

export interface QueryResult {
  readonly columns: readonly ResultColumn[];
  readonly rows: readonly Row[];
  readonly truncated: boolean;
  readonly milliseconds: number;
}

export interface WriteEntry extends Omit<RecordedWrite, 'faultyLines' | 'rejectedLines'> {
  readonly id: string;
  readonly refusedLines: number;
}

export interface TriedLines {
  readonly lines: readonly TriedLine[];
  /** The checks that only the destinations make, as a sentence. */
  readonly unchecked: string;
}
