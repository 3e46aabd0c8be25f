/**
 * Any schema: a file of columns of any types, a mapping inferred from it, a load into a real InfluxDB, and every value read back.
 * FUZZ_FACTOR=10 tries ten times as many schemas.
 */
import fc from 'fast-check';
import { type Inference, inferMapping } from 'shared/datasets/inference/infer';
import { type DatasetMapping, parseMappings } from 'shared/datasets/mapping';
import { FACTOR, runs } from '../../support/fuzz';
import { describeWithInfluxd, Influxd, STARTING_MS, type StoredValue } from '../../support/influxd';
import { configOf, DATA, load, parquetOf, testStore } from '../../support/loader';
import { memorySource, testReader } from '../../support/parquet';
import { literal, type TypedColumn, timeText, typedColumn } from '../../support/typed-columns';

const SCHEMAS = 40;
const MAX_ROWS = 40;
const SAMPLE_ROWS = 100_000;
/** 2024-01-01, ns. */
const START = 1_704_067_200_000_000_000n;
/** Ns between rows; each form of a time can hold it. */
const STEP = 86_400_000_000_000n;

const reader = testReader();
const s3 = testStore();

/** The forms that a time column can have: SQL of a time in ns, its type, and the unit that the user has to give. */
const TIMES = {
  seconds: { sqlType: 'TIMESTAMP_S', sql: (ns: bigint) => literal(timeText(ns)), unit: undefined },
  micros: { sqlType: 'TIMESTAMP', sql: (ns: bigint) => literal(timeText(ns)), unit: undefined },
  nanos: { sqlType: 'TIMESTAMP_NS', sql: (ns: bigint) => literal(timeText(ns)), unit: undefined },
  zoned: { sqlType: 'TIMESTAMPTZ', sql: (ns: bigint) => literal(`${timeText(ns)}+00`), unit: undefined },
  date: { sqlType: 'DATE', sql: (ns: bigint) => literal(timeText(ns).slice(0, 10)), unit: undefined },
  text: { sqlType: 'VARCHAR', sql: (ns: bigint) => literal(`${timeText(ns)}Z`), unit: undefined },
  integer: { sqlType: 'BIGINT', sql: (ns: bigint) => String(ns / 1_000_000n), unit: 'ms' },
} as const;

/** Names of columns, also those that InfluxDB reserves or that line protocol escapes. None is named like a time. */
const NAMES = [
  ...[
    'v',
    'Value',
    'with space',
    'a,b=c',
    'quote"d',
    "it's",
    'ünï',
    '_measurement',
    '_x',
    'x',
    '__index_level_0__x',
    '日本',
    '%',
    '#1',
    'tag',
  ],
  ...['field', 'null', 'true', '1', '-', 'a.b', 'a\\b', 'end\\', ' lead', 'trail '],
] as const;

interface Schema {
  readonly form: keyof typeof TIMES;
  readonly rows: number;
  readonly columns: readonly (TypedColumn & { readonly name: string })[];
}

const schemas: fc.Arbitrary<Schema> = fc
  .tuple(fc.constantFrom(...(Object.keys(TIMES) as (keyof typeof TIMES)[])), fc.integer({ min: 1, max: MAX_ROWS }))
  .chain(([form, rows]) =>
    fc
      .tuple(
        fc.array(typedColumn(rows), { minLength: 1, maxLength: 10 }),
        fc.shuffledSubarray([...NAMES], { minLength: 10, maxLength: 10 }),
      )
      .map(([columns, names]) => ({
        form,
        rows,
        columns: columns.map((column, index) => ({ ...column, name: names[index] ?? '' })),
      })),
  );

/** Ns of a unit. The generated timestamps are not written as text. */
const NANOS: Readonly<Record<string, bigint>> = { s: 1_000_000_000n, ms: 1_000_000n, us: 1_000n };

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

function selectOf({ form, rows, columns }: Schema): string {
  const { sqlType, sql } = TIMES[form];
  const list = (values: readonly string[], type: string) => `([${values.join(', ')}]::${type}[])[i]`;
  const time = Array.from({ length: rows }, (_, row) => sql(START + BigInt(row) * STEP));
  const cells = columns.map(({ values, sqlType: type, name }) => {
    const texts = values.map((value) => value?.sql ?? 'NULL');
    return `${list(texts, type)} AS ${quoted(name)}`;
  });
  return `SELECT ${list(time, sqlType)} AS "timestamp", ${cells.join(', ')} FROM range(1, ${rows + 1}) r(i)`;
}

