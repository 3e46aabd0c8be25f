/** The embedded Timestream beside naive models: reading of records, their hashes, the index of rows, and versions across restarts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { Catalog } from '../../local/timestream/catalog';
import { parseJson } from '../../local/timestream/json';
import { exceededLimit } from '../../local/timestream/limits';
import { readRecords } from '../../local/timestream/record';
import * as recordHash from '../../local/timestream/record-hash';
import { RecordShape, type WriteRecord } from '../../local/timestream/record-shape';
import { RowIndex } from '../../local/timestream/row-index';
import type { JsonObject } from '../../local/timestream/shape';
import { Store } from '../../local/timestream/store';
import { newTableProperties } from '../../local/timestream/table-properties';
import type { WriteOutcome } from '../../local/timestream/table-write';
import { WriteQueue } from '../../local/timestream/write-queue';

jest.mock('../../local/timestream/record-hash', () => {
  const real = jest.requireActual<typeof recordHash>('../../local/timestream/record-hash');
  return { ...real, hashOf: jest.fn(real.hashOf) };
});
const { hashOf } = jest.requireActual<typeof recordHash>('../../local/timestream/record-hash');
afterEach(() => jest.mocked(recordHash.hashOf).mockImplementation(hashOf));

const NOW = Date.UTC(2024, 2, 1, 12);

describe('reading of records', () => {
  const text = fc.constantFrom('a', 'b', '', '1', '-2.5', 'true', '\ud83d\ude00', 'x'.repeat(2_049));
  const option = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 6 });
  const dimension = fc.record(
    {
      Name: fc.constantFrom('host', 'rack', 'a:b'),
      Value: fc.oneof({ weight: 9, arbitrary: text }, { weight: 1, arbitrary: fc.constantFrom(null, 5, ['x']) }),
      DimensionValueType: fc.constantFrom('VARCHAR', null, 'OTHER'),
    },
    { requiredKeys: ['Name', 'Value'] },
  );
  const measure = fc.record({
    Name: fc.constantFrom('m', 'n', 'time'),
    Value: text,
    Type: fc.constantFrom('DOUBLE', 'VARCHAR', 'BIGINT', 'BOOLEAN', 'TIMESTAMP', 'MULTI'),
  });
  /** Most are valid and like the one before them. */
  const usual = fc.record({
    Dimensions: text.map((Value) => [{ Name: 'host', Value }]),
    MeasureName: fc.constant('metrics'),
    MeasureValueType: fc.constant('MULTI'),
    MeasureValues: fc.constantFrom('1', '2e3', 'x').map((Value) => [{ Name: 'm', Value, Type: 'DOUBLE' }]),
    Time: fc.constantFrom('1', '2', '3', '-1'),
  });
  const single = fc.record({
    Dimensions: text.map((Value) => [{ Name: 'host', Value }]),
    MeasureName: fc.constant('m'),
    MeasureValueType: fc.constant('BIGINT'),
    MeasureValue: fc.constantFrom('1', '2', '', 'x', null),
    Time: fc.constantFrom('1', '2'),
  });
  const any = fc.record({
    Dimensions: option(fc.array(dimension, { maxLength: 3 })),
    MeasureName: option(fc.constantFrom('metrics', 'm', 'ts_x')),
    MeasureValue: option(text),
    MeasureValueType: option(fc.constantFrom('MULTI', 'DOUBLE', 'BIGINT')),
    MeasureValues: option(fc.array(measure, { maxLength: 2 })),
    Time: option(fc.constantFrom('1', '99999999999999999999', '9223372036854')),
    TimeUnit: option(fc.constantFrom('SECONDS', 'MILLISECONDS', 'NANOSECONDS')),
    Version: option(fc.constantFrom(1, 2, 5n, 0)),
  });
  const mix = (...weights: readonly number[]) =>
    fc.oneof(
      ...[usual, single, any, fc.constantFrom([], 'text', null)].map((arbitrary, index) => ({
        arbitrary,
        weight: weights[index] ?? 0,
      })),
    );
  const call = fc.record({
    CommonAttributes: fc.oneof(fc.constant({}), any),
    Records: fc.oneof(
      fc.array(mix(9, 0, 1, 0), { minLength: 1, maxLength: 8 }),
      fc.array(mix(0, 9, 1, 0), { minLength: 1, maxLength: 8 }),
      fc.array(mix(1, 1, 9, 1), { minLength: 1, maxLength: 8 }),
    ),
  });

  const outcome = (request: object) => {
    try {
      return { records: readRecords(request as JsonObject) };
    } catch (error) {
      return { message: (error as Error).message };
    }
  };
  const plain = ({ shape, dimensions, measures, ...others }: WriteRecord) => ({
    ...{ ...others, measureName: shape.measureName, type: shape.type },
    dimensions: shape.dimensions.map((name, index) => [name, dimensions[index]]),
    measures: shape.measures.map(({ name, type }, index) => [name, type, measures[index]]),
  });

  test('a record is read, or refused, as if it were the only one of its call', () => {
    fc.assert(
      fc.property(call, ({ CommonAttributes, Records }) => {
        const together = outcome({ CommonAttributes, Records });
        const alone = Records.map((record) => outcome({ CommonAttributes, Records: [record] }));
        const refused = alone.findIndex(({ message }) => message !== undefined);
        if (refused === -1) {
          expect(together.records?.map(plain)).toEqual(alone.flatMap(({ records }) => records?.map(plain) ?? []));
        } else {
          const message = alone[refused]?.message?.replace(/records\.1\.member/g, `records.${refused + 1}.member`);
          expect(together.message).toBe(message);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('records with the same names share their shape', () => {
    const Records = ['1', '2', '3'].map((Value) => ({
      Dimensions: [{ Name: 'host', Value }],
      MeasureValues: [{ Name: 'm', Value, Type: 'DOUBLE' }],
      Time: Value,
    }));
    const common = { MeasureName: 'metrics', MeasureValueType: 'MULTI' };
    const records = readRecords({ CommonAttributes: common, Records });
    expect(new Set(records.map(({ shape }) => shape)).size).toBe(1);
    expect(records.map(({ measures }) => measures)).toEqual([[1], [2], [3]]);
  });
});

const record = (dimensions: readonly (readonly [string, string])[], time: bigint, measureName = 'm'): WriteRecord => ({
  shape: new RecordShape(
    dimensions.map(([name]) => name),
    measureName,
    'MULTI',
    [],
  ),
  dimensions: dimensions.map(([, value]) => value),
  measures: [],
  time,
  version: 1n,
});

test('the hash depends on dimensions in any order, on measure name and time, and on nothing else', () => {
  const name = fc.string({ maxLength: 3, unit: fc.constantFrom('a', 'b', 'é', '1') });
  const identity = fc.record({
    dimensions: fc.uniqueArray(fc.tuple(name, name), { minLength: 1, maxLength: 4, selector: ([text]) => text }),
    time: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
    measureName: name,
  });
  fc.assert(
    fc.property(fc.array(identity, { maxLength: 40 }), fc.infiniteStream(fc.nat()), (identities, random) => {
      const hashes = new Map<string, string>();
      for (const { dimensions, time, measureName } of identities) {
        const shuffled = dimensions
          .map((each) => [random.next().value, each] as const)
          .sort(([a], [b]) => a - b)
          .map(([, each]) => each);
        const { high, low } = hashOf(record(shuffled, time, measureName));
        const text = JSON.stringify([dimensions.sort(), String(time), measureName]);
        expect(hashes.get(text) ?? `${high} ${low}`).toBe(`${high} ${low}`);
        hashes.set(text, `${high} ${low}`);
      }
      expect(new Set(hashes.values()).size).toBe(hashes.size);
    }),
  );
});

test('the hashes of 300,000 neighbouring times and series have no collision, and spread over the places of an index', () => {
  const seen = new Set<bigint>();
  const places = new Uint32Array(1_024);
  for (let series = 0; series < 300; series++) {
    for (let time = 0n; time < 1_000n; time++) {
      const { high, low } = hashOf(record([['device', `dev_${series}`]], 1_700_000_000_000_000_000n + time));
      seen.add((BigInt(high) << 32n) | BigInt(low));
      places[low % 1_024] = (places[low % 1_024] ?? 0) + 1;
    }
  }
  expect(seen.size).toBe(300_000);
  // 293 on average; with a random hash none deviates by seven standard deviations.
  expect(Math.max(...places)).toBeLessThan(293 + 7 * 17.1);
  expect(Math.min(...places)).toBeGreaterThan(293 - 7 * 17.1);
});

test('the index of rows finds the same rows as a Map, with equal hashes too, in at most 43 bytes each', () => {
  const hash = fc.record({ high: fc.nat({ max: 1 }), low: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 5_000 })) });
  const step = fc.record({ hash, isReplacement: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 4_000, size: 'max' }), (steps) => {
      const index = new RowIndex();
      const model = new Map<string, number[]>();
      for (const { hash: at, isReplacement } of steps) {
        const rows = model.get(`${at.high} ${at.low}`) ?? [];
        const row = index.takeRow();
        const old = rows.at(-1);
        if (isReplacement && old !== undefined) {
          index.replace(at, old, row);
          rows[rows.length - 1] = row;
        } else {
          index.add(at, row);
          rows.push(row);
        }
        model.set(`${at.high} ${at.low}`, rows);
      }
      const found = new Map<string, number[]>();
      for (let place = 0; place < 2 * 5_001; place++) {
        const at = { high: place % 2, low: Math.floor(place / 2) };
        const rows = index.rowsOf(at);
        if (rows.length > 0) found.set(`${at.high} ${at.low}`, [...rows].sort());
      }
      for (const rows of model.values()) rows.sort();
      expect(found).toEqual(model);
      const size = [...model.values()].flat().length;
      if (size > 1_000) expect(index.bytes / size).toBeLessThan(43);
    }),
    { numRuns: 20 },
  );
});

