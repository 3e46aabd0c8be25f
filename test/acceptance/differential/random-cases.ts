/**
 * Random requests from a seed: valid lines in every form that line protocol allows, in some requests with invalid lines between them.
 * They are generated from the grammar, not with the encoder under test.
 */
import fc from 'fast-check';
import type { Case } from './case';

/** The report names the seed; ACCEPTANCE_SEED selects other requests. */
export const SEED = Number(process.env.ACCEPTANCE_SEED ?? 20261127);
const REQUESTS = 120;

/** Nanoseconds of a unit. */
const PRECISIONS = { ns: 1n, us: 1_000n, ms: 1_000_000n, s: 1_000_000_000n } as const;
type Precision = keyof typeof PRECISIONS;

const tricky = fc.string({ unit: fc.constantFrom(...'abc019 ,="\'/.-é日🙂#'), minLength: 1, maxLength: 8 });
const escaped = (text: string, characters: RegExp): string => text.replace(characters, '\\$&');

const float = fc.oneof(
  fc.constantFrom('1', '-1', '0', '-0', '5.', '.5', '-.5', '05', '0.50', '1e3', '1E-3', '1e+10', '5e-324'),
  fc.constantFrom('1.7976931348623157e308', '123456789012345680000', '0.1', '1e-400'),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
);
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const integer = fc.oneof(
  fc.constantFrom('0i', '-0i', '0009i', '9223372036854775807i', '-9223372036854775808i'),
  int64.map((value) => `${value}i`),
);
const unsigned = fc.oneof(
  fc.constantFrom('0u', '007u', '9223372036854775807u'),
  fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map((value) => `${value}u`),
);
const boolean = fc.constantFrom('t', 'T', 'true', 'True', 'TRUE', 'f', 'F', 'false', 'False', 'FALSE');
const string = fc
  .string({ unit: fc.constantFrom(...'abc019 ,=\'"\\\n\té日🙂#'), minLength: 1, maxLength: 12 })
  .map((text) => `"${escaped(text, /["\\]/g)}"`);

/** The first letter of a field's name is its type, so all points agree about it. */
const field = fc
  .oneof(
    ...Object.entries({ f: float, i: integer, u: unsigned, b: boolean, s: string }).map(([letter, value]) =>
      fc.tuple(
        tricky.map((name) => letter + name),
        value,
      ),
    ),
  )
  .map(([name, value]) => [escaped(name, /[ ,=]/g), value] as const);
const tag = fc.tuple(tricky, tricky).map((pair) => pair.map((text) => escaped(`t${text}`, /[ ,=]/g)));
const measurement = fc.oneof(
  fc.constant('m'),
  tricky.map((name) => escaped(`m${name}`, /[ ,]/g)),
);

/** From 2001 to 2024. */
const time = fc.bigInt({ min: 978_307_200_000_000_000n, max: 1_709_294_400_000_000_000n });

const line = (precision: Precision) =>
  fc
    .record({
      measurement,
      tags: fc.uniqueArray(tag, { selector: ([key]) => key, minLength: 1, maxLength: 4 }),
      fields: fc.uniqueArray(field, { selector: ([key]) => key, minLength: 1, maxLength: 4 }),
      time: fc.option(time, { freq: 6 }),
      spaces: fc.constantFrom(' ', ' ', ' ', '  '),
    })
    .map(({ measurement: name, tags, fields, time: at, spaces }) => {
      const series = [name, ...tags.map((pair) => pair.join('='))].join(',');
      const timestamp = at === null ? '' : `${spaces}${at / PRECISIONS[precision]}`;
      return `${series}${spaces}${fields.map((pair) => pair.join('=')).join(',')}${timestamp}`;
    });

const between = fc.constantFrom('', '', '', '# a comment\n', '\n', '  \n', '#\n');

interface Parts {
  readonly precision: Precision;
  readonly lines: readonly (readonly [before: string, text: string])[];
}
const valid: fc.Arbitrary<Parts> = fc.constantFrom<Precision>('ns', 'us', 'ms', 's').chain((precision) =>
  fc.record({
    precision: fc.constant(precision),
    lines: fc.array(fc.tuple(between, line(precision)), { minLength: 1, maxLength: 8 }),
  }),
);

const body = (lines: Parts['lines'], lineEnd = '\n'): Buffer =>
  Buffer.from(lines.map(([before, text]) => before + text + lineEnd).join(''));

/** Lines that the grammar refuses at any position. */
export const BAD_LINES = [
  'm',
  'm,',
  'm,t=a',
  'm,t=a v',
  'm,t=a v=',
  'm,t=a =1',
  'm,t=a v=1,',
  'm,t=a v=1,,w=2',
  'm,t v=1',
  'm,t= v=1',
  'm,=a v=1',
  ',t=a v=1',
  'm,t=a v=1 now',
  'm,t=a v=1 1 2',
  'm,t=a v=1 1.5',
  'm,t=a v=1 9223372036854775808',
  'm,t=a v=1x',
  'm,t=a v=1i2',
  'm,t=a v=1.5i',
  'm,t=a v=-1u',
  'm,t=a v=0x1',
  'm,t=a v=tru',
  'm,t=a v=abc',
  'm,t=a v=+1',
  'm,t=a v=+1i',
  'm,t=a v=NaN',
  'm,t=a v=Inf',
  'm,t=a v=-inf',
  'm,t=a v=9223372036854775808i',
  'm,t=a v=18446744073709551616u',
  'm,t=a v="a"b',
  'm t=a v=1 2',
  'cpu_load_short,host=server01,region=us-west value=0.64,average=1.24, 1725059274',
];

/** A third of the requests have an invalid line somewhere, a tenth have CRLF line ends. */
export function randomCases(): Case[] {
  const bad = fc.oneof({ weight: 2, arbitrary: fc.constant(null) }, fc.tuple(fc.constantFrom(...BAD_LINES), fc.nat()));
  const lineEnds = fc.constantFrom(...Array<string>(9).fill('\n'), '\r\n');
  const samples = fc.sample(fc.tuple(valid, bad, lineEnds), { seed: SEED, numRuns: REQUESTS });
  return samples.map(([{ precision, lines }, inserted, lineEnd], number) => {
    const all = inserted ? lines.toSpliced(inserted[1] % (lines.length + 1), 0, ['', inserted[0]]) : lines;
    return {
      name: `random ${number}`,
      requests: [{ body: body(all, lineEnd), precision }],
      good: [{ body: body(lines), precision }],
      grammar: inserted ? 'refuses' : 'accepts',
    };
  });
}
