/** Text columns in every mix of dictionary and plain pages: their values are those that were written, whatever the encoding. */
import fc from 'fast-check';
import { parquetMetadata } from 'hyparquet/src/metadata.js';
import { Compression, readParquet, WriterPropertiesBuilder, WriterVersion, writeParquet } from 'parquet-wasm';
import { Cell } from 'shared/points/cells';
import { StringCells } from 'shared/points/string-cells';
import { TextIds } from 'shared/points/text-ids';
import { FACTOR, runs } from '../support/fuzz';
import { duckdb, parquetOf } from '../support/loader';
import { recordedTables, textsOf } from '../support/recorded-tables';

const ROWS = 6000;

interface WriterChoice {
  readonly version: WriterVersion;
  readonly compression: Compression;
  readonly hasDictionary: boolean;
  readonly dictionaryBytes: number;
  readonly pageBytes: number;
  readonly groupRows: number;
}

/** How a file of arrow-rs is written: a dictionary that grows beyond its limit is followed by plain pages in the same chunk. */
const written = fc.record<WriterChoice>({
  version: fc.constantFrom(WriterVersion.V1, WriterVersion.V2),
  compression: fc.constantFrom(Compression.UNCOMPRESSED, Compression.SNAPPY, Compression.ZSTD),
  hasDictionary: fc.constantFrom(true, true, true, false),
  dictionaryBytes: fc.constantFrom(16, 200, 2000, 1_000_000),
  pageBytes: fc.constantFrom(64, 1000, 100_000),
  groupRows: fc.constantFrom(700, 2500, ROWS),
});

/** SQL of a text of row i: from one value in all rows to one per row, with nulls, empty texts and longer characters. */
const text = fc
  .record({
    distinct: fc.constantFrom(1, 3, 40, 1000, ROWS),
    nulls: fc.constantFrom(0, 1, 50, 100),
    isRun: fc.boolean(),
    salt: fc.nat(1000),
  })
  .map(({ distinct, nulls, isRun, salt }) => {
    const value = isRun ? `i * ${distinct} // ${ROWS}` : `hash(i + ${salt}) % ${distinct}`;
    const texts = `CASE (${value}) % 7 WHEN 0 THEN '' WHEN 1 THEN 'ü€😀 ' || (${value}) ELSE 'v' || (${value}) END`;
    return `CASE WHEN hash(i, ${salt}) % 100 < ${nulls} THEN NULL ELSE ${texts} END`;
  });

test(
  'texts and their numbers are those that arrow-rs wrote, in dictionary pages, plain pages, and both',
  async () => {
    const seen = { coded: 0, plain: 0, mixed: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 3 }), written, async (columns, options) => {
        const select = columns.map((sql, index) => `${sql} AS c${index}`).join();
        const names = columns.map((_, index) => `c${index}`);
        const rows = `SELECT ${select}, i FROM range(${ROWS}) AS r(i) ORDER BY i`;
        const expected = await duckdb(rows);
        const file = rewritten(await parquetOf(rows), options);
        for (const { meta_data: data } of parquetMetadata(file).row_groups.flatMap((group) => group.columns)) {
          const hasCodes = data?.encodings.some((encoding) => encoding.endsWith('_DICTIONARY'));
          if (hasCodes && data?.encodings.includes('DELTA_BYTE_ARRAY')) seen.mixed++;
        }

        const recorded = recordedTables(file);
        const texts = await textsOf(recorded, names);
        const numbered = await numberedTexts(recorded, names, seen);
        const quoted = await quotedTexts(recorded, names);
        for (const name of names) {
          const values = expected.map((row) => row[name]);
          const isOther = (text: unknown, row: number) => text !== values[row];
          expect([name, texts.get(name)?.findIndex(isOther)]).toEqual([name, -1]);
          expect([name, numbered.get(name)?.findIndex(isOther)]).toEqual([name, -1]);
          expect([name, quoted.get(name)?.findIndex(isOther)]).toEqual([name, -1]);
        }
      }),
      runs(40),
    );
    expect(Math.min(seen.coded, seen.plain, seen.mixed)).toBeGreaterThan(10);
  },
  120_000 * FACTOR,
);

