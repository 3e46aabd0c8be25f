/** For any lines and message, a batch can be divided until each of its lines is alone. */
import fc from 'fast-check';
import { partToTry } from 'shared/influxdb/rejected-points';
import { runs } from '../../support/fuzz';

const line = fc
  .tuple(
    fc.constantFrom('m', 'n', '"'),
    fc.constantFrom('v=1', 'v="x"', 'v=1i', 'v=', 'w="x"'),
    fc.oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.bigInt(0n, 3n)),
  )
  .map((parts) => parts.join(' '));
const message = fc.constantFrom(
  '',
  'field type conflict: input field "v" on measurement "m" is type string, already exists as type float',
  'points outside retention policy of 1h - Retention Policy Lower Bound at 1970-01-01T00:00:00.000000002Z',
);

test('the part to send apart has some of the lines, and not all', () => {
  fc.assert(
    fc.property(fc.array(line, { minLength: 2, maxLength: 20 }), message, (lines, text) => {
      const part = partToTry(Buffer.from(lines.join('\n')), 'ns', text);
      expect(part.size).toBeGreaterThan(0);
      expect(part.size).toBeLessThan(lines.length);
      for (const index of part) expect(lines[index]).toBeDefined();
    }),
    runs(1_000),
  );
});
