/** Simulates a load through the batch writer with any responses of InfluxDB: every line is accounted for, and a second load completes it. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { EncodedLines, LineWriter } from 'shared/influxdb/client';
import { joinLines, splitLines } from 'shared/influxdb/lines';
import type { WriteOutcome } from 'shared/influxdb/outcome';
import { protocolV2 } from 'shared/influxdb/protocol-v2';
import type { LineBatch } from 'shared/points/batch-buffer';
import type { Clock } from 'shared/resilience/clock';
import { batchOf, write } from '../support/influx-writing';
import { VirtualClock } from '../support/virtual-clock';

/** The steps from `hang` on time out, or end the batch or the load. */
const STEPS = [
  'store',
  'refuse',
  'vague',
  'unparsable',
  'throttle',
  'fault',
  'away',
  'lost response',
  'hang',
  'bad batch',
  'bad token',
  'throw',
] as const;
type Step = (typeof STEPS)[number];

/** A line of a batch. `old` is outside the retention. All fields are of the type float; each shard checks them by itself. */
interface Line {
  readonly measurement: 'm' | 'n';
  readonly value: '1' | '"x"' | '2i';
  readonly shard: number;
  readonly old: boolean;
}
const isGood = ({ value, old }: Line): boolean => value === '1' && !old;
const SHARD_NS = 1_000_000;
const RETENTION_BOUND_NS = 1_000_000_000;

function textOf({ measurement, value, shard, old }: Line, batch: number, index: number): string {
  const time = (old ? 0 : RETENTION_BOUND_NS) + shard * SHARD_NS + batch * 100 + index;
  return `${measurement} v=${value} ${time}`;
}

/** Timeout of the client's requests, ms. */
const TIMEOUT_MS = 15_000;
/** Duration of calls after the end of the schedule, ms. */
const CALL_MS = 10;

interface Schedule {
  readonly schedule: readonly { readonly step: Step; readonly ms: number }[];
  readonly afterwards: Step;
  readonly maxLines: number;
}

/**
 * A model of InfluxDB 2 that follows a schedule, and counts how often it acknowledged each line. Like InfluxDB 2.7.12, it reports the
 * type conflicts of one shard, and lines outside the retention only if there is no type conflict.
 */
class ModelInfluxDB implements LineWriter {
  readonly acknowledged = new Map<string, number>();
  readonly stored = new Set<string>();
  inFlight = 0;
  maxInFlight = 0;
  calls = 0;

  constructor(
    readonly given: Schedule,
    readonly clock: Clock,
  ) {}

  encode(lines: Uint8Array): Promise<EncodedLines> {
    return Promise.resolve({ lines, body: lines });
  }

  async write({ lines }: EncodedLines, signal?: AbortSignal): Promise<WriteOutcome> {
    this.inFlight += 1;
    this.maxInFlight = Math.max(this.maxInFlight, this.inFlight);
    try {
      const { step, ms } = this.given.schedule[this.calls++] ?? { step: this.given.afterwards, ms: CALL_MS };
      await this.clock.delay(step === 'hang' ? TIMEOUT_MS : ms, signal);
      if (signal?.aborted) return { kind: 'retryable', cause: 'unavailable', reason: 'stopped' };
      return this.respond(
        step,
        ms,
        splitLines(lines).map((line) => Buffer.from(line).toString()),
      );
    } finally {
      this.inFlight -= 1;
    }
  }

