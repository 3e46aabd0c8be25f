/** Files of any types, nulls and names, written by DuckDB: the loader writes the same values, or refuses the file with the column's name. */
import fc from 'fast-check';
import { FACTOR, runs } from '../support/fuzz';
import { parquetOf } from '../support/loader';
import { collect, memorySource, testReader } from '../support/parquet';
import { mapping } from '../support/parquet-mapping';

const reader = testReader();

/** A column's SQL: its values, and how they read as text. */
interface Column {
  readonly sql: string;
  readonly text: string;
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const digits = (count: number) => fc.bigInt({ min: -(10n ** BigInt(count)) + 1n, max: 10n ** BigInt(count) - 1n });

const decimal = fc.integer({ min: 1, max: 38 }).chain((precision) =>
  fc
    .tuple(fc.integer({ min: 0, max: precision }), fc.array(digits(precision), { minLength: 1, maxLength: 5 }))
    .map(([scale, unscaled]): Column[] =>
      unscaled.map((value) => {
        const text = String(value < 0n ? -value : value).padStart(scale + 1, '0');
        const point = scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`;
        const signed = `${value < 0n ? '-' : ''}${point}`;
        return { sql: `${literal(signed)}::DECIMAL(${precision}, ${scale})`, text: signed };
      }),
    ),
);
const of = (values: fc.Arbitrary<Column>) => fc.array(values, { minLength: 1, maxLength: 5 });
const integer = of(
  fc
    .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    .map((value) => ({ sql: `(${value}::HUGEINT)::BIGINT`, text: String(value) })),
);
const unsigned = of(
  fc
    .bigInt({ min: 0n, max: 2n ** 64n - 1n })
    .map((value) => ({ sql: `(${value}::HUGEINT)::UBIGINT`, text: String(value) })),
);
const narrow = of(
  fc.integer({ min: -128, max: 127 }).map((value) => ({ sql: `(${value})::TINYINT`, text: String(value) })),
);
const uuid = of(fc.uuid().map((value) => ({ sql: `${literal(value)}::UUID`, text: value })));
const text = of(
  fc
    .string({ unit: 'grapheme' })
    .filter((value) => !/[\0\r\n\\]/.test(value))
    .map((value) => ({ sql: literal(value), text: value })),
);
const date = of(
  fc.date({ min: new Date('1000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }).map((value) => {
    const day = value.toISOString().slice(0, 10);
    return { sql: `DATE ${literal(day)}`, text: day };
  }),
);
const boolean = of(fc.boolean().map((value) => ({ sql: String(value), text: String(value) })));
const column = fc.oneof(decimal, integer, unsigned, narrow, uuid, text, date, boolean);

/** Any name but those that InfluxDB or line protocol cannot hold, and those of the other columns. */
const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .filter((value) => !/^_|[\\\0\r\n\t]/.test(value) && !['t', 'v', 'time'].includes(value.toLowerCase()));

const OPTIONS = ['V1', 'V2'].flatMap((version) =>
  ['snappy', 'zstd', 'gzip'].map((codec) => `PARQUET_VERSION ${version}, COMPRESSION ${codec}`),
);

/** The value of the one string field of each line, by row; null where it has none. */
function stringsOf(lines: readonly string[]): Map<number, string | null> {
  return new Map(
    lines.map((line) => {
      const [, value] = /="((?:[^"\\]|\\.)*)"/s.exec(line) ?? [];
      const row = Number(line.slice(line.lastIndexOf(' ') + 1)) / 1e9;
      return [row, value === undefined ? null : value.replace(/\\(.)/gs, '$1')];
    }),
  );
}

test(
  'values of any type are text with every digit, under any name',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        name,
        column,
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(...OPTIONS),
        async (called, values, nulls, options) => {
          const rows = Array.from({ length: 40 }, (_, row) =>
            row % 5 < nulls ? undefined : values[row % values.length],
          );
          const cells = rows.map((value, row) => `(${row}, ${value?.sql ?? 'NULL'})`).join();
          const identifier = `"${called.replaceAll('"', '""')}"`;
          const select = `SELECT make_timestamp(i * 1000000) AS t, 1.0 AS v, c AS ${identifier} FROM (VALUES ${cells}) AS r(i, c)`;
          const file = new Uint8Array(await parquetOf(select, options));
          const mapped = mapping({ tags: [], texts: [called] });
          const { lines } = await collect(reader, memorySource(file), mapped, { validateSchema: true });
          expect([...stringsOf(lines)]).toEqual(rows.map((value, row) => [row, value?.text ?? null]));
        },
      ),
      runs(60),
    );
  },
  60_000 * FACTOR,
);

test(
  'decimals of any precision and scale are the nearest doubles as numbers',
  async () => {
    await fc.assert(
      fc.asyncProperty(decimal, fc.constantFrom(...OPTIONS), async (values, options) => {
        const cells = values.map(({ sql }, row) => `(${row}, ${sql})`).join();
        const select = `SELECT make_timestamp(i * 1000000) AS t, 'x' AS tag, c AS v FROM (VALUES ${cells}) AS r(i, c)`;
        const { lines } = await collect(
          reader,
          memorySource(new Uint8Array(await parquetOf(select, options))),
          mapping(),
        );
        expect(lines.map((line) => Number(/v=(\S+)/.exec(line)?.[1]))).toEqual(
          values.map(({ text: written }) => Number(written)),
        );
      }),
      runs(40),
    );
  },
  60_000 * FACTOR,
);
