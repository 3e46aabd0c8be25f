import fc from 'fast-check';
import { AdaptiveLimit } from 'shared/resilience/adaptive-limit';

/** Calls that the test ends one by one. */
class Calls {
  running: ((isOverload: boolean | undefined) => void)[] = [];
  max = 0;

  constructor(private readonly limit: AdaptiveLimit) {}

  start(count: number): Promise<boolean | undefined>[] {
    const call = () =>
      new Promise<boolean | undefined>((resolve) => {
        this.running.push(resolve);
        this.max = Math.max(this.max, this.running.length);
      });
    return Array.from({ length: count }, () => this.limit.run(call, (isOverload) => isOverload));
  }

  /** Ends the oldest call, and waits until the next one has begun. */
  async end(isOverload: boolean | undefined): Promise<void> {
    this.running.shift()?.(isOverload);
    await new Promise(setImmediate);
  }
}

describe('AdaptiveLimit', () => {
  test('makes as many calls at once as its maximum, in the order of the requests', async () => {
    const calls = new Calls(new AdaptiveLimit(3));
    const results = calls.start(5);
    expect(calls.running).toHaveLength(3);
    for (const isOverload of [false, false, false, false, false]) await calls.end(isOverload);
    await expect(Promise.all(results)).resolves.toEqual([false, false, false, false, false]);
    expect(calls.max).toBe(3);
  });

  test('halves the limit once for calls that were in progress together', async () => {
    const calls = new Calls(new AdaptiveLimit(8));
    void Promise.all(calls.start(100));
    for (let call = 0; call < 8; call++) await calls.end(true);
    expect(calls.running).toHaveLength(4);
    for (let call = 0; call < 4; call++) await calls.end(true);
    expect(calls.running).toHaveLength(2);
  });

  test('makes one call at a time if the service stays overloaded', async () => {
    const calls = new Calls(new AdaptiveLimit(8));
    void Promise.all(calls.start(100));
    for (let call = 0; call < 50; call++) await calls.end(true);
    expect(calls.running).toHaveLength(1);
  });

  test('grows by one with each round of successes, up to its maximum', async () => {
    const calls = new Calls(new AdaptiveLimit(8));
    void Promise.all(calls.start(1000));
    for (let call = 0; call < 8; call++) await calls.end(true);
    const running: number[] = [];
    for (let round = 0; round < 6; round++) {
      const inRound = calls.running.length;
      running.push(inRound);
      for (let call = 0; call < inRound + 1; call++) await calls.end(false);
    }
    expect(running).toEqual([4, 5, 6, 7, 8, 8]);
  });

  test('keeps the limit after results that say nothing about the load', async () => {
    const calls = new Calls(new AdaptiveLimit(8));
    void Promise.all(calls.start(100));
    for (let call = 0; call < 8; call++) await calls.end(true);
    for (let call = 0; call < 50; call++) await calls.end(undefined);
    expect(calls.running).toHaveLength(4);
  });

  test('counts a call that throws as ended', async () => {
    const limit = new AdaptiveLimit(1);
    const failed = limit.run(
      () => Promise.reject(new Error('broken')),
      () => false,
    );
    const next = limit.run(
      () => Promise.resolve('done'),
      () => false,
    );
    await expect(failed).rejects.toThrow('broken');
    await expect(next).resolves.toBe('done');
  });

  test('makes every call, and never more than its maximum at once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.boolean(), { maxLength: 60 }),
        async (max, outcomes) => {
          const calls = new Calls(new AdaptiveLimit(max));
          const results = calls.start(outcomes.length);
          for (const isOverload of outcomes) {
            expect(calls.running.length).toBeGreaterThan(0);
            await calls.end(isOverload);
          }
          await expect(Promise.all(results)).resolves.toEqual(outcomes);
          expect(calls.max).toBeLessThanOrEqual(max);
        },
      ),
    );
  });
});
