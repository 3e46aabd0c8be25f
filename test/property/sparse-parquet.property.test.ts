/** Files of flat columns and nested structs, with row groups where a column has no value: every value is read, and nothing else fetched. */
import fc from 'fast-check';
import { parquetMetadata } from 'hyparquet/src/metadata.js';
import { FACTOR, runs } from '../support/fuzz';
import { duckdb, parquetOf } from '../support/loader';
import { withFooter } from '../support/parquet-footer';
import { recordedTables, textsOf } from '../support/recorded-tables';

const GROUP_ROWS = 2048;
const GROUPS = 3;
const ROWS = GROUPS * GROUP_ROWS - 1000;

/** A type, the share of rows that are null, and the row groups in which it has no value. */
interface Node {
  readonly leaf: string | undefined;
  readonly children: readonly Node[];
  readonly nulls: number;
  readonly emptyGroups: readonly number[];
}

const LEAVES = [
  '(i * 7)::BIGINT',
  "'text ' || i % 10",
  '(i % 100)::SMALLINT',
  'i % 3 = 0',
  '(i * 1.5)::DECIMAL(12, 2)',
];

const { tree } = fc.letrec<{ tree: Node; struct: Node; leaf: Node }>((tie) => {
  const common = {
    nulls: fc.constantFrom(0, 0, 1, 3),
    emptyGroups: fc.subarray([...Array(GROUPS).keys()]),
  };
  return {
    tree: fc.oneof({ maxDepth: 3, depthSize: 'small' }, tie('leaf'), tie('struct')),
    leaf: fc.record({ leaf: fc.constantFrom(...LEAVES), children: fc.constant([]), ...common }),
    struct: fc.record({
      leaf: fc.constant(undefined),
      children: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
      ...common,
    }),
  };
});

function sqlOf({ leaf, children, nulls, emptyGroups }: Node, salt: string): string {
  const struct = children.map((child, index) => `'s${index}': ${sqlOf(child, `${salt}${index}`)}`).join();
  const empty = emptyGroups.map((group) => `i // ${GROUP_ROWS} = ${group}`);
  const conditions = [`hash(i, '${salt}') % 4 < ${nulls}`, ...empty].join(' OR ');
  return `CASE WHEN ${conditions} THEN NULL ELSE ${leaf ?? `{${struct}}`} END`;
}

const pathsOf = ({ leaf, children }: Node, path: readonly string[]): string[][] =>
  leaf === undefined ? children.flatMap((child, index) => pathsOf(child, [...path, `s${index}`])) : [[...path]];

/** Statistics of every chunk, of none, or of some. */
const kept = fc.constantFrom(
  () => true,
  () => false,
  (chunk: number) => chunk % 2 === 0,
);

test(
  'columns have the values that DuckDB reads, and chunks that have no value by their statistics are not fetched',
  async () => {
    let skipped = 0;
    let read = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(tree, { minLength: 1, maxLength: 4 }),
        kept,
        fc.constantFrom('PARQUET_VERSION V1', 'PARQUET_VERSION V2, COMPRESSION zstd'),
        async (trees, isKept, options) => {
          const columns = trees.map((node, index) => `${sqlOf(node, `c${index}`)} AS c${index}`).join();
          const rows = `(SELECT i, ${columns} FROM range(${ROWS}) AS r(i))`;
          const written = await parquetOf(`SELECT * FROM ${rows}`, `ROW_GROUP_SIZE ${GROUP_ROWS}, ${options}`);
          let chunk = 0;
          const file = withFooter(new Uint8Array(written), ({ row_groups }) => {
            for (const { meta_data } of row_groups.flatMap((group) => group.columns))
              if (meta_data && !isKept(chunk++)) delete meta_data.statistics;
          });

          const paths = trees.flatMap((node, index) => pathsOf(node, [`c${index}`]));
          const select = paths.map((path, index) => `(${path.join('.')})::VARCHAR AS v${index}`).join();
          const expected = await duckdb(`SELECT ${select} FROM ${rows} ORDER BY i`);
          const recorded = recordedTables(file);
          const texts = await textsOf(
            recorded,
            paths.map((path) => path.join('.')),
          );
          for (const [index, path] of paths.entries()) {
            const values = expected.map((row) => row[`v${index}`]);
            const different = texts.get(path.join('.'))?.findIndex((text, row) => text !== values[row]);
            expect([path, different]).toEqual([path, -1]);
          }

          for (const { columns: chunks, num_rows } of parquetMetadata(file).row_groups) {
            for (const { meta_data: data } of chunks) {
              if (!data || data.path_in_schema[0] === 'i') continue;
              const start = Number(data.dictionary_page_offset ?? data.data_page_offset);
              const isEmpty = data.statistics?.null_count === num_rows;
              expect(recorded.isFetched(start, start + Number(data.total_compressed_size))).toBe(!isEmpty);
              if (isEmpty) skipped++;
              else read++;
            }
          }
        },
      ),
      runs(40),
    );
    expect(Math.min(skipped, read)).toBeGreaterThan(10);
  },
  60_000 * FACTOR,
);
