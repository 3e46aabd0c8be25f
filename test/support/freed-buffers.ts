/**
 * Run with --expose-gc: prints the growth of the bytes in buffers after ten rounds of each method to free them, counted before the
 * garbage collector can run.
 */

import { ChunkCache } from 'shared/parquet/chunk-cache';
import { discard } from 'shared/parquet/discard';
import { DuplicateCounter } from 'shared/points/duplicates';

const MEGABYTE = 1024 * 1024;
const ROUNDS = 10;

async function heldAfter(round: () => Promise<void> | void): Promise<number> {
  // Otherwise it might collect older buffers during the measurement.
  globalThis.gc?.();
  const before = process.memoryUsage().arrayBuffers;
  for (let rounds = 0; rounds < ROUNDS; rounds++) await round();
  return process.memoryUsage().arrayBuffers - before;
}

async function main(): Promise<void> {
  const kept: ArrayBuffer[] = [];
  const cache = new ChunkCache((start, end) => Promise.resolve(new ArrayBuffer(end - start)));
  const held = {
    kept: await heldAfter(() => {
      kept.push(new ArrayBuffer(2 * MEGABYTE));
    }),
    discarded: await heldAfter(() => discard(new ArrayBuffer(MEGABYTE), new ArrayBuffer(MEGABYTE))),
    forgotten: await heldAfter(async () => {
      await cache.fetch([
        { start: 0, end: MEGABYTE },
        { start: MEGABYTE + 1, end: 2 * MEGABYTE },
      ]);
      await cache.read(0, 2 * MEGABYTE);
      cache.forget();
    }),
    // Decreasing times make the counter keep all of them.
    counted: await heldAfter(() => {
      const counter = new DuplicateCounter();
      for (let point = 0; point < 100_000; point++) counter.add(1, -point, 0);
      counter.free();
    }),
  };
  console.log(JSON.stringify(held));
}

void main();
