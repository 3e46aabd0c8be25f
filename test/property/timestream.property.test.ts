/** Lines to calls: the same records as a naive implementation, in the fewest calls, with shared attributes written once. */
import fc from 'fast-check';
import { RequestTooLargeError } from 'shared/errors';
import { decodePoints, type FieldValue, type Point } from 'shared/line-protocol/point';
import { ByteWriter } from 'shared/timestream/byte-writer';
import { CallEncoder, packRecords } from 'shared/timestream/packing';
import type { MappingOptions } from 'shared/timestream/records';
import { DATABASE, MAPPING, mapText, packText, REQUEST_TIME } from '../support/connector-mapping';
import { identityOf, type PlainRecord, readCall, type WireCall } from '../support/timestream-calls';

/** Names with all characters that need escapes. Some fields have the name of a tag. */
const TAGS = ['host', 'host_field', 'a b', 'c,d', 'e=f', '"q"', 'back\\slash', 'é', '\u{1f600}'];
const FIELDS = [...TAGS.slice(0, 5), 'host_field_field', 'value', 'n', 'ts_reserved', 'slash/"'];
const UNITS = [1_000_000_000n, 1_000_000n, 1_000n, 1n];

const value: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }).map(String) },
  { weight: 4, arbitrary: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((number) => `${number}i`) },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((number) => `${number}u`) },
  { weight: 1, arbitrary: fc.constantFrom('1.', '.0', '05', '0009i', '-0i', '-0', '1e5', 't', 'FALSE', '""') },
  {
    weight: 3,
    arbitrary: fc
      .string({
        unit: fc.oneof(
          fc.constantFrom(...'"\\\n\t\u0000,= '),
          fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
        ),
      })
      .filter((text) => text.isWellFormed())
      .map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`),
  },
);
const key = (text: string): string => text.replace(/[,= ]/g, '\\$&');

/** Lines with tags in any order: fast-check shuffles the subarray. */
const line = fc
  .record({
    measurement: fc.constantFrom('cpu', 'cpu', 'cpu', 'disk.io', 'no table/'),
    tags: fc.shuffledSubarray(TAGS, { maxLength: 3 }),
    values: fc.array(fc.constantFrom('x', 'y', 'a=b ,"\\z', '漢'), { minLength: 3, maxLength: 3 }),
    fields: fc.array(fc.tuple(fc.constantFrom(...FIELDS), value), { minLength: 1, maxLength: 3 }),
    time: fc.option(fc.tuple(fc.constantFrom(...UNITS), fc.bigInt({ min: -1n, max: 150n })), { freq: 20 }),
  })
  .map(({ measurement, tags, values, fields, time }) => {
    const tagText = tags.map((tag, index) => `,${key(tag)}=${key(values[index] ?? '')}`).join('');
    const fieldText = fields.map(([name, text]) => `${key(name)}=${text}`).join();
    const timeText = time === null ? '' : ` ${1_700_000_000_000_000_000n * BigInt(time[1] >= 0n) + time[0] * time[1]}`;
    return `${measurement}${tagText} ${fieldText}${timeText}\n`;
  });

const mapping: fc.Arbitrary<Partial<MappingOptions>> = fc.record({
  singleTable: fc.constantFrom(undefined, 'all'),
  defaultDimension: fc.constantFrom(undefined, { name: 'host', value: 'none' }),
  requiredDimension: fc.constantFrom(undefined, undefined, 'host'),
});

/** A point as a record; undefined if Timestream cannot store it. Implements only the rules that the lines above can reach. */
function naiveRecord(point: Point, { singleTable, defaultDimension, requiredDimension }: Partial<MappingOptions>) {
  const { measurement, time } = point;
  const given = new Map(point.tags);
  if (given.size === 0 && defaultDimension !== undefined) given.set(defaultDimension.name, defaultDimension.value);
  if (given.size === 0 || (requiredDimension !== undefined && !given.has(requiredDimension))) return undefined;
  if (singleTable === undefined && !/^[\w.-]+$/.test(measurement)) return undefined;
  if (time < 0n) return undefined;
  const measures: Record<string, string> = {};
  const fieldOf: Record<string, string> = {};
  for (const [field, { type, value: number }] of point.fields) {
    if (field.startsWith('ts_')) return undefined;
    if (type === 'unsigned' && number > 2n ** 63n - 1n) return undefined;
    if (number === '') continue;
    let name = field;
    while (given.has(name)) name += '_field';
    if ((fieldOf[name] ?? field) !== field) return undefined;
    fieldOf[name] = field;
    measures[name] = `${TYPES[type]} ${number}`;
  }
  if (Object.keys(measures).length === 0) return undefined;
  return {
    table: singleTable ?? measurement,
    measureName: singleTable === undefined ? MAPPING.measureName : measurement,
    dimensions: [...given].map(([name, text]) => `${name}=${text}`).sort(),
    time,
    measures,
  };
}

const TYPES: Readonly<Record<FieldValue['type'], string>> = {
  float: 'DOUBLE',
  integer: 'BIGINT',
  unsigned: 'BIGINT',
  boolean: 'BOOLEAN',
  string: 'VARCHAR',
};

/** The records of all lines, by identity. Lines of one record are merged; the later line wins. */
function naiveRecords(
  text: string,
  options: Partial<MappingOptions>,
): { records: Map<string, PlainRecord>; refused: number } {
  const { points, errors } = decodePoints(Buffer.from(text), BigInt(REQUEST_TIME) * 1_000_000n);
  const records = new Map<string, PlainRecord>();
  let refused = errors.length;
  for (const point of points) {
    const record = naiveRecord(point, options);
    if (record === undefined) refused++;
    else {
      const identity = identityOf(record);
      records.set(identity, { ...record, measures: { ...records.get(identity)?.measures, ...record.measures } });
    }
  }
  return { records, refused };
}

const lines = fc.array(line, { maxLength: 350, size: 'max' }).map((all) => all.join(''));

test('writes the same records as a naive implementation, each one once, as valid JSON', () => {
  fc.assert(
    fc.property(lines, mapping, (text, options) => {
      const expected = naiveRecords(text, options);
      const { calls, report } = packText(text, options);
      const packed = calls.flatMap(({ records }) => records);
      expect(packed).toHaveLength(expected.records.size);
      expect(new Map(packed.map((record) => [identityOf(record), record]))).toEqual(expected.records);
      expect(report.faultyLines + report.rejectedLines).toBe(expected.refused);
    }),
    { numRuns: 150 },
  );
});

test('no record has a dimension and a measure with the same name, with or without escaped names and suffixed fields', () => {
  const names = fc.constantFrom('a', 'a_field', 'a_field_field', 'a:b', 'a:b_field', '_.a.3Ab', 'time', 'time_field');
  const mapping = fc.record({
    escapeNames: fc.boolean(),
    suffixedFields: fc.constantFrom(
      [],
      ['a', 'a_field', 'a:b'].map((field) => ({ measurement: undefined, field })),
    ),
  });
  fc.assert(
    fc.property(fc.uniqueArray(names), fc.uniqueArray(names, { minLength: 1 }), mapping, (tags, fields, options) => {
      const tagText = tags.map((tag) => `,${tag}=x`).join('');
      const { calls } = packText(`n${tagText} ${fields.map((field) => `${field}=1`).join()} 1\n`, options);
      for (const { dimensions, measures } of calls.flatMap(({ records }) => records)) {
        const dimensionNames = dimensions.map((dimension) => dimension.split('=')[0]);
        expect(Object.keys(measures).filter((name) => dimensionNames.includes(name))).toEqual([]);
      }
    }),
  );
});

test('makes as few calls as possible, each for one table, with the shared attributes as common attributes', () => {
  fc.assert(
    fc.property(lines, mapping, fc.integer({ min: 1, max: 2 ** 45 }), (text, options, version) => {
      const { calls, bodies } = packText(text, options, version);
      const perTable = new Map<string, number>();
      for (const { table, records } of calls) perTable.set(table, (perTable.get(table) ?? 0) + records.length);
      const fewest = [...perTable.values()].reduce((sum, records) => sum + Math.ceil(records / 100), 0);
      expect(calls).toHaveLength(fewest);
      for (const [index, { records }] of calls.entries())
        expectShared(readCall(bodies[index] ?? Buffer.of()), records, version);
    }),
    { numRuns: 100 },
  );
});

/** Checks that a call writes shared attributes once, and its times in the coarsest possible unit. */
function expectShared({ CommonAttributes, Records }: WireCall, records: readonly PlainRecord[], version: number): void {
  const [first, ...others] = records;
  if (first === undefined) throw new Error('an empty call');
  const shared = first.dimensions.filter((dimension) =>
    others.every(({ dimensions }) => dimensions.includes(dimension)),
  );
  const { Dimensions = [], MeasureName, ...rest } = CommonAttributes;
  expect(Dimensions.map(({ Name, Value }) => `${Name}=${Value}`).sort()).toEqual(shared);
  const oneName = others.every(({ measureName }) => measureName === first.measureName);
  expect(MeasureName).toBe(oneName ? first.measureName : undefined);
  const coarsest = UNITS.findIndex((unit) => records.every(({ time }) => time % unit === 0n));
  const TimeUnit = ['SECONDS', 'MILLISECONDS', 'MICROSECONDS', 'NANOSECONDS'][coarsest];
  expect(rest).toEqual({ MeasureValueType: 'MULTI', TimeUnit, Version: version });
  const own = new Set(Records.flatMap((record) => Object.keys(record)));
  const allowed = ['MeasureValues', 'Time', 'Dimensions', ...(oneName ? [] : ['MeasureName'])];
  expect(allowed).toEqual(expect.arrayContaining([...own]));
  expect(Records.filter((record) => record.Dimensions?.length === 0)).toEqual([]);
}

test('orders the series by measurement and then by their dimensions, as a comparison sort does', () => {
  fc.assert(
    fc.property(lines, mapping, (text, options) => {
      const { records, report } = mapText(text, options);
      const { series, seriesOf } = records;
      const keyOf = (each: number): number[] => [
        series.measurementOf(each).id,
        ...series.dimensionIds.subarray(series.dimensionsStart(each), series.dimensionsEnd(each)),
      ];
      const compare = (a: number[], b: number[]): number => {
        const at = a.findIndex((id, index) => id !== b[index]);
        return at < 0 ? a.length - b.length : (a[at] ?? 0) - (b[at] ?? -1);
      };
      const stored = new Set(seriesOf.subarray(0, records.length));
      const expected = [...stored].map(keyOf).sort(compare);
      const packed = packRecords(records, report).batches.flatMap((batch) => [...batch.records]);
      const order = packed
        .map((record) => seriesOf[record] ?? -1)
        .filter((each, index, all) => each !== all[index - 1]);
      expect(order.map(keyOf)).toEqual(expected);
    }),
    { numRuns: 100 },
  );
});

test('requests in progress at the same time do not share memory; later ones reuse it, also that of requests that are too large', () => {
  fc.assert(
    fc.property(fc.array(lines, { minLength: 2, maxLength: 4 }), (texts) => {
      const alone = texts.map((text) => packText(text).bodies.map(String));
      for (let round = 0; round < 2; round++) {
        for (const text of texts) {
          const tooLarge = `${text}m,host=a v=1\n`;
          expect(() => mapText(tooLarge, { maxTagsAndFields: 1 })).toThrow(RequestTooLargeError);
        }
        const mapped = texts.map((text) => mapText(text));
        const packed = mapped.map(({ records, report }) => ({ records, ...packRecords(records, report) }));
        const bodies = packed.map(({ records, batches }) => {
          const encoder = new CallEncoder(records, DATABASE);
          return batches.map((batch) => String(encoder.encode(batch, 1, new ByteWriter(Buffer.allocUnsafeSlow(16)))));
        });
        expect(bodies).toEqual(alone);
        for (const { records } of mapped) records.release();
      }
    }),
    { numRuns: 20 },
  );
});
