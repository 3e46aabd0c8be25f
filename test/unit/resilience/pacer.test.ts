import { Pacer } from 'shared/resilience/pacer';
import { VirtualClock } from '../../support/virtual-clock';

test('starts the first turn at once and the others one interval apart', async () => {
  const clock = new VirtualClock();
  const pacer = new Pacer(1_000, clock);
  const starts: number[] = [];
  await Promise.all([1, 2, 3].map(() => pacer.turn().then(() => starts.push(clock.now()))));
  expect(starts.map((start) => start - (starts[0] ?? 0))).toEqual([0, 1_000, 2_000]);
});

test('does not delay later turns for aborted ones', async () => {
  const clock = new VirtualClock();
  const pacer = new Pacer(1_000, clock);
  const deadline = new AbortController();
  await pacer.turn();
  const started = clock.now();
  const given = [pacer.turn(deadline.signal), pacer.turn(deadline.signal), pacer.turn(deadline.signal)];
  deadline.abort();
  await Promise.all(given);
  await pacer.turn();
  expect(clock.now() - started).toBeLessThanOrEqual(1_000);
});
