/**
 * Stores the lines of one request in InfluxDB. Sends several batches at a time, and settles each line before the deadline: stored,
 * rejected with InfluxDB's reason, or left for the client to send again. No work continues afterwards.
 */
import { InfluxDBConnectionError } from '../errors';
import type { LinePlace, LineReport } from '../line-report';
import type { Logger } from '../logger';
import { CircuitBreaker } from '../resilience/circuit-breaker';
import { systemClock, type Timing } from '../resilience/clock';
import type { LineWriter } from './client';
import { deliver } from './delivery';
import type { Rejection, WriteOutcome } from './outcome';
import type { WritePrecision } from './protocol';
import { findRejected, partToTry } from './rejected-points';
import type { RequestBatch } from './request-lines';

/** Maximum concurrent calls of one request. */
const CONCURRENT_CALLS = 4;
/** The client waits and sends the request again anyway. */
const RETRIES = 3;
/** Maximum batches of one request that are sent in halves to find their invalid lines. About 14 of them find one line among 10,000. */
const MAX_SPLITS = 64;
const BACKOFF = { baseMs: 100, capMs: 2_000 };

export interface RequestWriterOptions extends Timing {
  readonly client: LineWriter;
  /** The lines of the request as the client sent them, to quote invalid ones. */
  readonly body: Uint8Array;
  readonly precision: WritePrecision;
  /** Shared by all requests: while InfluxDB is away, they fail at once. */
  readonly breaker: CircuitBreaker;
  readonly logger: Logger;
}

export interface BatchesOutcome {
  readonly calls: number;
  /** Calls that InfluxDB throttled. Their lines may be stored by a retry. */
  readonly throttledCalls: number;
  readonly stored: number;
  /** Lines that were not sent or have an unknown result. They can safely be sent again. */
  readonly unstored: readonly LinePlace[];
  /** Why lines are unstored: the first cause. */
  readonly failure: WriteFailure | undefined;
}

export interface WriteFailure {
  /** `throttled`, `error`, `unavailable`: a retry may help; `refused`: somebody must fix the cause (token, bucket, address). */
  readonly kind: 'throttled' | 'error' | 'unavailable' | 'refused';
  /** For the log: it may have texts of InfluxDB. */
  readonly reason: string;
  /** The status of a `refused` response. */
  readonly status?: number | undefined;
  /** What InfluxDB does not have, where its response says so. */
  readonly missing?: 'org' | 'bucket' | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** The breaker of a destination: after three failures in a row, requests fail at once, but for a probe every one or two seconds. */
export function destinationBreaker(timing: Timing = {}): CircuitBreaker {
  const unavailable = (_: number, reason: string): Error => new InfluxDBConnectionError(reason);
  return new CircuitBreaker(unavailable, { waits: false, ...timing });
}

/**
 * Sends the batches and returns what became of their lines.
 * @param report receives the rejected lines
 * @param signal aborts at the deadline
 */
export async function writeLineBatches(
  batches: readonly RequestBatch[],
  options: RequestWriterOptions,
  report: LineReport,
  signal: AbortSignal,
): Promise<BatchesOutcome> {
  const writer = new RequestWriter(options, report, signal);
  const queue = [...batches];
  const work = async (): Promise<void> => {
    for (let batch = queue.shift(); batch !== undefined; batch = queue.shift()) await writer.store(batch);
  };
  await Promise.all(Array.from({ length: CONCURRENT_CALLS }, work));
  return writer.outcome;
}

class RequestWriter {
  readonly outcome = {
    calls: 0,
    throttledCalls: 0,
    stored: 0,
    unstored: [] as LinePlace[],
    failure: undefined as WriteFailure | undefined,
  };
  private readonly client: LineWriter;
  private splits = MAX_SPLITS;

  constructor(
    private readonly options: RequestWriterOptions,
    private readonly report: LineReport,
    private readonly signal: AbortSignal,
  ) {
    const { client } = options;
    this.client = {
      encode: (lines) => client.encode(lines),
      write: async (lines, callSignal) => {
        this.outcome.calls++;
        const outcome = await client.write(lines, callSignal);
        if (outcome.kind === 'retryable' && outcome.cause === 'throttled') this.outcome.throttledCalls++;
        return outcome;
      },
    };
  }

  async store(batch: RequestBatch): Promise<void> {
    // A loop, not a recursion: InfluxDB may report its causes one by one, and each call keeps its batch in memory.
    let left: RequestBatch | undefined = batch;
    while (left !== undefined) left = await this.storeOnce(left);
  }

  /** Sends the batch, and returns the lines of it that must be sent once more. */
  private async storeOnce(batch: RequestBatch): Promise<RequestBatch | undefined> {
    const { places } = batch;
    if (places.length === 0) return undefined;
    if (this.signal.aborted) return this.leave(batch, { kind: 'unavailable', reason: 'the deadline has passed' });
    const outcome = await this.send(batch);
    switch (outcome.kind) {
      case 'written':
        this.outcome.stored += places.length;
        return undefined;
      case 'rejected':
        return await this.settleRejected(batch, outcome);
      case 'too-large':
        if (places.length > 1) return await this.storeHalves(batch);
        this.report.rejected(places[0], 'the line exceeds the limit of InfluxDB for a request');
        return undefined;
      case 'retryable':
        return this.leave(batch, {
          kind: outcome.cause,
          reason: outcome.reason,
          retryAfterMs: outcome.retryAfterMs,
        });
      case 'fatal':
        if (outcome.scope === 'batch') return await this.refuse(batch, outcome.reason);
        return this.leave(batch, {
          kind: 'refused',
          reason: outcome.reason,
          status: outcome.status,
          missing: outcome.missing,
        });
    }
  }

