/** Sends one batch until its outcome is final: with retries, jitter, the delays that InfluxDB requests, and a circuit breaker. */
import type { Logger } from '../logger';
import type { AdaptiveLimit } from '../resilience/adaptive-limit';
import { type BackoffOptions, fullJitterDelay } from '../resilience/backoff';
import { type CircuitBreaker, UNKNOWN } from '../resilience/circuit-breaker';
import type { Clock } from '../resilience/clock';
import type { EncodedLines, LineWriter } from './client';
import type { WriteOutcome } from './outcome';

/** A call that the signal ended after less time, ms, says nothing about InfluxDB. */
const SLOW_MS = 2_000;

export interface DeliveryOptions {
  /** Maximum retries. Those while the breaker is open do not count. */
  readonly maxRetries: number;
  readonly backoff: BackoffOptions;
  /** Whether to wait as long as InfluxDB requests; if not, a response that requests a delay is final. */
  readonly waitsAsRequested: boolean;
  readonly breaker: CircuitBreaker;
  /** Of the calls to this InfluxDB; without it, the caller limits them. */
  readonly limit?: AdaptiveLimit;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Ends calls and delays early. */
  readonly signal: AbortSignal;
  readonly onRetry?: () => void;
}

/**
 * Sends the lines until the outcome is not retryable, no retries are left, or the signal aborts. A call that the signal ended is no
 * outcome: then the outcome of the call before it is returned, if there was one.
 * @throws the breaker's error, and the errors of the client
 */
export async function deliver(
  client: LineWriter,
  lines: EncodedLines,
  { maxRetries, backoff, waitsAsRequested, breaker, limit, logger, clock, signal, onRetry }: DeliveryOptions,
): Promise<WriteOutcome> {
  let last: WriteOutcome | undefined;
  for (let retries = 0; ; onRetry?.()) {
    let started = clock.now();
    const call = (): Promise<WriteOutcome> => {
      started = clock.now();
      return client.write(lines, signal);
    };
    const failureOf = (result: WriteOutcome) =>
      signal.aborted && clock.now() - started < SLOW_MS ? UNKNOWN : reasonAway(result);
    const attempt = (): Promise<WriteOutcome> => breaker.run(call, failureOf, signal);
    const outcome = limit ? await limit.run(attempt, isOverload) : await attempt();
    if (signal.aborted && outcome.kind === 'retryable') return last ?? outcome;
    if (outcome.kind !== 'retryable') return outcome;
    const { reason, cause, retryAfterMs, atOnce } = outcome;
    if (retryAfterMs !== undefined && !waitsAsRequested) return outcome;
    logger.warn('a write will be retried', { reason, cause, retries });
    last = outcome;
    if (breaker.isOpen && cause === 'unavailable') continue;
    if (retries === maxRetries) return outcome;
    if (!atOnce || retries > 0) await clock.delay((retryAfterMs ?? 0) + fullJitterDelay(retries, backoff), signal);
    retries += 1;
  }
}

/**
 * Whether InfluxDB has more to do than it can; undefined if that is unknown: an error may have any reason, and a stale connection was closed
 * while nothing was sent. A slow response is no overload, as it may be a flush that waits.
 */
function isOverload(outcome: WriteOutcome): boolean | undefined {
  if (outcome.kind !== 'retryable') return false;
  return outcome.cause === 'error' || outcome.atOnce ? undefined : true;
}

/** The reason to count a failure of InfluxDB towards opening the breaker. An InfluxDB that throttles is available. */
function reasonAway(outcome: WriteOutcome): string | undefined {
  return outcome.kind === 'retryable' && outcome.cause !== 'throttled' ? outcome.reason : undefined;
}
