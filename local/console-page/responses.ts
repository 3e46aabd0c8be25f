/** The responses of the console's API. */

/** A cell as the server's text; null is SQL's NULL. */
export type Cell = string | null;
export type Row = readonly Cell[];

export interface TableSize {
  readonly database: string;
  readonly table: string;
  /** Null if they are not counted: in Amazon Timestream a count reads the whole table, at a price. */
  readonly records: number | null;
}

export interface Overview {
  /** The server's start, ISO 8601. */
  readonly started: string;
  readonly uptimeMs: number;
  readonly destination: 'timestream' | 'both' | 'influxdb';
  /** Of the embedded Timestream, or of InfluxDB if it is the only destination; null for Amazon Timestream. */
  readonly url: string | null;
  /** Null if no point goes to InfluxDB. */
  readonly influxdbUrl: string | null;
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

export interface Databases {
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

export interface RefusedLine {
  readonly line: number;
  readonly reason: string;
  /** Empty if the destination only says how many lines it refuses. */
  readonly text: string;
  /** Which destination refuses it, if there are several. */
  readonly destination?: string;
}

export interface WriteEntry {
  readonly id: string;
  readonly time: number;
  readonly client: string;
  readonly path: string;
  readonly precision: string;
  readonly bytes: number;
  readonly lines: number;
  readonly status: number;
  readonly milliseconds: number;
  readonly stored: number;
  readonly unstored: number;
  /** The first 20. */
  readonly refused: readonly RefusedLine[];
  readonly refusedLines: number;
  /** Of the response; empty if the write succeeded. */
  readonly message: string;
}

export interface TriedLine {
  readonly line: number;
  readonly text: string;
  readonly outcome: 'stored' | 'faulty' | 'rejected';
  /** Of a stored line: why it is stored in one destination only. */
  readonly reason?: string;
  /** Of Timestream. */
  readonly table?: string;
  /** As WriteRecords receives it. */
  readonly record?: unknown;
}

export interface Run {
  readonly id: string;
  readonly kind: 'load' | 'migration';
  /** ISO 8601. */
  readonly started: string;
  readonly ended: string | null;
  readonly status: 'running' | 'succeeded' | 'failed' | 'interrupted';
  readonly source: string;
  readonly target: string;
  readonly items: { readonly done: number; readonly total: number; readonly failed: number };
  readonly points: { readonly written: number; readonly rejected: number; readonly failed: number };
  readonly pointsPerSecond: number;
  readonly causes: readonly { readonly cause: string; readonly count: number }[];
  readonly report: string | null;
}
