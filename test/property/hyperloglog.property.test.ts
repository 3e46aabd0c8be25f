import fc from 'fast-check';
import { DistinctCounter, hashPair, hashText } from 'shared/points/hyperloglog';

/** Five times the standard error of 0.81 %: one estimate in two million lies beyond it. */
const BOUND = 5 * 0.0081;

const counterOf = (texts: Iterable<string>): DistinctCounter => {
  const counter = new DistinctCounter();
  for (const text of texts) counter.add(hashText(text));
  return counter;
};

const numbered = (from: number, to: number, prefix: string): string[] =>
  Array.from({ length: to - from }, (_, index) => `${prefix}${from + index}`);

describe('the counter of distinct texts', () => {
  test('counts small sets exactly, however often a text is added', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 500 }), (texts) => {
        const counter = counterOf([...texts, ...texts]);

        expect([counter.count(), counter.isExact]).toEqual([new Set(texts).size, true]);
      }),
    );
  });

  test.each([513, 1_000, 5_000, 41_000, 100_000])('estimates %i texts within the documented error', (size) => {
    for (const prefix of ['', 'cpu,host=a,region=']) {
      const counter = counterOf(numbered(0, size, prefix));

      expect(counter.isExact).toBe(false);
      expect(Math.abs(counter.count() / size - 1)).toBeLessThan(BOUND);
    }
  });

  test('has the documented standard error over many sets', () => {
    const errors = Array.from(
      { length: 100 },
      (_, index) => counterOf(numbered(0, 4_000, `${index}/`)).count() / 4_000 - 1,
    );
    const deviation = Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length);
    const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;

    expect(deviation).toBeLessThan(0.01);
    expect(Math.abs(mean)).toBeLessThan(0.003);
  });

  test('estimates pairs of hashes like texts, and their order counts', () => {
    const series = numbered(0, 2_000, 'host').map((text) => hashText(text));
    const fields = numbered(0, 50, 'f').map((text) => hashText(text));
    const counter = new DistinctCounter();
    for (const one of series) for (const field of fields) counter.add(hashPair(one, field));

    expect(Math.abs(counter.count() / 100_000 - 1)).toBeLessThan(BOUND);
    expect(hashPair(series[0], series[1])).not.toBe(hashPair(series[1], series[0]));
  });

  test('is the counter of the union after a merge', () => {
    const sizes = fc.integer({ min: 0, max: 3_000 });
    fc.assert(
      fc.property(sizes, sizes, sizes, (start, first, second) => {
        const [a, b] = [numbered(0, first, 's'), numbered(start, start + second, 's')];
        const merged = counterOf(a);
        merged.merge(counterOf(b));

        const union = counterOf([...a, ...b]);
        expect(merged.count()).toBe(union.count());
        expect(merged.isExact).toBe(union.isExact);
      }),
      { numRuns: 25 },
    );
  });

  test('is the same after it was written and read', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 700 }), (size, more) => {
        const counter = counterOf(numbered(0, size, 'x'));
        const read = DistinctCounter.fromBytes(counter.toBytes());
        expect([read.count(), read.isExact]).toEqual([counter.count(), counter.isExact]);

        for (const text of numbered(size, size + more, 'x')) {
          counter.add(hashText(text));
          read.add(hashText(text));
        }
        expect(read.toBytes()).toEqual(counter.toBytes());
      }),
      { numRuns: 25 },
    );
  });

  test('refuses bytes that are not a counter', () => {
    expect(() => DistinctCounter.fromBytes(new Uint8Array(7))).toThrow('7 bytes are not a counter of distinct texts');
    expect(() => DistinctCounter.fromBytes(new Uint8Array(20_000))).toThrow(RangeError);
  });
});