test.each([true, false])(
  'bytes that are not UTF-8 make only their own rows unreadable (dictionary: %s)',
  async (hasDictionary) => {
    // The bytes of the first two values are one character together, in the dictionary and in plain pages.
    const values = ["'\\xC3'::BLOB", "'\\xA9'::BLOB", "'ok'::BLOB", 'NULL', "'\\xFF'::BLOB", "'\\xC3\\xA9'::BLOB"];
    const cases = values.map((value, index) => `WHEN ${index} THEN ${value}`).join(' ');
    const file = await parquetOf(
      `SELECT CASE i % ${values.length} ${cases} END AS c, i FROM range(600) AS r(i) ORDER BY i`,
    );
    const properties = new WriterPropertiesBuilder().setDictionaryEnabled(hasDictionary).build();
    const { tables } = recordedTables(writeParquet(readParquet(file), properties));
    const states: number[] = [];
    const texts: (string | null | undefined)[] = [];
    const range = { firstRowGroup: 0, rowGroups: 1, maxRowGroupBytes: 1e9 };
    await tables.forEachBatch(
      range,
      ['c'],
      ({ columns, rows }) => {
        for (const column of columns) {
          expect(column.dictionary !== undefined).toBe(hasDictionary);
          const [cells, numbers, ids] = [new StringCells(undefined, rows), new TextIds(), new Int32Array(rows)];
          cells.read(column);
          numbers.read(column, ids);
          states.push(...cells.states);
          texts.push(...Array.from(ids, (id) => numbers.valueOf(id)));
        }
      },
      () => undefined,
    );
    const { missing, unreadable, ok } = Cell;
    const expected = [unreadable, unreadable, ok, missing, unreadable, ok];
    expect(states).toEqual(Array.from({ length: 600 }, (_, row) => expected[row % 6]));
    expect(texts.slice(0, 6)).toEqual([null, null, 'ok', undefined, null, 'é']);
  },
);

type Recorded = ReturnType<typeof recordedTables>;

function rewritten(file: Uint8Array, options: WriterChoice): Uint8Array {
  const properties = new WriterPropertiesBuilder()
    .setWriterVersion(options.version)
    .setCompression(options.compression)
    .setDictionaryEnabled(options.hasDictionary)
    .setDictionaryPageSizeLimit(options.dictionaryBytes)
    .setDataPageSizeLimit(options.pageBytes)
    .setWriteBatchSize(64)
    .setMaxRowGroupSize(options.groupRows)
    .build();
  return writeParquet(readParquet(file), properties);
}

/** The texts behind the numbers of each column's values, which equal texts share over the whole file. */
async function numberedTexts(
  { metadata, tables }: Recorded,
  names: readonly string[],
  seen: { coded: number; plain: number },
) {
  const ids = new Int32Array(8192);
  const texts = new Map(names.map((name) => [name, { numbers: new TextIds(), values: [] as (string | null)[] }]));
  const range = { firstRowGroup: 0, rowGroups: metadata.rowGroups.length, maxRowGroupBytes: 1e9 };
  await tables.forEachBatch(
    range,
    names,
    ({ columns, rows }) => {
      for (const [name, { numbers, values }] of texts) {
        const column = columns.find((each) => each.name === name);
        if (column) numbers.read(column, ids);
        else ids.fill(0);
        if (column) seen[column.dictionary ? 'coded' : 'plain']++;
        for (const id of ids.subarray(0, rows)) {
          expect(id).toBeLessThan(numbers.count);
          values.push(numbers.valueOf(id) ?? null);
        }
      }
    },
    () => undefined,
  );
  for (const { numbers } of texts.values()) expect(new Set(numbers.values).size).toBe(numbers.values.length);
  return new Map([...texts].map(([name, { values }]) => [name, values]));
}

/** The texts of string fields. */
async function quotedTexts({ metadata, tables }: Recorded, names: readonly string[]) {
  const out = new DataView(new ArrayBuffer(1024));
  const texts = new Map(names.map((name) => [name, [] as (string | null)[]]));
  const range = { firstRowGroup: 0, rowGroups: metadata.rowGroups.length, maxRowGroupBytes: 1e9 };
  await tables.forEachBatch(
    range,
    names,
    ({ columns, rows }) => {
      for (const [name, values] of texts) {
        const cells = new StringCells(undefined, rows);
        const column = columns.find((each) => each.name === name);
        if (column) cells.read(column);
        for (let row = 0; row < rows; row++) {
          const isPresent = column && cells.states[row] === Cell.ok;
          const end = isPresent ? cells.write(out, 0, row) : 0;
          values.push(isPresent ? Buffer.from(out.buffer, 1, end - 2).toString() : null);
        }
      }
    },
    () => undefined,
  );
  return texts;
}
