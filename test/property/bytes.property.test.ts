/** The byte-wise functions of the hot path, compared with JavaScript's own results for the same text. */
import fc from 'fast-check';
import { escapesInKey } from 'shared/line-protocol/bytes';
import { LineDecoder, STRING, TOKEN } from 'shared/line-protocol/decoder';
import {
  floatForm,
  INVALID,
  integerForm,
  JSON_NUMBER,
  OTHER_NUMBER,
  unsignedForm,
} from 'shared/line-protocol/number-syntax';
import { viewOf, Words } from 'shared/line-protocol/words';
import { ByteWriter, jsonTextBytes } from 'shared/timestream/byte-writer';

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
      const writer = new ByteWriter(Buffer.allocUnsafeSlow(1));
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
      const writer = new ByteWriter(Buffer.allocUnsafeSlow(1));
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
      const writer = new ByteWriter(Buffer.allocUnsafeSlow(1));
      expect(writer.jsonText(bytes, 0, bytes.length, isKey ? escapesInKey : undefined)).toBe(Buffer.byteLength(plain));
      expect(JSON.parse(`"${writer.written}"`)).toBe(plain);
      if (isKey) expect(jsonTextBytes(bytes, 0, bytes.length, escapesInKey)).toBe(writer.length);
    }),
  );
});

const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((each) => each.isWellFormed());

test('writes a prepared text and then a part of a buffer, at any position', () => {
  fc.assert(
    fc.property(
      text,
      text,
      fc.nat(),
      fc.nat(),
      fc.integer({ min: 1, max: 200 }),
      (prepared, source, a, b, capacity) => {
        const bytes = Buffer.from(source);
        // Parts of UTF-8 that are themselves UTF-8.
        const [from, to] = [a, b].map((at) => at % (source.length + 1)).sort((x, y) => x - y) as [number, number];
        fc.pre(source.slice(0, from).isWellFormed() && source.slice(0, to).isWellFormed());
        const [start, end] = [from, to].map((at) => Buffer.byteLength(source.slice(0, at))) as [number, number];
        const writer = new ByteWriter(Buffer.allocUnsafeSlow(capacity));
        for (let i = 0; i < 3; i++) writer.wordsAndCopy(Words.of(prepared), viewOf(bytes), start, end);
        expect(writer.written.toString()).toBe(`${prepared}${source.slice(from, to)}`.repeat(3));
      },
    ),
  );
});

test('writes a prepared text and then up to eight bytes of two words', () => {
  fc.assert(
    fc.property(
      text,
      fc.string({ unit: fc.constantFrom(...'0123456789.-'), maxLength: 8 }),
      fc.nat(200),
      (prepared, short, capacity) => {
        const [first = 0, second = 0] = new Int32Array(new Uint8Array(Buffer.from(short.padEnd(8, 'x'))).buffer);
        const writer = new ByteWriter(Buffer.allocUnsafeSlow(capacity));
        for (let i = 0; i < 3; i++) writer.wordsAndShort(Words.of(prepared), first, second, short.length);
        expect(writer.written.toString()).toBe(`${prepared}${short}`.repeat(3));
      },
    ),
  );
});

test('recognizes a text at any position of a buffer, and no other text', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'b', 'é'), maxLength: 12 }), fc.nat(), fc.nat(), (all, a, b) => {
      const bytes = Buffer.from(all);
      const [start, end] = [a, b].map((at) => at % (bytes.length + 1)).sort((x, y) => x - y) as [number, number];
      const words = new Words(bytes.subarray(start, end));
      for (let at = 0; at <= bytes.length; at++) {
        const isThere = bytes.subarray(at, at + end - start).equals(bytes.subarray(start, end));
        expect([at, words.standAt(viewOf(bytes), at)]).toEqual([at, isThere]);
      }
    }),
  );
});

/** The decoder after the field `v=<value>`; undefined if it does not accept the field. */
function decodedField(value: string): LineDecoder | undefined {
  const decoder = new LineDecoder(Buffer.from(`m v=${value} 1`));
  decoder.nextLine();
  decoder.readMeasurement();
  decoder.readTag();
  return decoder.readField() === TOKEN ? decoder : undefined;
}

test('the decoder accepts and classifies numbers as their grammar and JSON do', () => {
  const number = fc
    .tuple(fc.constantFrom('', '-'), digits, fc.constantFrom('', '.'), digits, fc.constantFrom('', 'e1', 'i', 'u', 'x'))
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(number, (value) => {
      fc.pre(/^[-.\d]/.test(value));
      const [, plain = '', suffix = ''] = /^(.*?)([iu]?)$/.exec(value) ?? [];
      const bytes = Buffer.from(plain);
      const formOf = suffix === 'i' ? integerForm : suffix === 'u' ? unsignedForm : floatForm;
      const form = formOf(bytes, 0, bytes.length);
      const decoder = decodedField(value);
      const found = decoder && [decoder.kind, decoder.isJsonText, decoder.valueEnd - decoder.valueStart];
      const kind = ['', 'i', 'u'].indexOf(suffix);
      expect([value, found]).toEqual([
        value,
        form === INVALID ? undefined : [kind, form === JSON_NUMBER, plain.length],
      ]);
    }),
    { numRuns: 5_000 },
  );
});

test('the decoder shows whether a string can stand in JSON as it is, and counts its escapes', () => {
  const unit = fc.oneof(fc.constantFrom(...'\\\\\\"",= \n\u0001\u007f'), fc.string({ unit: 'grapheme', maxLength: 1 }));
  fc.assert(
    fc.property(fc.string({ unit }), (raw) => {
      fc.pre(raw.isWellFormed());
      const decoder = decodedField(`"${raw}"`);
      fc.pre(decoder?.kind === STRING && decoder.valueEnd - decoder.valueStart === Buffer.byteLength(raw));
      const plain = raw.replace(/\\(["\\])/g, '$1');
      let parsed: unknown;
      try {
        parsed = JSON.parse(`"${raw}"`);
      } catch {
        parsed = undefined;
      }
      // Of the escapes of JSON only these two are escapes in line protocol.
      expect([raw, decoder?.isJsonText]).toEqual([raw, parsed === plain]);
      expect(decoder?.escapes).toBe(Buffer.byteLength(raw) - Buffer.byteLength(plain));
    }),
    { numRuns: 2_000 },
  );
});
