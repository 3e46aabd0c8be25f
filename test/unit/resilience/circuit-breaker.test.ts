import { CircuitBreaker } from 'shared/resilience/circuit-breaker';
import { VirtualClock } from '../../support/virtual-clock';

const DOWN = 'connect ECONNREFUSED';
const asReason = (result: string): string | undefined => (result === 'ok' ? undefined : result);

function setup(random = () => 1) {
  const clock = new VirtualClock();
  const breaker = new CircuitBreaker((openMs, reason) => new Error(`open for ${openMs} ms: ${reason}`), {
    clock,
    random,
  });
  const calls: number[] = [];
  const call = (result: string, signal?: AbortSignal): Promise<string> =>
    breaker.run(
      () => {
        calls.push(clock.now());
        return Promise.resolve(result);
      },
      asReason,
      signal,
    );
  return { clock, breaker, calls, call };
}

test('it opens at the third failure in a row, not when a success is between', async () => {
  const { breaker, call } = setup();
  for (const result of [DOWN, DOWN, 'ok', DOWN, DOWN]) await call(result);
  expect(breaker.isOpen).toBe(false);
  await call(DOWN);
  expect(breaker.isOpen).toBe(true);
});

test('while open, one call at a time probes, every 1 to 2 s', async () => {
  const { calls, call } = setup();
  for (let i = 0; i < 3; i++) await call(DOWN);
  await Promise.all([call(DOWN), call(DOWN), call(DOWN)]);
  expect(calls).toEqual([0, 0, 0, 2000, 4000, 6000]);
  const quick = setup(() => 0);
  for (let i = 0; i < 4; i++) await quick.call(DOWN);
  expect(quick.calls.at(-1)).toBe(1000);
});

test('a probe that succeeds closes it, and all that waited go at once', async () => {
  const { breaker, calls, call } = setup();
  for (let i = 0; i < 3; i++) await call(DOWN);
  await Promise.all(['ok', 'ok', 'ok', 'ok'].map((result) => call(result)));
  expect(calls.slice(3)).toEqual([2000, 2000, 2000, 2000]);
  expect(breaker.isOpen).toBe(false);
});

test('waiting calls do not pass a probe that is under way', async () => {
  const { clock, breaker, call } = setup();
  for (let i = 0; i < 3; i++) await call(DOWN);
  let answer: (result: string) => void = () => undefined;
  const probe = breaker.run(() => new Promise<string>((resolve) => (answer = resolve)), asReason);
  let done = 0;
  const waiting = [call('ok'), call('ok')].map((each) => each.then(() => done++));
  await clock.delay(10_000);
  expect(done).toBe(0);
  answer('ok');
  await Promise.all([probe, ...waiting]);
  expect(done).toBe(2);
  expect(clock.now()).toBe(10_000);
});

test('after 30 s open, every waiting call fails with the reason', async () => {
  const { clock, calls, call } = setup();
  for (let i = 0; i < 3; i++) await call('early');
  const outcomes = await Promise.allSettled(Array.from({ length: 40 }, () => call(DOWN)));
  const rejected = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  expect(clock.now()).toBe(30_000);
  expect(calls.slice(3)).toEqual(Array.from({ length: 14 }, (_, i) => 2000 * (i + 1)));
  expect(rejected).toHaveLength(40 - 14);
  expect(rejected[0]).toEqual(new Error(`open for 30000 ms: ${DOWN}`));
});

test('a call that throws says nothing about the service, and lets the next one probe', async () => {
  const { breaker, call } = setup();
  for (let i = 0; i < 3; i++) await call(DOWN);
  await expect(breaker.run(() => Promise.reject(new Error('bug')), asReason)).rejects.toThrow('bug');
  expect(breaker.isOpen).toBe(true);
  expect(await call('ok')).toBe('ok');
});

test('a signal ends the waiting', async () => {
  const { clock, calls, call } = setup();
  for (let i = 0; i < 3; i++) await call(DOWN);
  const abort = new AbortController();
  const waiting = call('ok', abort.signal);
  abort.abort();
  await waiting;
  expect(clock.now()).toBe(0);
  expect(calls).toHaveLength(4);
});
