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
  const both = Promise.all([run.cache.get(), run.cache.get()]);
  await run.answer('a');
  expect(await both).toEqual(['a', 'a']);
  expect(await run.cache.get()).toBe('a');
  expect(run.asked).toBe(1);
});

test('is refreshed before its end, while the old one serves', async () => {
  const run = start();
  const first = run.cache.get();
  await run.answer('a', 10);
  await first;
  run.pass(7.9 * MINUTE);
  expect(await run.cache.get()).toBe('a');
  expect(run.asked).toBe(1);
  run.pass(0.2 * MINUTE);
  expect([await run.cache.get(), await run.cache.get()]).toEqual(['a', 'a']);
  expect(run.asked).toBe(2);
  await run.answer('b', 10);
  expect(await run.cache.get()).toBe('b');
  run.pass(7.9 * MINUTE);
  expect(await run.cache.get()).toBe('b');
  expect(run.asked).toBe(2);
});

test('serves beyond its end where refreshing fails, and is asked for again after a while', async () => {
  const run = start();
  const first = run.cache.get();
  await run.answer('a', 1);
  await first;
  run.pass(2 * MINUTE);
  expect(await run.cache.get()).toBe('a');
  await run.answer(new Error('away'));
  expect(await run.cache.get()).toBe('a');
  expect(run.asked).toBe(2);
  run.pass(MINUTE);
  expect(await run.cache.get()).toBe('a');
  expect(run.asked).toBe(3);
});

test('fails where there is none, and is asked for again at once', async () => {
  const run = start();
  const first = run.cache.get();
  const failed = expect(first).rejects.toThrow('away');
  await run.answer(new Error('away'));
  await failed;
  const second = run.cache.get();
  await run.answer('a');
  expect(await second).toBe('a');
});

test('an invalid one is forgotten, unless another one is known by now', async () => {
  const run = start();
  const first = run.cache.get();
  await run.answer('a');
  await first;
  run.cache.invalidate('another');
  expect(await run.cache.get()).toBe('a');
  run.cache.invalidate('a');
  const second = run.cache.get();
  await run.answer('b');
  expect(await second).toBe('b');
  run.cache.invalidate('a');
  expect(await run.cache.get()).toBe('b');
  expect(run.asked).toBe(2);
});