test('a record exceeds a quota exactly if its bytes of UTF-8 do', () => {
  const text = (max: number) =>
    fc
      .tuple(fc.constantFrom('x', 'é', '漢', '\ud83d\ude00'), fc.nat({ max }))
      .map(([unit, length]) => unit.repeat(length));
  const shape = fc.record({
    names: fc.uniqueArray(text(70), { minLength: 1, maxLength: 3 }),
    value: text(1_100),
    measureName: text(260),
    name: text(260),
    measure: fc.oneof(text(1_100), fc.boolean(), fc.double(), fc.constant(5n)),
    measures: fc.constantFrom(1, 2, 230, 256, 257),
  });
  fc.assert(
    fc.property(shape, ({ names, value, measureName, name, measure, measures }) => {
      const bytes = Buffer.byteLength;
      const list = Array.from({ length: measures }, (_, i) => (i === 0 ? measure : true));
      const sizes = list.map((each) => (typeof each === 'string' ? bytes(each) : typeof each === 'boolean' ? 1 : 8));
      const values = sizes.reduce((sum, size) => sum + size, 0);
      const dimensions = names.reduce((sum, each) => sum + bytes(each) + bytes(value), 0);
      const exceeds =
        names.some((each) => bytes(each) > 60) ||
        bytes(measureName) > 256 ||
        bytes(name) > 256 ||
        measures > 256 ||
        8 + dimensions + values > 2_048;
      const types = list.map(() => ({ name, type: 'VARCHAR' as const }));
      const given: WriteRecord = {
        shape: new RecordShape(names, measureName, 'MULTI', types),
        dimensions: names.map(() => value),
        measures: list,
        time: 0n,
        version: 1n,
      };
      expect(exceededLimit(given) !== undefined).toBe(exceeds);
    }),
    { numRuns: 1_000 },
  );
});

