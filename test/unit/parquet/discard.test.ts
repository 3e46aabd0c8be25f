/** Memory that is freed at once, in a process that does nothing else. */
import { discard } from 'shared/parquet/discard';
import { DuplicateCounter } from 'shared/points/duplicates';
import { runProgram } from '../../support/program';

const MEGABYTE = 1024 * 1024;

test('discarded buffers, forgotten ranges and freed counters take no memory', async () => {
  const held = (await runProgram('test/support/freed-buffers.ts', { flags: ['--expose-gc'] })) as Record<
    string,
    number
  >;
  // The measurement shows buffers that are kept, less small ones of Node that were freed meanwhile.
  expect(held.kept).toBeGreaterThan(19 * MEGABYTE);
  expect(held.discarded).toBeLessThan(MEGABYTE);
  expect(held.forgotten).toBeLessThan(MEGABYTE);
  expect(held.counted).toBeLessThan(MEGABYTE);
});

test('discarded buffers are empty', () => {
  const buffers = [new ArrayBuffer(MEGABYTE), new ArrayBuffer(MEGABYTE)];
  discard(...buffers);
  expect(buffers.map(({ byteLength }) => byteLength)).toEqual([0, 0]);
});

test('a freed counter keeps its count, also if times go back', () => {
  const counter = new DuplicateCounter();
  for (let point = 0; point < 10_000; point++) counter.add(1, -point, 0);
  counter.add(1, -5_000, 0);
  counter.free();
  expect(counter.count).toBe(1);
});
