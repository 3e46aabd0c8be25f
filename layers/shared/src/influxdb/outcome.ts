/** What became of a write, as a type: what to do next is never read from a text. */
import type { Exchange } from './transport';

/** Lines that InfluxDB refused for one reason; `example` is one of them, or InfluxDB's whole message about them. */
export interface Rejection {
  readonly reason: string;
  readonly lines: number;
  readonly example: string;
}

export type WriteOutcome =
  | { readonly kind: 'written' }
  /** Some lines were refused. The others are stored, or where there is a `remainder` it holds them and has to be sent. */
  | { readonly kind: 'rejected'; readonly rejections: readonly Rejection[]; readonly remainder?: Uint8Array }
  /** The body is larger than InfluxDB takes. */
  | { readonly kind: 'too-large'; readonly reason: string }
  | Retryable
  /** Repeating it cannot succeed: for this batch, or for every batch of the load (credentials, bucket, address). */
  | { readonly kind: 'fatal'; readonly scope: 'batch' | 'load'; readonly reason: string };

export interface Retryable {
  readonly kind: 'retryable';
  /** `throttled`: InfluxDB asks for patience; `error`: it answered with a fault; `unavailable`: nobody answered for it. */
  readonly cause: 'throttled' | 'error' | 'unavailable';
  readonly reason: string;
  /** What Retry-After asked for, ms, bounded. */
  readonly retryAfterMs?: number;
  /** A connection that had gone stale: try again at once on a new one. */
  readonly atOnce?: boolean;
}

const MAX_RETRY_AFTER_S = 30;
const MAX_REASON = 500;
/** Answers about the content of one batch; all other 4xx and 3xx concern every batch alike. */
const BATCH_STATUSES: ReadonlySet<number> = new Set([400, 413, 422]);

/**
 * The outcome of an exchange as far as HTTP alone tells. Only 204, and 200 without a body (early InfluxDB 3), mean stored: a
 * page of some proxy also comes with 200, and 202 with no promise.
 */
export function httpOutcome(exchange: Exchange): WriteOutcome {
  if (exchange.kind === 'no-response') {
    if (exchange.isPermanent) return { kind: 'fatal', scope: 'load', reason: exchange.reason };
    return { kind: 'retryable', cause: 'unavailable', reason: exchange.reason, atOnce: exchange.staleSocket };
  }
  const { status, body } = exchange;
  if (status === 204 || (status === 200 && body === '')) return { kind: 'written' };
  const reason = `InfluxDB answered ${status}: ${messageOf(body) || 'no reason given'}`;
  if (status === 413) return { kind: 'too-large', reason };
  const retryAfter = /^\d+$/.exec(exchange.retryAfter ?? '')?.[0];
  const wait = retryAfter && { retryAfterMs: Math.min(Number(retryAfter), MAX_RETRY_AFTER_S) * 1000 };
  const isBusy = status === 429 || (status === 503 && retryAfter !== undefined);
  if (isBusy) return { kind: 'retryable', cause: 'throttled', reason, ...wait };
  if (status >= 502 && status <= 504) return { kind: 'retryable', cause: 'unavailable', reason, ...wait };
  if (status >= 500 || status === 408 || status === 425) return { kind: 'retryable', cause: 'error', reason, ...wait };
  return { kind: 'fatal', scope: BATCH_STATUSES.has(status) ? 'batch' : 'load', reason };
}

/** The text of an error body: `message` (InfluxDB 2), `error` (InfluxDB 3), or the body itself, cut. */
export function messageOf(body: string): string {
  const { message, error } = parseObject(body);
  const text = [message, error].find((part) => typeof part === 'string' && part !== '') ?? body;
  return String(text).trim().slice(0, MAX_REASON);
}

/** The JSON object in a body, or an empty one. */
export function parseObject(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
