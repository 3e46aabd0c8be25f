/**
 * Random write requests for the circle, from a seed: a few series and times that recur, so that points merge, are overwritten and arrive
 * late. Each line comes with the point that it means, so nothing here depends on a decoder.
 */
import fc from 'fast-check';
import type { Value } from '../differential/stored';

/** The report names the seed; ACCEPTANCE_SEED selects other requests, ACCEPTANCE_BATCHES their number per circle. */
export const SEED = Number(process.env.ACCEPTANCE_SEED ?? 20261129);
export const BATCHES = Number(process.env.ACCEPTANCE_BATCHES ?? 700);

const PRECISIONS = { ns: 1n, us: 1_000n, ms: 1_000_000n, s: 1_000_000_000n } as const;
type Precision = keyof typeof PRECISIONS;

export interface Field extends Pick<Value, 'field' | 'type' | 'value'> {
  readonly isUnsigned: boolean;
}

/** One line of a batch: its text, and the point. */
export interface Line extends Pick<Value, 'measurement' | 'tags' | 'time'> {
  readonly text: string;
  readonly fields: readonly Field[];
}

export interface Batch {
  readonly precision: Precision;
  readonly lines: readonly Line[];
}

const escaped = (text: string, characters: RegExp): string => text.replace(characters, '\\$&');

/** A backslash is plain text unless it precedes a special character. */
const UNITS = [...'aB01 ,="\'/.-é日🙂#:', '\\x'];
const text = fc.string({ unit: fc.constantFrom(...UNITS), minLength: 1, maxLength: 8 });
const tagValue = fc
  .string({ unit: fc.constantFrom(...UNITS, '\\\nz'), minLength: 1, maxLength: 8 })
  // Spaces at the ends, and text that a reader may take for a number or for NULL.
  .chain((value) => fc.constantFrom(value, value, ` ${value} `, '0123', 'NULL', 'true', '""'));

/** A field's value as its text in the line, and as InfluxDB shows it. */
type Written = readonly [text: string, value: string];
const shown = <T>(arbitrary: fc.Arbitrary<T>, written: (value: T) => Written): fc.Arbitrary<Written> =>
  arbitrary.map(written);

const float = fc.oneof(
  shown(fc.constantFrom('1', '-1', '0', '5.', '.5', '-.5', '05', '1e3', '1E-3', '5e-324', '1e-400'), floatOf),
  shown(fc.constantFrom('1.7976931348623157e308', '123456789012345680000', '0.1', '9007199254740993'), floatOf),
  shown(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => floatOf(String(value))),
);
function floatOf(written: string): Written {
  return [written, String(Number(written))];
}
const integer = shown(
  fc.oneof(
    fc.constantFrom(0n, -1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  ),
  (value) => [`${value}i`, String(value)],
);
const unsigned = shown(
  fc.oneof(
    { weight: 9, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }) },
    fc.constantFrom(2n ** 63n, 2n ** 64n - 1n),
  ),
  (value) => [`${value}u`, String(value)],
);
const boolean = shown(
  fc.constantFrom('t', 'T', 'true', 'True', 'TRUE', 'f', 'F', 'false', 'False', 'FALSE'),
  (value) => [value, String(/^t/i.test(value))],
);
const string = shown(
  fc.string({ unit: fc.constantFrom(...UNITS, '\\', '\n', '\t', '"'), minLength: 1, maxLength: 12 }),
  (value) => [`"${escaped(value, /["\\]/g)}"`, value],
);

/** In fields of their own: Flux returns the values of a series in a wrong order if an empty string is between others (InfluxDB 2.7.12). */
const empty = fc.constant<Written>(['""', '']);

const KINDS = {
  f: { type: 'float', value: float },
  i: { type: 'integer', value: integer },
  u: { type: 'integer', value: unsigned },
  b: { type: 'boolean', value: boolean },
  s: { type: 'string', value: string },
  empty: { type: 'string', value: empty },
} as const;

interface Name {
  readonly name: string;
  readonly kind: keyof typeof KINDS;
}

/** The first letter of a field's name is its type, so that all points agree about it. Names that differ only in case are two names. */
const FIXED_FIELDS: readonly Name[] = [
  ...(['f_load', 'f_Load', 'f_LOAD', 'f_load_1', 'f::a', 'f_ns', 'f.3Ab'] as const).map((name) => ({
    name,
    kind: 'f' as const,
  })),
  { name: '_hidden', kind: 'i' },
  { name: 'ts_x', kind: 'i' },
  { name: 'Time', kind: 's' },
  { name: 'empty', kind: 'empty' },
];
const FIXED_TAGS = ['host', 'Host', 'a:b', '_tag', 'tag', 'MEASURE_NAME', 'TIME', 'select', 'measure_value'];
/** A tag, and a field of the points that have the tag. */
const BOTH: Name = { name: 'both', kind: 'f' };

const MEASUREMENTS = ['cpu', 'CPU', 'disk.io', '_own', 'a b', '°C', '_.x', 'ts_m', 'with,comma=1'];