  private respond(step: Step, ms: number, lines: string[]): WriteOutcome {
    if (lines.length > this.given.maxLines) return { kind: 'too-large', reason: '413' };
    const [first = '', ...others] = lines;
    const rejections = [{ reason: 'no', lines: 1, example: first, index: 0 }];
    switch (step) {
      case 'store':
        return this.store(lines, ms);
      case 'vague':
        for (const line of others) this.stored.add(line);
        return { kind: 'rejected', rejections: [{ reason: 'vague', lines: 1, example: 'vague' }] };
      case 'refuse':
        this.acknowledge(others);
        return { kind: 'rejected', rejections };
      case 'unparsable':
        return { kind: 'rejected', rejections, remainder: joinLines(others.map((line) => Buffer.from(line))) };
      case 'throttle':
        return { kind: 'retryable', cause: 'throttled', reason: '429', retryAfterMs: 1000 };
      case 'fault':
        return { kind: 'retryable', cause: 'error', reason: '500' };
      case 'lost response':
        for (const line of lines) this.stored.add(line);
        return { kind: 'retryable', cause: 'unavailable', reason: 'reset', atOnce: true };
      case 'away':
      case 'hang':
        return { kind: 'retryable', cause: 'unavailable', reason: step };
      case 'bad batch':
        return { kind: 'fatal', scope: 'batch', reason: '400' };
      case 'bad token':
        return { kind: 'fatal', scope: 'load', reason: '401' };
      case 'throw':
        throw new Error('secret is gone');
    }
  }

  /** @param choice which of the shards with conflicts is reported */
  private store(lines: string[], choice: number): WriteOutcome {
    const [good, dropped, conflicts]: [string[], string[], Map<number, string[]>] = [[], [], new Map()];
    for (const line of lines) {
      const [, value, time = ''] = line.split(/ v=| /);
      const shard = Math.floor(Number(time) / SHARD_NS);
      if (Number(time) < RETENTION_BOUND_NS) dropped.push(line);
      else if (value === '1') good.push(line);
      else conflicts.set(shard, [...(conflicts.get(shard) ?? []), line]);
    }
    if (conflicts.size === 0 && dropped.length === 0) return this.acknowledge(good);
    for (const line of good) this.stored.add(line);
    const reported = [...conflicts.values()][choice % Math.max(1, conflicts.size)];
    const [measurement, value] = reported?.[0]?.split(/ v=| /) ?? [];
    const type = value === '2i' ? 'integer' : 'string';
    const reason =
      reported === undefined
        ? `dropped ${dropped.length} points outside retention policy of duration 1h0m0s - oldest point m at 1970-01-01T00:00:00Z dropped because it violates a Retention Policy Lower Bound at 1970-01-01T00:00:01Z`
        : `field type conflict: input field "v" on measurement "${measurement}" is type ${type}, already exists as type float`;
    const message = `failure writing points to database: partial write: ${reason} dropped=${(reported ?? dropped).length}`;
    return protocolV2.outcome({ kind: 'response', status: 422, body: JSON.stringify({ message }) }, new Uint8Array());
  }

  private acknowledge(lines: string[]): WriteOutcome {
    for (const line of lines) {
      this.stored.add(line);
      this.acknowledged.set(line, (this.acknowledged.get(line) ?? 0) + 1);
    }
    return { kind: 'written' };
  }
}

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...STEPS.slice(0, 9)) },
  { weight: 1, arbitrary: fc.constantFrom(...STEPS) },
);
const line: fc.Arbitrary<Line> = fc.record({
  measurement: fc.constantFrom('m', 'n'),
  value: fc.oneof(
    { weight: 4, arbitrary: fc.constant('1' as const) },
    { weight: 1, arbitrary: fc.constantFrom('"x"', '2i') },
  ),
  shard: fc.nat(2),
  old: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.boolean() }),
});
const scenario = fc.record({
  schedule: fc.array(fc.record({ step, ms: fc.nat(50) }), { maxLength: 60 }),
  afterwards: fc.oneof(
    { weight: 4, arbitrary: fc.constant('store' as const) },
    { weight: 1, arbitrary: fc.constantFrom('throttle', 'fault', 'away', 'hang' as const) },
  ),
  batches: fc.array(fc.array(line, { minLength: 1, maxLength: 12 }), { maxLength: 20 }),
  maxLines: fc.integer({ min: 1, max: 12 }),
  maxRetries: fc.nat(3),
  concurrency: fc.integer({ min: 1, max: 16 }),
  maxBytesInFlight: fc.integer({ min: 1, max: 400 }),
  skipFailedBatches: fc.boolean(),
  abortAfterMs: fc.option(fc.nat(2000), { nil: undefined }),
  sourceFailsAt: fc.option(fc.nat(20), { nil: undefined }),
  jitter: fc.double({ min: 0, max: 0.999, noNaN: true }),
});

