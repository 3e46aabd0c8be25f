/** Runs statements by Timestream's Query API: pages, retries, and the meaning of errors. */
import type {
  ColumnInfo,
  QueryCommandInput,
  QueryCommandOutput,
  QueryStatus,
  Row,
} from '@aws-sdk/client-timestream-query';
import { TimestreamQueryError, TimestreamUnavailableError } from '../errors';
import { fullJitterDelay } from '../resilience/backoff';
import type { Clock } from '../resilience/clock';

/** One call of Query. Rejects with the error of the SDK. */
export type QueryCall = (input: QueryCommandInput, signal: AbortSignal) => Promise<QueryCommandOutput>;

export interface QueryServices {
  readonly query: QueryCall;
  readonly clock: Clock;
  /** Aborts when the step must end. */
  readonly deadline: AbortSignal;
}

/** The query is too large for the service: a smaller range of time may succeed. */
export class QueryTooLargeError extends Error {
  override readonly name = 'QueryTooLargeError';
}

/** The token of a query in progress is not known (any more), so the query cannot be continued. */
export class QueryTokenError extends Error {
  override readonly name = 'QueryTokenError';
}

const MAX_TRIES = 8;
const RETRY = { baseMs: 500, capMs: 20_000 };
/** The service holds a call up to 60 s while the query runs. If a server returns at once, this is the time between two calls. */
const MIN_POLL_MS = 200;

const TRANSIENT = new Set([
  'ThrottlingException',
  'InternalServerException',
  'InternalFailure',
  'ServiceUnavailable',
  'RequestTimeout',
  'RequestTimeTooSkewed',
  'TimeoutError',
  'ExpiredTokenException',
  'UnrecognizedClientException',
]);
/** Source: the messages of UNLOAD in the service, and the limit of 60 minutes for a query. */
const TOO_LARGE =
  /exceeds? (the )?maximum available memory|query (has )?timed? ?out|exceeded (the )?(maximum )?(execution )?time/i;

/**
 * One call, with retries.
 * @throws QueryTooLargeError, QueryTokenError, TimestreamQueryError or TimestreamUnavailableError
 */
export async function call(
  input: QueryCommandInput,
  { query, clock, deadline }: QueryServices,
): Promise<QueryCommandOutput> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await query(input, deadline);
    } catch (error) {
      const failure = failureOf(error, input);
      if (!(failure instanceof TimestreamUnavailableError) || tried >= MAX_TRIES || deadline.aborted) throw failure;
      await clock.delay(fullJitterDelay(tried - 1, RETRY), deadline);
      if (deadline.aborted) throw failure;
    }
  }
}

function failureOf(cause: unknown, { NextToken }: QueryCommandInput): Error {
  const {
    name = 'Error',
    message = '',
    code,
    $metadata,
  } = cause as Error & {
    code?: string;
    $metadata?: { httpStatusCode?: number };
  };
  const text = `Timestream: ${name}: ${message || (code ?? '')}`;
  const status = $metadata?.httpStatusCode;
  if (status === undefined || status >= 500 || status === 429 || TRANSIENT.has(name)) {
    return new TimestreamUnavailableError(text, { cause });
  }
  if (TOO_LARGE.test(message)) return new QueryTooLargeError(text, { cause });
  if (NextToken !== undefined && /\btoken\b|NextToken/i.test(message)) return new QueryTokenError(text, { cause });
  const isDenied = name === 'AccessDeniedException';
  const hint = isDenied
    ? ' (Timestream for LiveAnalytics is available only to accounts that used it before 2025-06-20)'
    : '';
  return new TimestreamQueryError(`${text}${hint}`, { cause });
}

export interface QueryResult {
  readonly columns: readonly ColumnInfo[];
  /** Values as text, in the order of the columns; null for NULL. */
  readonly rows: readonly (readonly (string | null)[])[];
  readonly scannedBytes: number;
  /** Bytes that are charged for. */
  readonly meteredBytes: number;
}

export interface Progress {
  /** The token that continues the query. */
  readonly nextToken: string;
  readonly percent: number;
}

/** A query to start, or one to continue. */
export interface Statement {
  readonly sql: string;
  /** 32 to 128 characters. Within about five minutes, the service takes a request with the same token for the same query. */
  readonly clientToken?: string;
  /** Continues the query of this token. */
  readonly nextToken?: string | undefined;
}

/**
 * Runs a statement to its end and collects its rows.
 * @param onProgress called with each token, and awaited before the next call
 * @throws QueryTooLargeError, QueryTokenError, TimestreamQueryError or TimestreamUnavailableError
 */
export async function run(
  { sql, clientToken, nextToken }: Statement,
  services: QueryServices,
  onProgress?: (progress: Progress) => Promise<void>,
): Promise<QueryResult> {
  const rows: (string | null)[][] = [];
  let columns: readonly ColumnInfo[] = [];
  let status: QueryStatus | undefined;
  for (let token = nextToken; ; ) {
    const start = services.clock.now();
    const isFirst = token === undefined;
    const input = { QueryString: sql, ...(isFirst ? { ClientToken: clientToken } : { NextToken: token }) };
    const page = await call(input, services);
    if (page.ColumnInfo !== undefined && page.ColumnInfo.length > 0) columns = page.ColumnInfo;
    for (const row of page.Rows ?? []) rows.push(values(row));
    status = page.QueryStatus ?? status;
    token = page.NextToken;
    if (token === undefined) break;
    await onProgress?.({ nextToken: token, percent: status?.ProgressPercentage ?? 0 });
    const wait = MIN_POLL_MS - (services.clock.now() - start);
    if ((page.Rows ?? []).length === 0 && wait > 0) await services.clock.delay(wait, services.deadline);
  }
  const scannedBytes = status?.CumulativeBytesScanned ?? 0;
  return { columns, rows, scannedBytes, meteredBytes: status?.CumulativeBytesMetered ?? scannedBytes };
}

const values = ({ Data }: Row): (string | null)[] => (Data ?? []).map(({ ScalarValue }) => ScalarValue ?? null);

/** The value of a result with one row and at least `count` columns. @throws TimestreamQueryError for any other result */
export function single({ rows }: QueryResult, count: number, sql: string): readonly (string | null)[] {
  const [row, ...others] = rows;
  if (row === undefined || others.length > 0 || row.length < count) {
    throw new TimestreamQueryError(`Timestream returned ${rows.length} rows, not one, for: ${sql.slice(0, 200)}`);
  }
  return row;
}