const HOUR = 3_600_000_000_000n;
/** 2024-02-29T00:00:00Z */
const DAY = 1_709_164_800_000_000_000n;
const time = fc.oneof(
  { weight: 9, arbitrary: fc.bigInt({ min: DAY, max: DAY + 24n * HOUR }) },
  { weight: 2, arbitrary: fc.constantFrom(0n, 1n, 951_782_400_000_000_000n, DAY - 1n) },
  { weight: 1, arbitrary: fc.constantFrom(-1_000_000_000n, 4_102_444_800_000_000_000n) },
);

interface Series {
  readonly measurement: string;
  readonly tags: readonly (readonly [string, string])[];
}

/** Names that look as if the connector had escaped them. */
const LOOKALIKES = { tags: ['_.a.3Ab'], fields: [{ name: '_.ts_x', kind: 'i' }], measurements: ['_.a.20b'] } as const;
const NO_LOOKALIKES = { tags: [], fields: [], measurements: [] } as const;

/** What the batches of a circle choose from. */
const pools = (more: typeof LOOKALIKES | typeof NO_LOOKALIKES) =>
  fc
    .record({
      tags: fc.uniqueArray(
        text.map((name) => `t${name}`),
        { minLength: 6, maxLength: 6 },
      ),
      fields: fc.uniqueArray(
        fc
          .tuple(fc.constantFrom<Name['kind']>('f', 'i', 'u', 'b', 's'), text)
          .map(([kind, name]) => ({ name: kind + name, kind })),
        { minLength: 14, maxLength: 14, selector: ({ name }) => name },
      ),
      times: fc.array(time, { minLength: 30, maxLength: 30 }),
    })
    .chain(({ tags, fields, times }) => {
      const names = fc.constantFrom(...tags, ...FIXED_TAGS, ...more.tags, BOTH.name);
      const pairs = fc.uniqueArray(fc.tuple(names, tagValue), {
        selector: ([name]) => name,
        minLength: 1,
        maxLength: 4,
      });
      const some = fc.oneof({ weight: 30, arbitrary: pairs }, { weight: 1, arbitrary: fc.constant([]) });
      const series = fc.record({ measurement: fc.constantFrom(...MEASUREMENTS, ...more.measurements), tags: some });
      return fc.record({
        series: fc.array(series, { minLength: 60, maxLength: 60 }),
        fresh: fc.constant(series),
        fields: fc.constant([...fields, ...FIXED_FIELDS, ...more.fields]),
        times: fc.constant(times),
      });
    });

const fieldOf = (names: readonly Name[]) =>
  fc
    .constantFrom(...names)
    .chain((name) => fc.tuple(fc.constant(name), KINDS[name.kind].value))
    .map(([{ name, kind }, [written, value]]) => ({
      written,
      field: name,
      type: KINDS[kind].type,
      value,
      isUnsigned: kind === 'u',
    }));

function lineOf(
  precision: Precision,
  { measurement, tags }: Series,
  names: readonly Name[],
  times: fc.Arbitrary<bigint>,
) {
  const known = tags.some(([name]) => name === BOTH.name) ? [...names, BOTH] : names;
  const fields = fc.uniqueArray(fieldOf(known), { selector: ({ field }) => field, minLength: 1, maxLength: 4 });
  return fc
    .tuple(fields, times, fc.shuffledSubarray([...tags], { minLength: tags.length }))
    .map(([all, at, ordered]): Line => {
      const unit = PRECISIONS[precision];
      const key = (name: string): string => escaped(name, /[ ,=]/g);
      const head = [escaped(measurement, /[ ,]/g), ...ordered.map((pair) => pair.map(key).join('='))].join(',');
      const body = all.map(({ field, written }) => `${key(field)}=${written}`).join(',');
      return {
        text: `${head} ${body} ${at / unit}`,
        measurement,
        tags,
        time: (at / unit) * unit,
        fields: all.map(({ written: _, ...field }) => field),
      };
    });
}

/**
 * @param circle each circle has other batches
 * @param escapeNames whether the connector escapes names, so that names can look like escaped ones
 */
export function batches(circle: number, escapeNames: boolean): readonly Batch[] {
  const [pool] = fc.sample(pools(escapeNames ? LOOKALIKES : NO_LOOKALIKES), { seed: SEED + circle, numRuns: 1 });
  if (pool === undefined) throw new Error('no sample');
  const series = fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...pool.series) },
    { weight: 1, arbitrary: pool.fresh },
  );
  const times = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...pool.times) }, { weight: 1, arbitrary: time });
  const batch = fc.constantFrom<Precision>('ns', 'us', 'ms', 's').chain((precision) =>
    fc.record({
      precision: fc.constant(precision),
      lines: fc.array(
        series.chain((one) => lineOf(precision, one, pool.fields, times)),
        { minLength: 1, maxLength: 6 },
      ),
    }),
  );
  return fc.sample(batch, { seed: SEED + circle, numRuns: BATCHES });
}
