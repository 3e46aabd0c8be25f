/** The outcome of a write, as a type. The next action depends on this type, never on the text of a message. */
import type { Exchange } from './transport';

/** Lines that InfluxDB rejected for one reason. `example` is one of the lines, or the whole message of InfluxDB. */
export interface Rejection {
  readonly reason: string;
  readonly lines: number;
  readonly example: string;
  /** The position in the batch, from 0, of the one line, where InfluxDB says which one it is. */
  readonly index?: number;
  /** Whether InfluxDB could not parse the lines; otherwise it could not store their points. */
  readonly isUnparsable?: boolean;
}

export type WriteOutcome =
  | { readonly kind: 'written' }
  /** InfluxDB rejected some lines. If there is a `remainder`, it has the other lines and must be sent; otherwise they are stored. */
  | { readonly kind: 'rejected'; readonly rejections: readonly Rejection[]; readonly remainder?: Uint8Array }
  /** The body exceeds the limit of InfluxDB. */
  | { readonly kind: 'too-large'; readonly reason: string }
  | Retryable
  /** A retry fails the same way: for this batch, or for every batch of the load (credentials, bucket, address). */
  | Fatal;

export interface Fatal {
  readonly kind: 'fatal';
  readonly scope: 'batch' | 'load';
  readonly reason: string;
  readonly status?: number;
  /** What InfluxDB does not have, where its response says so. */
  readonly missing?: 'org' | 'bucket' | undefined;
}

export interface Retryable {
  readonly kind: 'retryable';
  /** `throttled`: InfluxDB is busy; `error`: InfluxDB returned an error; `unavailable`: no response, or 502 to 504. */
  readonly cause: 'throttled' | 'error' | 'unavailable';
  readonly reason: string;
  /** The delay of Retry-After, ms, limited to 30 s. */
  readonly retryAfterMs?: number;
  /** The keep-alive connection was stale: retry immediately on a new one. */
  readonly atOnce?: boolean;
}

const MAX_RETRY_AFTER_S = 30;
const MAX_REASON = 500;
/** Status codes about the content of one batch. All other 3xx and 4xx apply to every batch. */
const BATCH_STATUSES: ReadonlySet<number> = new Set([400, 413, 422]);

/**
 * The outcome of an exchange by its HTTP status. Only 204, and 200 without a body (early InfluxDB 3), mean that the points are stored:
 * a proxy may return a page with 200, and 202 guarantees nothing.
 */
export function httpOutcome(exchange: Exchange): WriteOutcome {
  if (exchange.kind === 'no-response') {
    if (exchange.isPermanent) return { kind: 'fatal', scope: 'load', reason: exchange.reason };
    return { kind: 'retryable', cause: 'unavailable', reason: exchange.reason, atOnce: exchange.staleSocket };
  }
  const { status, body } = exchange;
  if (status === 204 || (status === 200 && body === '')) return { kind: 'written' };
  const reason = `InfluxDB returned ${status}: ${messageOf(body) || 'no reason given'}`;
  if (status === 413) return { kind: 'too-large', reason };
  const retryAfter = /^\d+$/.exec(exchange.retryAfter ?? '')?.[0];
  const wait = retryAfter && { retryAfterMs: Math.min(Number(retryAfter), MAX_RETRY_AFTER_S) * 1000 };
  const isBusy = status === 429 || (status === 503 && retryAfter !== undefined);
  if (isBusy) return { kind: 'retryable', cause: 'throttled', reason, ...wait };
  if (status >= 502 && status <= 504) return { kind: 'retryable', cause: 'unavailable', reason, ...wait };
  if (status >= 500 || status === 408 || status === 425) return { kind: 'retryable', cause: 'error', reason, ...wait };
  const isAboutBatch = BATCH_STATUSES.has(status) && isFromInfluxDB(body);
  return { kind: 'fatal', scope: isAboutBatch ? 'batch' : 'load', reason, status };
}

/** InfluxDB's errors about lines are JSON. A page or a text is from a proxy, or from a port that expects TLS. */
function isFromInfluxDB(body: string): boolean {
  const { message, error } = parseObject(body);
  return typeof message === 'string' || typeof error === 'string';
}

/** The text of an error body, at most 500 characters: `message` (InfluxDB 2), `error` (InfluxDB 3), or the body itself. */
export function messageOf(body: string): string {
  const { message, error } = parseObject(body);
  const text = [message, error].find((part) => typeof part === 'string' && part !== '') ?? body;
  return String(text).trim().slice(0, MAX_REASON);
}

/** The JSON object in a body; an empty object if the body is not one. */
export function parseObject(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