async function inferred(file: Uint8Array, { form }: Schema, measurement: string): Promise<Inference> {
  const profile = await reader.profile(memorySource(file), SAMPLE_ROWS);
  const { sqlType, unit } = TIMES[form];
  // Another column of timestamps would come before a time of another type.
  const time = sqlType.startsWith('TIMESTAMP') ? undefined : 'timestamp';
  return inferMapping([profile], [], measurement, { time, timeUnit: unit, tags: [], fields: [] });
}

/** What InfluxDB must return: for each point, its tags and each field with its type and value. */
function expectedOf({ rows, columns }: Schema, mapping: DatasetMapping): string[] {
  const tags = new Map<string, string>(
    mapping.tags.optional.map((tag) => {
      if (typeof tag === 'string') return [tag, tag];
      return 'column' in tag ? [tag.column, tag.name ?? tag.column] : ['', ''];
    }),
  );
  const fields = new Map(
    mapping.fields.flatMap((field) => ('column' in field ? [[field.column, field.name ?? field.column]] : [])),
  );
  const units = new Map(
    mapping.fields.flatMap((field) => ('column' in field && field.as ? [[field.column, NANOS[field.as]]] : [])),
  );
  return Array.from({ length: rows }, (_, row) => {
    const ofRow = (keys: ReadonlyMap<string, string>) =>
      columns.flatMap(({ name, type, values }) => {
        const stored = values[row]?.stored;
        if (!keys.has(name) || stored === undefined) return [];
        const value = units.has(name) ? String(BigInt(stored) / (units.get(name) ?? 1n)) : stored;
        return [{ key: keys.get(name) ?? '', type, value }];
      });
    const point = Object.fromEntries(
      ofRow(tags)
        // Tags are stored without spaces around them.
        .map(({ key, value }) => [key, value.trim()])
        .filter(([, value]) => !/^(?:nan|none|null)?$/i.test(value ?? '')),
    );
    const time = START + BigInt(row) * STEP;
    return ofRow(fields).map(({ key, type, value }) => line(point, time, key, type, value));
  })
    .flat()
    .sort();
}

const line = (tags: object, time: bigint, key: string, type: string, value: string): string =>
  JSON.stringify([Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1)), String(time), key, type, value]);

function storedLine({ tags, time, field, type, value }: StoredValue): string {
  const exact = type === 'double' ? String(Number(value) + 0) : value;
  return line(tags, BigInt(Date.parse(time)) * 1_000_000n, field, type, exact);
}

describeWithInfluxd('a file of any schema', (binary) => {
  let influxd: Influxd;
  beforeAll(async () => {
    influxd = await Influxd.start(binary);
  }, STARTING_MS);
  afterAll(() => influxd.remove());

  test(
    'is loaded by its inferred mapping with every value exact',
    async () => {
      let count = 0;
      await fc.assert(
        fc.asyncProperty(schemas, async (schema) => {
          fc.pre(schema.columns.some(({ sqlType }) => sqlType !== 'INTEGER[]'));
          count += 1;
          const bucket = `schema-${count}`;
          const file = await parquetOf(selectOf(schema));
          const inference = await inferred(file, schema, 'any');
          const mappings = parseMappings(JSON.stringify(inference.mapping));
          const [mapping] = mappings;
          if (!mapping) throw new Error('no mapping');
          await influxd.makeBucket(bucket);
          s3.store.put(DATA, `${bucket}.parquet`, file);
          const summary = await load(
            { bucket: DATA, key: `${bucket}.parquet`, dataset: mapping.name },
            { objects: s3.objects, reader },
            configOf(influxd.url, { INFLUXDB_BUCKET: bucket }),
            { plan: { mappings }, load: { mappings } },
          );
          const expected = expectedOf(schema, mapping);
          // A load without any point fails.
          expect(summary).toMatchObject({ statusCode: expected.length > 0 ? 200 : 500, rejected_points: 0 });
          const found = (await influxd.values(bucket)).map(storedLine).sort();
          expect(found).toEqual(expected);
        }),
        runs(SCHEMAS),
      );
    },
    300_000 * Math.max(1, FACTOR),
  );
});