  private async send({ bytes }: RequestBatch): Promise<WriteOutcome> {
    const { breaker, clock = systemClock, logger, random } = this.options;
    const { signal } = this;
    try {
      return await deliver(this.client, await this.client.encode(bytes), {
        maxRetries: RETRIES,
        backoff: { ...BACKOFF, random },
        waitsAsRequested: false,
        breaker,
        logger,
        clock,
        signal,
      });
    } catch (error) {
      // The breaker is open, or the token cannot be read.
      const reason = error instanceof Error ? error.message : String(error);
      const isAway = error instanceof InfluxDBConnectionError;
      return isAway ? { kind: 'retryable', cause: 'unavailable', reason } : { kind: 'fatal', scope: 'load', reason };
    }
  }

  private leave({ places }: RequestBatch, failure: WriteFailure): undefined {
    for (const place of places) this.outcome.unstored.push(place);
    this.outcome.failure ??= failure;
  }

  /** Returns the lines that must be sent once more. */
  private async settleRejected(
    batch: RequestBatch,
    { rejections, remainder }: Extract<WriteOutcome, { kind: 'rejected' }>,
  ): Promise<RequestBatch | undefined> {
    const { bytes } = batch;
    const { precision } = this.options;
    const { found, unknown } = findRejected(bytes, precision, withCertainPositions(rejections, batch));
    if (remainder !== undefined && found.size === 0) return await this.refuse(batch, rejections[0]?.reason ?? '');
    // The lines that are stored already are sent once more, which does not change them.
    if (remainder === undefined && unknown[0] !== undefined && this.maySplit(batch)) {
      return await this.storeParts(batch, partToTry(bytes, precision, unknown[0].example));
    }
    for (const [index, rejection] of found) this.reject(batch.places[index], rejection);
    const others = partOf(batch, (index) => !found.has(index));
    // With a remainder nothing is stored yet. InfluxDB 2 reports one of several causes, so lines may have been dropped for another one.
    const isComplete = rejections.every(({ index }) => index !== undefined);
    const mayHideOthers = !isComplete && unknown.length === 0 && found.size > 0;
    if (remainder !== undefined || mayHideOthers) return others;
    let left = others.places.length;
    for (const { lines, reason } of unknown) {
      const count = Math.min(lines, left);
      if (count < others.places.length) this.report.rejectedSome(count, others.places, reason);
      else for (const place of others.places) this.report.rejected(place, reason);
      left -= count;
    }
    this.outcome.stored += left;
    return undefined;
  }

  /** InfluxDB refused the batch as a whole, because of one or more of its lines. */
  private async refuse(batch: RequestBatch, reason: string): Promise<undefined> {
    if (this.maySplit(batch)) return await this.storeHalves(batch);
    const { places } = batch;
    const text = places.length === 1 ? reason : `InfluxDB refused ${places.length} lines together: ${reason}`;
    for (const place of places) this.report.rejected(place, text);
  }

  /** Whether the batch may be sent in halves, to find the lines that InfluxDB does not accept. */
  private maySplit({ places }: RequestBatch): boolean {
    return places.length > 1 && this.splits-- > 0;
  }

  private reject(place: LinePlace, { reason, isUnparsable = false }: Rejection): void {
    if (isUnparsable) this.report.unparsable(place, this.options.body, reason.replace(/^unable to parse: /, ''));
    else this.report.rejected(place, reason);
  }

  private storeHalves(batch: RequestBatch): Promise<undefined> {
    return this.storeParts(batch, new Set(Array(Math.ceil(batch.places.length / 2)).keys()));
  }

  private async storeParts(batch: RequestBatch, part: ReadonlySet<number>): Promise<undefined> {
    await Promise.all([
      this.store(partOf(batch, (index) => part.has(index))),
      this.store(partOf(batch, (index) => !part.has(index))),
    ]);
  }
}

/** A position remains only if it is the position of the same line in the request. */
function withCertainPositions(rejections: readonly Rejection[], batch: RequestBatch): Rejection[] {
  return rejections.map(({ index, ...rejection }) =>
    index !== undefined && textOf(batch, index)?.trim() === rejection.example.trim()
      ? { ...rejection, index }
      : rejection,
  );
}

function textOf({ bytes, ends }: RequestBatch, index: number): string | undefined {
  const end = ends[index];
  return end === undefined ? undefined : Buffer.from(bytes.subarray(ends[index - 1] ?? 0, end)).toString();
}

/** The lines of the batch that are kept. */
function partOf({ bytes, ends, places }: RequestBatch, isKept: (index: number) => boolean): RequestBatch {
  const parts: Uint8Array[] = [];
  const part = { ends: [] as number[], places: [] as LinePlace[] };
  let length = 0;
  for (const [index, place] of places.entries()) {
    if (!isKept(index)) continue;
    const line = bytes.subarray(ends[index - 1] ?? 0, ends[index]);
    parts.push(line);
    length += line.length;
    part.ends.push(length);
    part.places.push(place);
  }
  return { bytes: Buffer.concat(parts), ...part };
}