/**
 * Each line is acknowledged, rejected or failed; none is acknowledged twice; no work continues after the load; a second load completes
 * it, and rejects exactly the lines that InfluxDB cannot store.
 */
export const loadEnds = fc.asyncProperty(scenario, async (given) => {
  const { maxRetries, concurrency, maxBytesInFlight, skipFailedBatches, jitter, batches } = given;
  const clock = new VirtualClock();
  const model = new ModelInfluxDB(given, clock);
  let taken = 0;
  let inUse = 0;
  let bytesInUse = 0;
  let maxBytesAtTaking = 0;
  let sourceClosed = false;
  async function* source(failsAt?: number): AsyncGenerator<LineBatch> {
    try {
      for (const [index, lines] of batches.entries()) {
        maxBytesAtTaking = Math.max(maxBytesAtTaking, bytesInUse);
        await clock.delay(1);
        if (index === failsAt) throw new Error('corrupt page');
        taken += lines.length;
        const batch = batchOf(lines.map((line, number) => textOf(line, index, number)));
        // The source reuses a released buffer. This must not change lines that are still to be sent.
        const release = (): void => {
          batch.bytes.fill(0);
          inUse--;
          bytesInUse -= batch.bytes.length;
        };
        inUse++;
        bytesInUse += batch.bytes.length;
        yield { ...batch, release };
      }
    } finally {
      sourceClosed = true;
    }
  }
  const abort = new AbortController();
  if (given.abortAfterMs !== undefined) void clock.delay(given.abortAfterMs).then(() => abort.abort());
  const options = { maxRetries, concurrency, maxBytesInFlight, skipFailedBatches, clock, random: () => jitter };

  const result = await write(model, source(given.sourceFailsAt), { ...options, signal: abort.signal });

  const callsAtTheEnd = model.calls;
  assert.equal(model.inFlight, 0, 'a write is in progress after the load');
  assert.ok(sourceClosed, 'the source is open after the load');
  assert.equal(inUse, 0, 'a batch was not given back');
  await clock.delay(120_000);
  assert.equal(model.calls, callsAtTheEnd, 'a write was made after the load');

  assert.ok(model.maxInFlight <= concurrency);
  assert.ok(maxBytesAtTaking < maxBytesInFlight, 'a batch was taken above the limit of bytes');
  assert.equal(result.pointsWritten + result.rejectedLines + result.failedLines, taken, 'a line is not settled');
  assert.equal(result.pointsWritten, model.acknowledged.size);
  assert.ok([...model.acknowledged].every(([line, times]) => times === 1 && model.stored.has(line)));
  assert.equal(result.failedBatches > 0, result.failedLines > 0);
  const all = batches.flat().length;
  if (result.failure === undefined) assert.equal(taken, all);
  if (!skipFailedBatches && result.failedBatches > 0) assert.ok(result.failure);

  // Reasons for a call: a step of the schedule, a part of a batch with its retries, or a probe (at most one per second for 30 s).
  const maxCalls = given.schedule.length + (batches.length + 3 * all) * (maxRetries + 1) + 30 + concurrency;
  assert.ok(model.calls <= maxCalls, `${model.calls} calls, ${maxCalls} at most`);

  const again = new ModelInfluxDB({ ...given, schedule: [], afterwards: 'store' }, clock);
  const second = await write(again, source(), options);
  const good = batches.flat().filter(isGood).length;
  assert.deepEqual([second.failure, again.acknowledged.size, again.stored.size], [undefined, good, good]);
  assert.deepEqual([second.pointsWritten, second.rejectedLines], [good, all - good]);
  assert.equal(inUse, 0, 'a batch was not given back');
});
