/** Concurrent tasks: their results are in order, and no task runs after the iteration. */
import { inOrder } from 'shared/loads/in-order';

/** Work that ends when the test finishes it, or by its signal. */
function works() {
  const running = new Set<number>();
  const finish = new Map<number, () => void>();
  const work = (item: number, signal: AbortSignal): Promise<number> => {
    running.add(item);
    return new Promise<number>((resolve, reject) => {
      finish.set(item, () => resolve(item));
      signal.addEventListener('abort', () => reject(new Error('aborted')));
    }).finally(() => running.delete(item));
  };
  return { running, finish: (item: number) => finish.get(item)?.(), work };
}

test('returns results in the order of the items, with at most `limit` tasks running', async () => {
  const { running, finish, work } = works();
  const results = inOrder([0, 1, 2, 3], 2, work);
  const first = results.next();
  while (running.size < 2) await Promise.resolve();
  expect([...running]).toEqual([0, 1]);
  finish(1);
  finish(0);
  expect(await first).toEqual({ value: 0, done: false });
  const rest = (async () => {
    const values: number[] = [];
    for await (const value of results) values.push(value);
    return values;
  })();
  for (const item of [2, 3]) {
    while (!running.has(item)) await Promise.resolve();
    finish(item);
  }
  expect(await rest).toEqual([1, 2, 3]);
});

test.each(['break', 'an error'])('aborts running tasks after %s', async (way) => {
  const { running, finish, work } = works();
  const leave = async () => {
    for await (const value of inOrder([0, 1, 2, 3], 3, work)) {
      expect(value).toBe(0);
      expect(running.size).toBe(2);
      if (way === 'break') break;
      throw new Error('enough');
    }
  };
  const left = leave().catch((error: Error) => error.message);
  while (running.size < 3) await Promise.resolve();
  finish(0);
  expect(await left).toBe(way === 'break' ? undefined : 'enough');
  expect(running.size).toBe(0);
});

test('waits for a task that ignores the signal', async () => {
  let ended = 0;
  const slow = async (item: number) => {
    if (item === 0) return item;
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    ended += 1;
    return item;
  };
  for await (const value of inOrder([0, 1, 2], 3, slow)) if (value === 0) break;
  expect(ended).toBe(2);
});
