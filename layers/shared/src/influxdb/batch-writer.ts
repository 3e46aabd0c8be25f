/** Writes a stream of batches to InfluxDB: several in flight, with retries and jitter. Splits large batches and counts every line. */
import { setMaxListeners } from 'node:events';
import { InfluxDBConnectionError, InfluxDBWriteError } from '../errors';
import type { Logger } from '../logger';
import type { LineBatch } from '../points/batch-buffer';
import { AdaptiveLimit } from '../resilience/adaptive-limit';
import { type BreakerOptions, CircuitBreaker } from '../resilience/circuit-breaker';
import { type Clock, systemClock } from '../resilience/clock';
import type { EncodedLines, LineWriter } from './client';
import { deliver } from './delivery';
import { joinLines, splitLines } from './lines';
import { type LoadCount, LoadTally } from './load-count';
import type { Rejection, WriteOutcome } from './outcome';
import { findRejected, partToTry } from './rejected-points';

export interface WriterOptions {
  /** Retries per batch. Retries during an outage of InfluxDB do not count: the circuit breaker limits them. */
  readonly maxRetries: number;
  /** true: a failed batch is counted and the load continues. false: a failed batch ends the load. */
  readonly skipFailedBatches: boolean;
  /** Maximum number of batches in flight. */
  readonly concurrency: number;
  /** Maximum bytes of lines in flight; one batch may exceed it. */
  readonly maxBytesInFlight: number;
  readonly logger: Logger;
  /** Ends the load early, for example before a deadline. */
  readonly signal?: AbortSignal;
  readonly breaker?: Omit<BreakerOptions, 'clock' | 'random'>;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** Maximum delays before the retries: 0.5 s, 1 s, 2 s ... 10 s. */
const BACKOFF = { baseMs: 500, capMs: 10_000 };

/**
 * Maximum splits of one batch to find lines that InfluxDB rejected without reporting which ones; the lines that remain unknown then fail.
 * A type conflict in each of 180 shards of a day takes 179.
 */
const MAX_SPLITS = 256;
interface Splits {
  left: number;
}

/** Precision of the loader's lines. */
const PRECISION = 'ns';

/**
 * Writes all batches and returns the count. Never throws: `failure` is the error that ended the load early (an error of the source,
 * InfluxDBConnectionError, InfluxDBWriteError, or an error of the token). When it returns, no request is in flight and the source is
 * closed. The load ends early when
 * - a batch fails and `skipFailedBatches` is false,
 * - InfluxDB rejects the credentials, the bucket or the address, because this affects every batch,
 * - the circuit breaker times out: by default about 35 s after InfluxDB refuses connections, or 60 s after it stops responding,
 * - the signal aborts. A source that can wait for a long time should end by the same signal.
 */
export function writeBatches(
  batches: AsyncIterable<LineBatch>,
  client: LineWriter,
  options: WriterOptions,
): Promise<LoadCount> {
  return new BatchWriter(client, options).writeAll(batches);
}

class BatchWriter {
  private readonly client: LineWriter;
  private readonly options: WriterOptions;
  private readonly clock: Clock;
  private readonly random: () => number;
  private readonly breaker: CircuitBreaker;
  private readonly limit: AdaptiveLimit;
  private readonly tally = new LoadTally();
  private readonly abort = new AbortController();

  constructor(client: LineWriter, options: WriterOptions) {
    this.client = client;
    this.options = options;
    this.clock = options.clock ?? systemClock;
    this.random = options.random ?? Math.random;
    this.limit = new AdaptiveLimit(options.concurrency);
    this.breaker = new CircuitBreaker(unavailable, { ...options.breaker, clock: this.clock, random: this.random });
    // Each request in flight adds a listener. Node warns about a leak above 10.
    setMaxListeners(0, this.abort.signal);
  }

  async writeAll(batches: AsyncIterable<LineBatch>): Promise<LoadCount> {
    const { signal, concurrency, maxBytesInFlight } = this.options;
    const onAbort = (): void =>
      this.stop(new InfluxDBConnectionError('the load was stopped before it was complete', { cause: signal?.reason }));
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
    const inFlight = new Set<Promise<void>>();
    let bytesInFlight = 0;
    try {
      for await (const batch of batches) {
        // The bytes of a released batch may be reused.
        const size = batch.bytes.length;
        bytesInFlight += size;
        const writing = this.writeBatch(batch).finally(() => {
          bytesInFlight -= size;
          inFlight.delete(writing);
        });
        inFlight.add(writing);
        while (inFlight.size >= concurrency || bytesInFlight >= maxBytesInFlight) await Promise.race(inFlight);
        if (this.abort.signal.aborted) break;
      }
    } catch (error) {
      // The source failed. The batches that it returned before are complete, so they are still written.
      this.tally.failure ??= asError(error);
    }
    await Promise.all(inFlight);
    signal?.removeEventListener('abort', onAbort);
    return this.tally.result();
  }

