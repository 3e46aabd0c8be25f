/** Whatever InfluxDB answers and in whatever order: every line is accounted for once, and nothing runs on. */
import fc from 'fast-check';
import type { Batch } from 'shared/influxdb/batch-writer';
import type { EncodedLines, LineWriter } from 'shared/influxdb/client';
import { joinLines, splitLines } from 'shared/influxdb/lines';
import type { WriteOutcome } from 'shared/influxdb/outcome';
import type { Clock } from 'shared/resilience/clock';
import { batchOf, write } from '../../influx-writing';
import { VirtualClock } from '../../virtual-clock';

const STEPS = [
  'store',
  'refuse',
  'unparsable',
  'throttle',
  'fault',
  'away',
  'lost answer',
  'bad batch',
  'bad token',
  'throw',
] as const;
type Step = (typeof STEPS)[number];

/** A model of InfluxDB that takes its steps from a schedule, and counts how often each line was acknowledged. */
class ModelInfluxDB implements LineWriter {
  readonly acknowledged = new Map<string, number>();
  readonly stored = new Set<string>();
  inFlight = 0;
  mostInFlight = 0;
  #step = 0;

  constructor(
    readonly schedule: readonly { step: Step; ms: number }[],
    readonly maxLines: number,
    readonly clock: Clock,
  ) {}

  encode(lines: Uint8Array): Promise<EncodedLines> {
    return Promise.resolve({ lines, body: lines });
  }

  async write({ lines }: EncodedLines, signal?: AbortSignal): Promise<WriteOutcome> {
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    try {
      const { step, ms } = this.schedule[this.#step++] ?? { step: 'store', ms: 1 };
      await this.clock.delay(ms, signal);
      if (signal?.aborted) return { kind: 'retryable', cause: 'unavailable', reason: 'stopped' };
      return this.#answer(
        step,
        splitLines(lines).map((line) => Buffer.from(line).toString()),
      );
    } finally {
      this.inFlight -= 1;
    }
  }

  #answer(step: Step, lines: string[]): WriteOutcome {
    if (lines.length > this.maxLines) return { kind: 'too-large', reason: '413' };
    const [first = '', ...others] = lines;
    const rejections = [{ reason: 'no', lines: 1, example: first }];
    switch (step) {
      case 'store':
        return this.#acknowledge(lines);
      case 'refuse':
        this.#acknowledge(others);
        return { kind: 'rejected', rejections };
      case 'unparsable':
        return { kind: 'rejected', rejections, remainder: joinLines(others.map((line) => Buffer.from(line))) };
      case 'throttle':
        return { kind: 'retryable', cause: 'throttled', reason: '429', retryAfterMs: 1000 };
      case 'fault':
        return { kind: 'retryable', cause: 'error', reason: '500' };
      case 'lost answer':
        for (const line of lines) this.stored.add(line);
        return { kind: 'retryable', cause: 'unavailable', reason: 'reset', atOnce: true };
      case 'away':
        return { kind: 'retryable', cause: 'unavailable', reason: 'refused' };
      case 'bad batch':
        return { kind: 'fatal', scope: 'batch', reason: '400' };
      case 'bad token':
        return { kind: 'fatal', scope: 'load', reason: '401' };
      case 'throw':
        throw new Error('secret is gone');
    }
  }

  #acknowledge(lines: string[]): WriteOutcome {
    for (const line of lines) {
      this.stored.add(line);
      this.acknowledged.set(line, (this.acknowledged.get(line) ?? 0) + 1);
    }
    return { kind: 'written' };
  }
}

const steps = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...STEPS.slice(0, 7)) },
  { weight: 1, arbitrary: fc.constantFrom(...STEPS) },
);
const scenario = fc.record({
  schedule: fc.array(fc.record({ step: steps, ms: fc.nat(50) }), { maxLength: 60 }),
  sizes: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 20 }),
  maxLines: fc.integer({ min: 1, max: 12 }),
  maxRetries: fc.nat(3),
  concurrency: fc.integer({ min: 1, max: 5 }),
  skipFailedBatches: fc.boolean(),
  abortAfterMs: fc.option(fc.nat(2000), { nil: undefined }),
  sourceFailsAt: fc.option(fc.nat(20), { nil: undefined }),
  jitter: fc.double({ min: 0, max: 0.999, noNaN: true }),
});

test('acknowledged, rejected and failed lines are all lines; nothing is acknowledged twice; nothing runs on', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (given) => {
      const clock = new VirtualClock();
      const model = new ModelInfluxDB(given.schedule, given.maxLines, clock);
      let taken = 0;
      let inUse = 0;
      let sourceClosed = false;
      async function* source(): AsyncGenerator<Batch> {
        try {
          for (const [index, size] of given.sizes.entries()) {
            await clock.delay(1);
            if (index === given.sourceFailsAt) throw new Error('corrupt page');
            taken += size;
            const batch = batchOf(Array.from({ length: size }, (_, line) => `m v=${index} ${line}`));
            // What is given back is written anew, which must change nothing that is still to be sent.
            const release = (): void => {
              batch.bytes.fill(0);
              inUse--;
            };
            inUse++;
            yield { ...batch, release };
          }
        } finally {
          sourceClosed = true;
        }
      }
      const abort = new AbortController();
      if (given.abortAfterMs !== undefined) void clock.delay(given.abortAfterMs).then(() => abort.abort());
      const { maxRetries, concurrency, skipFailedBatches, jitter } = given;
      const options = { maxRetries, concurrency, skipFailedBatches, clock, random: () => jitter, signal: abort.signal };

      const result = await write(model, source(), options);

      expect(model.inFlight).toBe(0);
      expect(inUse).toBe(0);
      expect(sourceClosed).toBe(true);
      expect(model.mostInFlight).toBeLessThanOrEqual(concurrency);
      expect(result.pointsWritten + result.rejectedLines + result.failedLines).toBe(taken);
      expect(result.pointsWritten).toBe(model.acknowledged.size);
      expect([...model.acknowledged.values()].every((times) => times === 1)).toBe(true);
      expect(result.failedBatches > 0).toBe(result.failedLines > 0);
      const all = given.sizes.reduce((sum, size) => sum + size, 0);
      if (result.failure === undefined) expect(taken).toBe(all);
      if (!skipFailedBatches && result.failedBatches > 0) expect(result.failure).toBeDefined();
    }),
    { numRuns: 400 },
  );
});