describe('versions', () => {
  const LONE = ['\ud800', '\udc00x'];
  const write = fc.record({
    hosts: fc.constantFrom([], ['x'], ['y'], ['x', 'y'], ['y', 'x'], ...LONE.map((host) => [host])),
    rack: fc.constantFrom(undefined, 'x', ''),
    time: fc.nat({ max: 1 }),
    version: fc.integer({ min: 1, max: 3 }),
    value: fc.constantFrom('1', '2', undefined),
    other: fc.constantFrom('true', undefined, 'false'),
  });
  type Write = typeof write extends fc.Arbitrary<infer T> ? T : never;
  /** Each step is a group of calls that are sent at the same time. */
  const steps = fc.array(
    fc.record({
      calls: fc.array(fc.array(write, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 3 }),
      restart: fc.boolean(),
    }),
    { minLength: 1, maxLength: 6 },
  );

  const partsOf = ({ hosts, rack, time, value, other }: Write) => ({
    dimensions: [
      ...hosts.map((host, index) => ({ Name: `host${host === 'x' ? 0 : index}`, Value: host })),
      ...(rack === undefined ? [] : [{ Name: 'rack', Value: rack }]),
      { Name: 'always', Value: 'é' },
    ].filter(({ Name }, index, all) => all.findIndex((each) => each.Name === Name) === index),
    measures: [
      ...(value === undefined ? [] : [{ Name: 'v', Value: value, Type: 'DOUBLE' }]),
      ...(other === undefined ? [] : [{ Name: 'o', Value: other, Type: 'BOOLEAN' }]),
      { Name: 'z', Value: '-0', Type: 'DOUBLE' },
    ],
    time: String(NOW - time),
  });

  /** One Map from the identity to version and measures. */
  class Model {
    readonly records = new Map<string, { version: number; measures: string }>();

    write(given: Write): number | undefined {
      const { dimensions, measures, time } = partsOf(given);
      const wellFormed = dimensions.map(({ Name, Value }) => [Name, Value.toWellFormed()]);
      const identity = JSON.stringify([wellFormed.sort(), time]);
      const text = JSON.stringify(measures);
      const old = this.records.get(identity);
      if (old !== undefined && old.version >= given.version) return old.measures === text ? undefined : old.version;
      this.records.set(identity, { version: given.version, measures: text });
      return undefined;
    }
  }

  const recordsOf = (call: readonly Write[], reversed: boolean) => {
    const Records = call.map((each) => {
      const { dimensions, measures, time } = partsOf(each);
      return {
        Dimensions: reversed ? dimensions.reverse() : dimensions,
        MeasureValues: reversed ? measures.reverse() : measures,
        ...{ Time: time, Version: each.version },
      };
    });
    const CommonAttributes = { MeasureName: 'metrics', MeasureValueType: 'MULTI' };
    return readRecords(parseJson(JSON.stringify({ CommonAttributes, Records })) as JsonObject);
  };

  const rejections = ({ rejected }: WriteOutcome) =>
    rejected.map(({ RecordIndex, ExistingVersion }) => [RecordIndex, Number(ExistingVersion)]);

  test.each<[string, typeof hashOf]>([
    ['', hashOf],
    [', even if all records have the same hash', () => ({ high: 7, low: 7 })],
    [', even if records share two hashes', (given) => ({ high: hashOf(given).high % 2, low: 1 })],
  ])('win or lose as in a model with one Map, in groups of calls and across restarts%s', async (_, hash) => {
    jest.mocked(recordHash.hashOf).mockImplementation(hash);
    const folder = mkdtempSync(join(tmpdir(), 'versions-'));
    let tables = 0;
    try {
      let store = await Store.open(folder);
      let catalog = await Catalog.load(store, () => NOW);
      await catalog.createDatabase('db', 'key');
      await fc.assert(
        fc.asyncProperty(steps, fc.boolean(), async (groups, reversed) => {
          const table = `t${tables++}`;
          await catalog.createTable('db', table, newTableProperties({}));
          let writes = new WriteQueue(store, catalog, () => NOW);
          const model = new Model();
          for (const { calls, restart } of groups) {
            const expected = calls.map((call) =>
              call.flatMap((each, index) => {
                const existing = model.write(each);
                return existing === undefined ? [] : [[index, existing]];
              }),
            );
            const outcomes = await Promise.all(
              calls.map((call) => writes.write({ database: 'db', table, records: recordsOf(call, reversed) })),
            );
            expect(outcomes.map(rejections)).toEqual(expected);
            if (!restart) continue;
            await store.close();
            store = await Store.open(folder);
            catalog = await Catalog.load(store, () => NOW);
            writes = new WriteQueue(store, catalog, () => NOW);
          }
          let rows = 0;
          const records = `_timestream.records_${catalog.table('db', table).id}`;
          for await (const [count] of store.rows(`SELECT count(*) FROM ${records}`)) rows = Number(count);
          expect(rows).toBe(model.records.size);
        }),
        { numRuns: 25 },
      );
      await store.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
