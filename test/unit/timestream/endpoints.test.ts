/** The endpoint of writes: how long it is kept, and what happens where asking for it fails. */
import { type DiscoveredEndpoint, EndpointCache } from 'shared/timestream/endpoints';

const MINUTE = 60_000;

/** A cache over answers that come when the test gives them. */
function start() {
  let now = 1_000;
  const pending: { resolve: (endpoint: DiscoveredEndpoint) => void; reject: (error: Error) => void }[] = [];
  const cache = new EndpointCache(
    () => new Promise((resolve, reject) => pending.push({ resolve, reject })),
    () => now,
  );
  let asked = 0;
  return {
    cache,
    get: () => cache.get(new AbortController().signal),
    get asked() {
      return pending.length;
    },
    pass: (ms: number) => {
      now += ms;
    },
    /** Answers the next question, and lets what waits for it go on. */
    async answer(address: string | Error, cacheMinutes = 100): Promise<void> {
      const question = pending[asked++];
      if (address instanceof Error) question?.reject(address);
      else question?.resolve({ address, cacheMinutes });
      await new Promise(setImmediate);
    },
  };
}

test('is asked for once, by however many at a time', async () => {
  const run = start();
  const both = Promise.all([run.get(), run.get()]);
  await run.answer('a');
  expect(await both).toEqual(['a', 'a']);
  expect(await run.get()).toBe('a');
  expect(run.asked).toBe(1);
});

test('is refreshed before its end, which requests of that time wait for', async () => {
  const run = start();
  const first = run.get();
  await run.answer('a', 10);
  await first;
  run.pass(7.9 * MINUTE);
  expect(await run.get()).toBe('a');
  expect(run.asked).toBe(1);
  run.pass(0.2 * MINUTE);
  const both = Promise.all([run.get(), run.get()]);
  expect(run.asked).toBe(2);
  await run.answer('b', 10);
  expect(await both).toEqual(['b', 'b']);
  expect(await run.get()).toBe('b');
  run.pass(7.9 * MINUTE);
  expect(await run.get()).toBe('b');
  expect(run.asked).toBe(2);
});

test('serves beyond its end where refreshing fails, and is asked for again after a while', async () => {
  const run = start();
  const first = run.get();
  await run.answer('a', 1);
  await first;
  run.pass(2 * MINUTE);
  const stale = run.get();
  await run.answer(new Error('away'));
  expect(await stale).toBe('a');
  expect(await run.get()).toBe('a');
  expect(run.asked).toBe(2);
  run.pass(MINUTE);
  const next = run.get();
  await run.answer('b', 1);
  expect(await next).toBe('b');
  expect(run.asked).toBe(3);
});

test('serves where refreshing it hangs, and the request that waited leaves nothing under way', async () => {
  let aborted = false;
  let now = 0;
  const cache = new EndpointCache(
    (signal) =>
      now === 0
        ? Promise.resolve({ address: 'a', cacheMinutes: 1 })
        : new Promise((_, reject) =>
            signal.addEventListener('abort', () => {
              aborted = true;
              reject(signal.reason);
            }),
          ),
    () => now,
  );
  const request = new AbortController();
  await cache.get(request.signal);
  now = MINUTE;
  const waiting = cache.get(request.signal);
  request.abort();
  expect(await waiting).toBe('a');
  expect(aborted).toBe(true);
});

test('is asked for again once the clock was set back', async () => {
  const run = start();
  const first = run.get();
  await run.answer('a');
  await first;
  run.pass(-MINUTE);
  const second = run.get();
  await run.answer('b');
  expect(await second).toBe('b');
});

test('that nobody waits for any more is not asked for on', async () => {
  const signals: AbortSignal[] = [];
  const cache = new EndpointCache((signal) => {
    signals.push(signal);
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  });
  const [first, second] = [new AbortController(), new AbortController()];
  const both = Promise.allSettled([cache.get(first.signal), cache.get(second.signal)]);
  first.abort();
  await new Promise(setImmediate);
  expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  second.abort();
  await both;
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
});

test('fails where there is none, and is asked for again at once', async () => {
  const run = start();
  const first = run.get();
  const failed = expect(first).rejects.toThrow('away');
  await run.answer(new Error('away'));
  await failed;
  const second = run.get();
  await run.answer('a');
  expect(await second).toBe('a');
});

test('an invalid one is forgotten, unless another one is known by now', async () => {
  const run = start();
  const first = run.get();
  await run.answer('a');
  await first;
  run.cache.invalidate('another');
  expect(await run.get()).toBe('a');
  run.cache.invalidate('a');
  const second = run.get();
  await run.answer('b');
  expect(await second).toBe('b');
  run.cache.invalidate('a');
  expect(await run.get()).toBe('b');
  expect(run.asked).toBe(2);
});
