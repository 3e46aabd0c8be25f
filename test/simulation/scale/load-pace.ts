/** Runs the batch writers of several items against a model of one InfluxDB, on a virtual clock. */

import { writeBatches } from 'shared/influxdb/batch-writer';
import type { EncodedLines, LineWriter } from 'shared/influxdb/client';
import type { WriteOutcome } from 'shared/influxdb/outcome';
import type { LineBatch } from 'shared/points/batch-buffer';
import type { Clock } from 'shared/resilience/clock';
import { VirtualClock } from '../../support/virtual-clock';
import { ENCODED_ROWS_PER_SECOND, LINE_BYTES, LOADER_MEGABYTES } from './rates';

export interface Pace {
  /** Items that are loaded at the same time. */
  readonly items: number;
  /** WRITE_CONCURRENCY. */
  readonly writes: number;
  /** Rows that InfluxDB stores per second. */
  readonly capacity: number;
  /** Seconds of work above which InfluxDB returns 429; without it, InfluxDB accepts everything. */
  readonly refusesAbove?: number;
}

export interface PaceResult {
  readonly rowsPerSecond: number;
  /** Longest time from a write to its response, s. */
  readonly slowest: number;
  readonly retriesPerWrite: number;
  readonly failedItems: number;
}

/** Of an item: the target of the planner. */
const ITEM_ROWS = 2_000_000;
const LINES = 10_000;
/** InfluxDB 3 acknowledges a write when it flushes its WAL. */
const FLUSH_MS = 1_000;
/** Of the client. */
const TIMEOUT_MS = 15_000;
const MAX_RETRIES = 3;

/** Work is done in the order of its arrival; a write whose client has timed out is done too. */
class ModelInfluxDB implements LineWriter {
  slowest = 0;
  private busyUntil = 0;

  constructor(
    private readonly clock: Clock,
    private readonly pace: Pace,
  ) {}

  encode(lines: Uint8Array): Promise<EncodedLines> {
    return Promise.resolve({ lines, body: lines });
  }

  async write(_: EncodedLines, signal?: AbortSignal): Promise<WriteOutcome> {
    const { capacity, refusesAbove = Number.POSITIVE_INFINITY } = this.pace;
    const start = this.clock.now();
    if (this.busyUntil - start > refusesAbove * 1000)
      return { kind: 'retryable', cause: 'throttled', reason: '429', retryAfterMs: 1_000 };
    this.busyUntil = Math.max(this.busyUntil, start) + (LINES / capacity) * 1000;
    const stored = Math.ceil(this.busyUntil / FLUSH_MS) * FLUSH_MS;
    await this.clock.delay(Math.min(stored - start, TIMEOUT_MS), signal);
    this.slowest = Math.max(this.slowest, (this.clock.now() - start) / 1000);
    if (stored - start <= TIMEOUT_MS) return { kind: 'written' };
    return { kind: 'retryable', cause: 'unavailable', reason: 'no response within 15 s' };
  }
}

export async function paceOf(pace: Pace, random: () => number): Promise<PaceResult> {
  const clock = new VirtualClock();
  const influxdb = new ModelInfluxDB(clock, pace);
  const bytes = new Uint8Array(LINES * LINE_BYTES);
  async function* batches(): AsyncGenerator<LineBatch> {
    for (let row = 0; row < ITEM_ROWS; row += LINES) {
      await clock.delay((LINES / ENCODED_ROWS_PER_SECOND) * 1000);
      yield { bytes, lines: LINES };
    }
  }
  const quiet = (): void => undefined;
  const options = {
    maxRetries: MAX_RETRIES,
    skipFailedBatches: false,
    concurrency: pace.writes,
    maxBytesInFlight: (LOADER_MEGABYTES * 1024 * 1024) / 32,
    logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    clock,
    random,
  };
  const counts = await Promise.all(
    Array.from({ length: pace.items }, () => writeBatches(batches(), influxdb, options)),
  );
  const sum = (of: (count: (typeof counts)[number]) => number): number =>
    counts.reduce((all, each) => all + of(each), 0);
  return {
    rowsPerSecond: sum(({ pointsWritten }) => pointsWritten) / (clock.now() / 1000),
    slowest: influxdb.slowest,
    retriesPerWrite: sum(({ retries }) => retries) / sum(({ batches: all }) => all),
    failedItems: sum(({ failure }) => Number(failure !== undefined)),
  };
}
