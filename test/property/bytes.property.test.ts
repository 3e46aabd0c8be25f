/** The byte-wise functions of the hot path, compared with JavaScript's own results for the same text. */
import fc from 'fast-check';
import { escapesInKey } from 'shared/line-protocol/bytes';
import {
  floatForm,
  INVALID,
  integerForm,
  JSON_NUMBER,
  OTHER_NUMBER,
  unsignedForm,
} from 'shared/line-protocol/number-syntax';
import { viewOf } from 'shared/line-protocol/words';
import { ByteWriter } from 'shared/timestream/byte-writer';

const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 0, maxLength: 22 });
const isJson = (text: string): boolean => {
  try {
    return typeof JSON.parse(text) === 'number';
  } catch {
    return false;
  }
};

test('determines the form of floats by the grammar and JSON', () => {
  const number = fc
    .tuple(
      fc.constantFrom('', '-'),
      digits,
      fc.constantFrom('', '.'),
      digits,
      fc.constantFrom('', 'e', 'E', 'e-', 'e+', 'ee'),
      fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 4 }),
    )
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.oneof(number, fc.string({ unit: fc.constantFrom(...'0123456789.eE+-'), minLength: 1 })), (text) => {
      fc.pre(text !== '');
      const valid = /^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) && Number.isFinite(Number(text));
      const expected = !valid ? INVALID : isJson(text) ? JSON_NUMBER : OTHER_NUMBER;
      expect([text, floatForm(Buffer.from(text), 0, text.length)]).toEqual([text, expected]);
    }),
    { numRuns: 5_000 },
  );
});

test('accepts exactly the integers within 64 bits', () => {
  const near = fc
    .tuple(fc.constantFrom(2n ** 63n, 2n ** 64n, 10n ** 18n, 0n), fc.bigInt({ min: -3n, max: 3n }))
    .map(([bound, by]) => String(bound + by));
  fc.assert(
    fc.property(fc.oneof(near, digits), fc.constantFrom('', '-'), (text, sign) => {
      fc.pre(/^\d+$/.test(text));
      const written = `${sign}${text}`;
      const value = BigInt(written);
      const form = (fits: boolean, isCanonical: boolean) =>
        !fits ? INVALID : isCanonical ? JSON_NUMBER : OTHER_NUMBER;
      expect([written, integerForm(Buffer.from(written), 0, written.length)]).toEqual([
        written,
        form(BigInt.asIntN(64, value) === value, String(value) === written),
      ]);
      if (sign === '') {
        expect(unsignedForm(Buffer.from(text), 0, text.length)).toBe(
          form(BigInt.asUintN(64, value) === value, String(value) === text),
        );
      }
    }),
    { numRuns: 5_000 },
  );
});

test('writes the digits of a number with leading zeros', () => {
  const value = fc.oneof(fc.nat(), fc.integer({ min: 0, max: 10 ** 15 }), fc.constantFrom(999_999_999, 1e9, 1e9 + 1));
  fc.assert(
    fc.property(value, fc.integer({ min: 1, max: 9 }), (number, width) => {
      const writer = new ByteWriter(1);
      writer.digits(number, width);
      expect(writer.written.toString()).toBe(String(number).padStart(width, '0'));
    }),
  );
});

test('copies any range of a buffer, including its own', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.nat(), fc.nat(), (bytes, a, b) => {
      const [start, end] = [a, b].map((at) => at % (bytes.length + 1)).sort((x, y) => x - y) as [number, number];
      const part = Buffer.from(bytes).toString('latin1').slice(start, end);
      const writer = new ByteWriter(1);
      writer.copy(viewOf(bytes), start, end);
      writer.copy(writer.view, 0, writer.length);
      writer.ascii('.');
      expect(writer.written.toString('latin1')).toBe(`${part}${part}.`);
    }),
  );
});

test('writes unescaped text as the content of a JSON string', () => {
  const unit = fc.oneof(
    fc.constantFrom(...'\\",= \n\u0001'),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  );
  fc.assert(
    fc.property(fc.string({ unit }), fc.boolean(), (text, isKey) => {
      fc.pre(text.isWellFormed());
      const plain = isKey ? text.replace(/\\([,= ])/g, '$1') : text;
      const bytes = Buffer.from(text);
      const writer = new ByteWriter(1);
      expect(writer.jsonText(bytes, 0, bytes.length, isKey ? escapesInKey : undefined)).toBe(Buffer.byteLength(plain));
      expect(JSON.parse(`"${writer.written}"`)).toBe(plain);
    }),
  );
});
