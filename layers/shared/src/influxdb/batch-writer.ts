/** Writes a stream of batches to InfluxDB: several in flight, with retries and jitter. Splits large batches and counts every line. */
import { setMaxListeners } from 'node:events';
import { InfluxDBConnectionError, InfluxDBWriteError } from '../errors';
import type { Logger } from '../logger';
import type { LineBatch } from '../points/batch-buffer';
import { type BreakerOptions, CircuitBreaker } from '../resilience/circuit-breaker';
import { type Clock, systemClock } from '../resilience/clock';
import type { EncodedLines, LineWriter } from './client';
import { deliver } from './delivery';
import { joinLines, splitLines } from './lines';
import { type LoadCount, LoadTally } from './load-count';
import type { WriteOutcome } from './outcome';

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
  private readonly tally = new LoadTally();
  private readonly abort = new AbortController();

  constructor(client: LineWriter, options: WriterOptions) {
    this.client = client;
    this.options = options;
    this.clock = options.clock ?? systemClock;
    this.random = options.random ?? Math.random;
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
    const failed = await this.store(batch);
    batch.release?.();
    this.tally.failedLines += failed;
    if (failed > 0) this.tally.failedBatches += 1;
  }

  /** Writes the lines, with retries and in parts if necessary. Returns the number of lines that failed. */
  private async store(batch: LineBatch): Promise<number> {
    if (batch.lines === 0) return 0;
    if (this.abort.signal.aborted) return batch.lines;
    try {
      const outcome = await this.deliver(await this.client.encode(batch.bytes));
      switch (outcome.kind) {
        case 'written':
          this.tally.pointsWritten += batch.lines;
          return 0;
        case 'rejected': {
          for (const rejection of outcome.rejections) this.tally.reject(rejection);
          const lines = batch.lines - outcome.rejections.reduce((sum, rejection) => sum + rejection.lines, 0);
          if (outcome.remainder) return await this.store({ bytes: outcome.remainder, lines });
          this.tally.pointsWritten += lines;
          return 0;
        }
        case 'too-large':
          return await this.storeHalves(batch, outcome.reason);
        case 'retryable':
          return this.fail(batch, new InfluxDBConnectionError(`${outcome.reason} (no retries left)`), false);
        case 'fatal':
          return this.fail(batch, new InfluxDBWriteError(outcome.reason), outcome.scope === 'load');
      }
    } catch (error) {
      return this.fail(batch, asError(error), true);
    }
  }

  private async storeHalves(batch: LineBatch, reason: string): Promise<number> {
    const lines = splitLines(batch.bytes);
    if (lines.length < 2) {
      this.tally.reject({ reason, lines: batch.lines, example: Buffer.from(batch.bytes).toString('utf8', 0, 1000) });
      return 0;
    }
    const half = Math.ceil(lines.length / 2);
    const failed = await this.store({ bytes: joinLines(lines.slice(0, half)), lines: half });
    return failed + (await this.store({ bytes: joinLines(lines.slice(half)), lines: batch.lines - half }));
  }

  private async deliver(encoded: EncodedLines): Promise<WriteOutcome> {
    const { maxRetries, logger } = this.options;
    return await deliver(this.client, encoded, {
      maxRetries,
      backoff: { ...BACKOFF, random: this.random },
      waitsAsRequested: true,
      breaker: this.breaker,
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
