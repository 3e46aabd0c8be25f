/** The cache of the write endpoint: lifetime, refresh, and failures of the discovery. */
import { type DiscoveredEndpoint, EndpointCache } from 'shared/timestream/endpoints';

const MINUTE = 60_000;

/** A cache with discovery responses that arrive when the test sends them. */
function start() {
  let now = 1_000;
  const pending: { resolve: (endpoint: DiscoveredEndpoint) => void; reject: (error: Error) => void }[] = [];
  const cache = new EndpointCache(
    () => new Promise((resolve, reject) => pending.push({ resolve, reject })),
    () => now,
  );
  let answered = 0;
  return {
    cache,
    get: () => cache.get(new AbortController().signal),
    get discoveries() {
      return pending.length;
    },
    pass: (ms: number) => {
      now += ms;
    },
    /** Responds to the next discovery and waits until its callers continue. */
    async respond(address: string | Error, cacheMinutes = 100): Promise<void> {
      const discovery = pending[answered++];
      if (address instanceof Error) discovery?.reject(address);
      else discovery?.resolve({ address, cacheMinutes });
      await new Promise(setImmediate);
    },
  };
}

test('discovers the endpoint once for concurrent requests', async () => {
  const run = start();
  const both = Promise.all([run.get(), run.get()]);
  await run.respond('a');
  expect(await both).toEqual(['a', 'a']);
  expect(await run.get()).toBe('a');
  expect(run.discoveries).toBe(1);
});

test('refreshes the endpoint before it expires, and requests wait for the refresh', async () => {
  const run = start();
  const first = run.get();
  await run.respond('a', 10);
  await first;
  run.pass(7.9 * MINUTE);
  expect(await run.get()).toBe('a');
  expect(run.discoveries).toBe(1);
  run.pass(0.2 * MINUTE);
  const both = Promise.all([run.get(), run.get()]);
  expect(run.discoveries).toBe(2);
  await run.respond('b', 10);
  expect(await both).toEqual(['b', 'b']);
  expect(await run.get()).toBe('b');
  run.pass(7.9 * MINUTE);
  expect(await run.get()).toBe('b');
  expect(run.discoveries).toBe(2);
});

test('keeps an expired endpoint if the refresh fails, and tries again later', async () => {
  const run = start();
  const first = run.get();
  await run.respond('a', 1);
  await first;
  run.pass(2 * MINUTE);
  const stale = run.get();
  await run.respond(new Error('away'));
  expect(await stale).toBe('a');
  expect(await run.get()).toBe('a');
  expect(run.discoveries).toBe(2);
  run.pass(MINUTE);
  const next = run.get();
  await run.respond('b', 1);
  expect(await next).toBe('b');
  expect(run.discoveries).toBe(3);
});

test('keeps the endpoint if the refresh hangs, and aborts the refresh with the request', async () => {
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

test('a request that ends during a refresh does not make the expired endpoint count as fresh', async () => {
  const run = start();
  const first = run.get();
  await run.respond('a', 1);
  await first;
  run.pass(2 * MINUTE);
  const request = new AbortController();
  const ending = run.cache.get(request.signal);
  const waiting = run.get();
  request.abort();
  expect(await ending).toBe('a');
  const next = run.get();
  await run.respond('b');
  expect(await Promise.all([waiting, next])).toEqual(['b', 'b']);
  expect(run.discoveries).toBe(2);
});

test('discovers the endpoint again after the clock was set back', async () => {
  const run = start();
  const first = run.get();
  await run.respond('a');
  await first;
  run.pass(-MINUTE);
  const second = run.get();
  await run.respond('b');
  expect(await second).toBe('b');
});

test('aborts the discovery when no request waits for it any more', async () => {
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

test('fails without an endpoint, and the next request discovers it at once', async () => {
  const run = start();
  const first = run.get();
  const failed = expect(first).rejects.toThrow('away');
  await run.respond(new Error('away'));
  await failed;
  const second = run.get();
  await run.respond('a');
  expect(await second).toBe('a');
});

test('removes an invalid endpoint, unless the cache has a different one now', async () => {
  const run = start();
  const first = run.get();
  await run.respond('a');
  await first;
  run.cache.invalidate('another');
  expect(await run.get()).toBe('a');
  run.cache.invalidate('a');
  const second = run.get();
  await run.respond('b');
  expect(await second).toBe('b');
  run.cache.invalidate('a');
  expect(await run.get()).toBe('b');
  expect(run.discoveries).toBe(2);
});
