/** Round trips and arbitrary bytes through the line protocol codec. */
import fc from 'fast-check';
import { encodePoint } from 'shared/line-protocol/line-encoder';
import { decodePoints, type FieldValue, type Point } from 'shared/line-protocol/point';
import { corpusBytes, missingCorpus, readCorpus } from '../support/corpus';

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) =>
  Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Names that line protocol can express: no control characters, no backslash at the end; often with separators. */
const name = fc
  .string({
    minLength: 1,
    maxLength: 12,
    unit: fc.oneof(fc.constantFrom(...',= "\\#'), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 })),
  })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the filter removes them
  .filter((text) => !/[\u0000-\u001f\u007f]/.test(text) && !text.endsWith('\\') && text.isWellFormed());
const fieldValue: fc.Arbitrary<FieldValue> = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => ({ type: 'float' as const, value })),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => ({ type: 'integer' as const, value })),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => ({ type: 'unsigned' as const, value })),
  fc.boolean().map((value) => ({ type: 'boolean' as const, value })),
  fc
    .string({
      unit: fc.oneof(fc.constantFrom(...'"\\\n\r\t,= '), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 })),
    })
    .filter((text) => text.isWellFormed())
    .map((value) => ({ type: 'string' as const, value })),
);
const point: fc.Arbitrary<Point> = fc.record({
  measurement: name.filter((text) => !text.startsWith('#')),
  tags: fc
    .uniqueArray(fc.tuple(name, name), { selector: ([key]) => key, maxLength: 5 })
    .map((tags) => tags.sort(byKey)),
  fields: fc.array(fc.tuple(name, fieldValue), { minLength: 1, maxLength: 5 }),
  time: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
});

test('decodes encoded points to the same points', () => {
  fc.assert(
    fc.property(
      fc.array(point, { maxLength: 5 }),
      fc.constantFrom('\n', '\r\n', '\n\n# comment\n'),
      (points, lineEnd) => {
        const text = points.map((entry) => encodePoint(entry)).join(lineEnd);
        expect(decodePoints(Buffer.from(text), 0n)).toEqual({ points, errors: [] });
      },
    ),
    { numRuns: 500 },
  );
});

test('decodes any bytes to points or errors, never throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      decodePoints(bytes, 0n);
    }),
    { numRuns: 5_000 },
  );
});

const mutations = Number(process.env.CORPUS_MUTATIONS ?? 100_000);

if (missingCorpus === undefined) {
  test(`decodes ${mutations} mutations of corpus lines to points or errors, and the points can be encoded again`, () => {
    const inputs = Object.values(readCorpus().decode).map(({ input }) => corpusBytes(input.text));
    const interesting = Buffer.from(' ,=\\"\n\r\t#-.0129eEiutTfF\u0000\u007fé');
    let state = 20261122;
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    for (let run = 0; run < mutations; run++) {
      const bytes = Buffer.concat([
        inputs[random(inputs.length)],
        inputs[random(inputs.length)].subarray(0, random(40)),
      ]);
      for (let change = random(4); change >= 0 && bytes.length > 0; change--) {
        bytes[random(bytes.length)] = random(2) === 0 ? random(256) : interesting[random(interesting.length)];
      }
      for (const entry of decodePoints(bytes, 0n).points) encodePoint({ ...entry, tags: [], measurement: 'm' });
    }
  });
} else {
  test.skip(`decodes mutations of corpus lines to points or errors [skipped: ${missingCorpus}]`, () => undefined);
}
