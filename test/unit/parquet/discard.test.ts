/** Memory that is freed at once: what the process still holds is counted before the garbage collector may run. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { discard } from 'shared/parquet/discard';
import { RangeCache } from 'shared/parquet/ranged-blob';
import { DuplicateCounter } from 'shared/points/duplicates';

const MEGABYTE = 1024 * 1024;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes in buffers, more than before, after ten rounds. */
async function heldAfter(round: () => Promise<void> | void): Promise<number> {
  // Else it might take away what was there before.
  collectGarbage();
  const before = process.memoryUsage().arrayBuffers;
  for (let rounds = 0; rounds < 10; rounds++) await round();
  return process.memoryUsage().arrayBuffers - before;
}

test('discarded buffers are empty, and their memory is free', async () => {
  const held = await heldAfter(() => {
    const buffers = [new ArrayBuffer(MEGABYTE), new ArrayBuffer(MEGABYTE)];
    discard(...buffers);
    expect(buffers.map(({ byteLength }) => byteLength)).toEqual([0, 0]);
  });
  expect(held).toBeLessThan(MEGABYTE);
});

test('ranges that are forgotten take no memory', async () => {
  const cache = new RangeCache((start, end) => Promise.resolve(new ArrayBuffer(end - start)));
  const held = await heldAfter(async () => {
    await cache.read(0, MEGABYTE);
    await cache.read(MEGABYTE, 2 * MEGABYTE);
    cache.forget();
  });
  expect(held).toBeLessThan(MEGABYTE);
});

test('a counter of duplicates that is freed takes no memory, also where times go back', async () => {
  const counts: number[] = [];
  const held = await heldAfter(() => {
    const counter = new DuplicateCounter();
    for (let point = 0; point < 10_000; point++) counter.add(1, -point, 0);
    counter.add(1, -5_000, 0);
    counter.free();
    counts.push(counter.count);
  });
  expect(held).toBeLessThan(MEGABYTE);
  expect(new Set(counts)).toEqual(new Set([1]));
});
