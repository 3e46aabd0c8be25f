import fc from 'fast-check';
import { grouped, number } from 'shared/count-text';

describe('counts as text', () => {
  test('groups digits as the locale en-US does', () => {
    const counts = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.double({ min: -1e15, max: 1e15, noNaN: true }));
    fc.assert(
      fc.property(counts, (count) => {
        // -0 is the one difference: nobody counts it.
        expect(grouped(count)).toBe((Math.round(count) || 0).toLocaleString('en-US'));
      }),
    );
  });

  test.each([
    [0, '0 rows'],
    [1, '1 row'],
    [999, '999 rows'],
    [9990, '9,990 rows'],
    [1e12, '1,000,000,000,000 rows'],
  ])('writes %d with its noun', (count, text) => {
    expect(number(count, 'row')).toBe(text);
  });
});