  private async writeBatch(batch: LineBatch): Promise<void> {
    this.tally.batches += 1;
    const failed = await this.store(batch, { left: MAX_SPLITS });
    batch.release?.();
    this.tally.failedLines += failed;
    if (failed > 0) this.tally.failedBatches += 1;
  }

  /** Writes the lines, with retries and in parts if necessary. Returns the number of lines that failed. */
  private async store(batch: LineBatch, splits: Splits): Promise<number> {
    if (batch.lines === 0) return 0;
    if (this.abort.signal.aborted) return batch.lines;
    try {
      const outcome = await this.deliver(await this.client.encode(batch.bytes));
      switch (outcome.kind) {
        case 'written':
          this.tally.pointsWritten += batch.lines;
          return 0;
        case 'rejected':
          return await this.settleRejected(batch, outcome, splits);
        case 'too-large':
          return await this.storeHalves(batch, outcome.reason, splits);
        case 'retryable':
          return this.fail(batch, new InfluxDBConnectionError(`${outcome.reason} (no retries left)`), false);
        case 'fatal':
          return this.fail(batch, new InfluxDBWriteError(outcome.reason), outcome.scope === 'load');
      }
    } catch (error) {
      return this.fail(batch, asError(error), true);
    }
  }

  /** Counts the rejected lines that InfluxDB reports, and sends the others again unless they are stored for certain. */
  private async settleRejected(
    batch: LineBatch,
    { rejections, remainder }: Extract<WriteOutcome, { kind: 'rejected' }>,
    splits: Splits,
  ): Promise<number> {
    const { found, unknown } = findRejected(batch.bytes, PRECISION, rejections);
    if (unknown.length > 0 || found.size === 0) return await this.findInParts(batch, rejections, splits);
    for (const rejection of found.values()) this.tally.reject({ ...rejection, lines: 1 });
    const left = batch.lines - found.size;
    if (remainder === undefined && rejections.every(({ index }) => index !== undefined)) {
      this.tally.pointsWritten += left;
      return 0;
    }
    const others = splitLines(batch.bytes).filter((_, index) => !found.has(index));
    return await this.store({ bytes: joinLines(others), lines: left }, splits);
  }

  /** The lines that are stored already are sent once more, which does not change them. */
  private async findInParts(batch: LineBatch, rejections: readonly Rejection[], splits: Splits): Promise<number> {
    const { reason, example } = rejections[0] ?? { reason: '', example: '' };
    if (batch.lines === 1 && rejections.every(({ lines }) => lines === 0)) {
      this.tally.pointsWritten += 1;
      return 0;
    }
    if (batch.lines === 1 || splits.left === 0) {
      const text = `InfluxDB rejected some of ${batch.lines} lines, and did not report which ones: ${reason}`;
      return this.fail(batch, new InfluxDBWriteError(text), false);
    }
    splits.left -= 1;
    return await this.storeParts(batch, partToTry(batch.bytes, PRECISION, example), splits);
  }

  private async storeHalves(batch: LineBatch, reason: string, splits: Splits): Promise<number> {
    if (batch.lines === 1) {
      this.tally.reject({ reason, lines: 1, example: Buffer.from(batch.bytes).toString('utf8', 0, 1000) });
      return 0;
    }
    return await this.storeParts(batch, new Set(Array(Math.ceil(batch.lines / 2)).keys()), splits);
  }

  private async storeParts(batch: LineBatch, part: ReadonlySet<number>, splits: Splits): Promise<number> {
    const lines = splitLines(batch.bytes);
    const first = lines.filter((_, index) => part.has(index));
    const second = lines.filter((_, index) => !part.has(index));
    const failed = await this.store({ bytes: joinLines(first), lines: first.length }, splits);
    return failed + (await this.store({ bytes: joinLines(second), lines: batch.lines - first.length }, splits));
  }

  private async deliver(encoded: EncodedLines): Promise<WriteOutcome> {
    const { maxRetries, logger } = this.options;
    return await deliver(this.client, encoded, {
      maxRetries,
      backoff: { ...BACKOFF, random: this.random },
      waitsAsRequested: true,
      breaker: this.breaker,
      limit: this.limit,
      logger,
      clock: this.clock,
      signal: this.abort.signal,
      onRetry: () => {
        this.tally.retries += 1;
      },
    });
  }

  private fail(batch: LineBatch, error: Error, endsLoad: boolean): number {
    if (!this.abort.signal.aborted) {
      this.options.logger.error('a batch failed', { lines: batch.lines, error });
      if (endsLoad || !this.options.skipFailedBatches) this.stop(error);
    }
    return batch.lines;
  }

  /** Ends the load. Only the first error is reported. */
  private stop(error: Error): void {
    this.tally.failure ??= error;
    this.abort.abort();
  }
}

function unavailable(ms: number, reason: string): Error {
  return new InfluxDBConnectionError(`InfluxDB was unavailable for ${ms / 1000} s: ${reason}`);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
