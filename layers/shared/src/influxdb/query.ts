/** Runs queries on InfluxDB: Flux on InfluxDB 2, SQL on InfluxDB 3. */
import { InfluxDBConnectionError, InfluxDBWriteError } from '../errors';
import { fullJitterDelay } from '../resilience/backoff';
import { type Clock, systemClock } from '../resilience/clock';
import type { InfluxClient } from './client';
import { fluxRows } from './flux-csv';
import { httpOutcome, messageOf } from './outcome';
import type { RequestOptions } from './transport';

export interface QueryOptions {
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock;
}

/** Timeout of one query, ms. */
const TIMEOUT_MS = 600_000;
const MAX_TRIES = 5;
const RETRY = { baseMs: 500, capMs: 10_000 };

/**
 * The rows of a Flux query, as texts by column.
 * @throws InfluxDBConnectionError after all retries; InfluxDBWriteError if InfluxDB refuses the query
 */
export async function queryFlux(client: InfluxClient, query: string, options: QueryOptions = {}) {
  const { org } = client.target;
  const path = `/api/v2/query?${new URLSearchParams({ org })}`;
  const body = { query, type: 'flux', dialect: { annotations: [], header: true } };
  return fluxRows(await post(client, path, body, 'application/csv', options));
}

/**
 * The rows of a SQL query.
 * @throws InfluxDBConnectionError after all retries; InfluxDBWriteError if InfluxDB refuses the query
 */
export async function querySql(
  client: InfluxClient,
  sql: string,
  options: QueryOptions = {},
): Promise<Record<string, unknown>[]> {
  const body = { db: client.target.bucket, q: sql, format: 'json' };
  const text = await post(client, '/api/v3/query_sql', body, 'application/json', options);
  const rows: unknown = JSON.parse(text);
  if (!Array.isArray(rows)) throw new InfluxDBConnectionError('InfluxDB returned no rows for a SQL query');
  return rows as Record<string, unknown>[];
}

async function post(
  client: InfluxClient,
  path: string,
  body: object,
  accept: string,
  { signal, clock = systemClock }: QueryOptions,
): Promise<string> {
  const headers = { 'content-type': 'application/json', accept };
  const request: RequestOptions = {
    method: 'POST',
    path,
    headers,
    body: Buffer.from(JSON.stringify(body)),
    timeoutMs: TIMEOUT_MS,
    signal,
  };
  for (let tried = 1; ; tried += 1) {
    const exchange = await client.send(request);
    if (exchange.kind === 'response' && exchange.status === 200) {
      // Flux reports an error that occurs while rows are sent as a last table.
      const late = accept === 'application/csv' ? lateError(exchange.body) : undefined;
      if (late === undefined) return exchange.body;
      throw new InfluxDBWriteError(`InfluxDB cannot run the query: ${late}`);
    }
    const outcome = httpOutcome(exchange);
    const reason = exchange.kind === 'response' ? `${exchange.status}: ${messageOf(exchange.body)}` : exchange.reason;
    if (outcome.kind !== 'retryable') throw new InfluxDBWriteError(`InfluxDB refuses a query: ${reason}`);
    if (tried >= MAX_TRIES || signal?.aborted)
      throw new InfluxDBConnectionError(`InfluxDB cannot be queried: ${reason}`);
    await clock.delay(fullJitterDelay(tried - 1, RETRY), signal);
  }
}

function lateError(csv: string): string | undefined {
  const at = csv.startsWith('error,reference\r\n') ? 0 : csv.indexOf('\r\nerror,reference\r\n');
  if (at < 0) return undefined;
  return fluxRows(csv.slice(at).trimStart())[0]?.error;
}
