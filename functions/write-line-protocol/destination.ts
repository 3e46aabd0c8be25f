/** A destination of points: what the write function needs of Timestream and of InfluxDB. */
import type { TableTotals } from 'shared/connector-metrics';
import type { DestinationName } from 'shared/destination-config';
import type { Precision } from 'shared/line-protocol/precision';
import type { LinePlace, LineReport, ListedReason } from 'shared/line-report';
import type { ApiError } from './api-error';
import type { HttpRequest } from './request';

export interface RequestLines {
  readonly request: HttpRequest;
  /** The lines, without compression. */
  readonly body: Buffer;
  readonly precision: Precision;
  /** Positions of lines that this destination must not store: each the start of a line in the body. */
  readonly leftOut: ReadonlySet<number>;
}

export interface StoreOutcome {
  /** Lines that became points. Invalid lines, and lines that exceed a limit of the destination, did not. */
  readonly points: number;
  readonly calls: number;
  /** Calls that the destination throttled. Their points may be stored by a retry. */
  readonly throttledCalls: number;
  /** Missing tables that were created; undefined for a destination without tables. */
  readonly newTables?: number;
  /** What was done in each table, where the metrics of tables are enabled. */
  readonly tables?: ReadonlyMap<string, TableTotals> | undefined;
  /** Stored points, including those that the destination already has in a newer version. */
  readonly stored: number;
  readonly superseded: number;
  /** Points that were not sent or have an unknown result. The client can safely send them again. */
  readonly unstored: number;
  readonly throttled: boolean;
  /** Points that are in the dead-letter queue for this destination. */
  readonly kept?: number;
  /** Why points are unstored, for the log. */
  readonly unstoredReason: string | undefined;
  /** The same for a client, to follow `N points could not be stored`; it discloses no internals. */
  readonly advice: string;
  /** The lines of the unstored points, where they may be stored later without the client. */
  readonly unstoredLines?: readonly LinePlace[];
  /** Seconds after which the destination wants the request again. */
  readonly retryAfter?: number | undefined;
  /** The response if the client cannot succeed by sending the request again, and no other destination is to store it. */
  readonly refusal?: ApiError | undefined;
}

/** Stores the lines until the signal aborts. When it returns, the outcome of every point is known. */
export type Store = (signal: AbortSignal) => Promise<StoreOutcome>;

export interface Destination {
  readonly name: DestinationName;
  /**
   * Prepares to store lines. The lines that cannot be stored go to `report`: those that the destination's own limits exclude before
   * the promise of `Store` is returned, and those that the service rejects before it settles.
   * @throws ApiError, RequestTooLargeError for a request that the destination cannot store; nothing is sent then
   */
  prepare(lines: RequestLines, report: LineReport): Store;
  /** Rejects if the destination cannot be written to; with UnwritableError if the cause is known. */
  check(signal: AbortSignal): Promise<unknown>;
}

/** A destination cannot be written to. The message is for clients, and `cause`, which may disclose internals, for the log. */
export class UnwritableError extends Error {
  override readonly name = 'UnwritableError';

  constructor(message: string, cause: unknown) {
    super(message, { cause });
  }
}

export interface DestinationResult extends StoreOutcome {
  readonly destination: DestinationName;
}

/** What became of the lines in all destinations together. */
export interface RequestResult {
  readonly results: readonly DestinationResult[];
  /**
   * With one destination: the points that it stored. With two: the lines that both have stored. The number is not exact (usually too low)
   * where InfluxDB does not say which lines it rejected, and where Timestream left points unstored.
   */
  readonly stored: number;
  /** The largest number of points that one destination left unstored. */
  readonly unstored: number;
  readonly faultyLines: number;
  /** Lines that a destination cannot store. A line that both reject counts once, but where InfluxDB does not say which lines it rejected. */
  readonly rejectedLines: number;
  /** Lines that are stored in InfluxDB only, because of a limit of Timestream. */
  readonly influxdbOnlyLines: number;
  /** The first lines that are not stored everywhere, and the reasons. */
  readonly reasons: readonly ListedReason[];
}
