import fc from 'fast-check';
import { joinLines, splitLines } from 'shared/influxdb/lines';
import { readLines } from '../../support/check-lines';

/** Texts with characters that could be mistaken for the end of a line or of a string. */
const text = fc
  .array(fc.constantFrom('a', 'ü', '"', '\\', '\n', ' ', ',', '='), { maxLength: 8 })
  .map((parts) => parts.join(''));
const key = text
  .map((raw) => raw.replaceAll('\n', '').replaceAll('\\', ''))
  .map((raw) => `k${raw.replace(/[ ,=]/g, '\\$&')}`);
const value = fc.oneof(
  text.map((raw) => `"${raw.replace(/["\\]/g, '\\$&')}"`),
  fc.constantFrom('1', '-2.5e3', '7i', 'true'),
);
const pairs = (of: fc.Arbitrary<string>) =>
  fc.array(fc.tuple(key, of), { minLength: 1, maxLength: 3 }).map((all) => all.map(([k, v]) => `${k}=${v}`).join(','));
const line = fc
  .tuple(
    key,
    fc.option(pairs(key), { nil: undefined }),
    pairs(value),
    fc.option(fc.bigInt(-9n, 9n), { nil: undefined }),
  )
  .map(
    ([measurement, tags, fields, time]) =>
      `${measurement}${tags ? `,${tags}` : ''} ${fields}${time === undefined ? '' : ` ${time}`}`,
  );

test('splits a batch into its lines, for any texts in them', () => {
  fc.assert(
    fc.property(fc.array(line), fc.boolean(), (lines, endsWithNewline) => {
      const batch = lines.map((each) => `${each}\n`).join('');
      expect(readLines(batch)).toEqual(lines);
      const found = splitLines(Buffer.from(endsWithNewline ? batch : batch.slice(0, -1)));
      expect(found.map((each) => Buffer.from(each).toString())).toEqual(lines);
      expect(Buffer.from(joinLines(found)).toString()).toBe(batch);
    }),
  );
});
