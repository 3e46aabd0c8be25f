/** UNLOAD: any valid statement is read as it was written, any other text is refused, and any rows are in the files exactly once. */
import { gunzipSync } from 'node:zlib';
import { DuckDBTimestampNanosecondsValue, type DuckDBValue } from '@duckdb/node-api';
import fc from 'fast-check';
import { parquetReadObjects } from 'hyparquet';
import { ServiceError } from '../../local/timestream/errors';
import { parquetFormat } from '../../local/timestream/unload/parquet';
import { Results } from '../../local/timestream/unload/results';
import { isUnload, parseUnload } from '../../local/timestream/unload/statement';
import { runs } from '../support/fuzz';

const MB = 2 ** 20;
const ascii = fc.integer({ min: 0, max: 127 }).map((code) => String.fromCharCode(code));
const name = fc.stringMatching(/^[a-z0-9][a-z0-9-]{1,40}[a-z0-9]$/);
const segment = fc.stringMatching(/^[\w =!.'-]{1,20}$/).filter((text) => text !== '.' && text !== '..');
/** A size as the documentation writes it, with its bytes. */
const size = fc.oneof(
  fc.integer({ min: 16, max: 79_872 }).map((n) => [`${n}MB`, n * MB] as const),
  fc.integer({ min: 1, max: 78 }).map((n) => [`${n}GB`, n * 1024 * MB] as const),
  fc
    .integer({ min: 1, max: 99 })
    .map((n) => [`0.${n + 100}GB`, Math.floor(Number(`0.${n + 100}`) * 1024 * MB)] as const),
);
const common = {
  compression: fc.constantFrom('GZIP' as const, 'NONE' as const),
  partitionedBy: fc.uniqueArray(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), { maxLength: 4 }),
  encryption: fc.constantFrom('SSE_S3' as const, 'SSE_KMS' as const),
  kmsKey: fc.constantFrom(
    undefined,
    'alias/export',
    '1234abcd-12ab-34cd-56ef-1234567890ab',
    'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
  ),
  size: fc.option(size, { nil: undefined }),
};
const select = fc.constantFrom(
  'SELECT 1',
  'SELECT (a) FROM ((SELECT 2 AS a)) t',
  "WITH x AS (SELECT ')' AS y) SELECT y FROM x",
  'select "a)b", \'(\' from "d"."t"',
);
const statements = fc.record({
  select,
  bucket: name,
  folder: fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
  slash: fc.boolean(),
  options: fc.oneof(
    fc.record({ format: fc.constant('PARQUET' as const), ...common }),
    fc
      .record({
        format: fc.constant('CSV' as const),
        ...common,
        delimiter: ascii,
        escapedBy: ascii,
        header: fc.boolean(),
      })
      .filter(({ delimiter, escapedBy }) => delimiter !== '"' && delimiter !== escapedBy),
  ),
  space: fc.constantFrom(' ', '\n', '\t \n', ' /* a ( comment */ ', ' -- (\n'),
  upper: fc.boolean(),
});
type Statement = typeof statements extends fc.Arbitrary<infer T> ? T : never;

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;

function written({ select: query, bucket, folder, slash, options, space, upper }: Statement): string {
  const word = (text: string) => (upper ? text.toUpperCase() : text.toLowerCase());
  const given: Record<string, string | undefined> = {
    format: quote(options.format),
    compression: quote(options.compression),
    partitioned_by:
      options.partitionedBy.length === 0
        ? undefined
        : `${word('array')}[${options.partitionedBy.map(quote).join(`,${space}`)}]`,
    encryption: quote(options.encryption),
    kms_key: options.encryption === 'SSE_KMS' && options.kmsKey !== undefined ? quote(options.kmsKey) : undefined,
    max_file_size: options.size && quote(options.size[0]),
    ...('header' in options && {
      field_delimiter: quote(options.delimiter),
      escaped_by: quote(options.escapedBy),
      include_header: quote(String(options.header)),
    }),
  };
  const list = Object.entries(given).flatMap(([key, value]) =>
    value === undefined ? [] : [`${word(key)}${space}=${space}${value}`],
  );
  const to = quote(`s3://${bucket}/${folder}${slash ? '/' : ''}`);
  return `${space}${word('unload')}${space}(${space}${query})${space}${word('to')} ${to}${space}${word('with')}(${list.join(',')})`;
}

test('a valid statement is read as it was written', () => {
  fc.assert(
    fc.property(statements, (given) => {
      const sql = written(given);
      expect(isUnload(sql)).toBe(true);
      const { options } = given;
      expect(parseUnload(sql)).toEqual({
        select: given.select,
        bucket: given.bucket,
        folder: given.folder,
        format: options.format,
        compression: options.compression,
        partitionedBy: options.partitionedBy,
        encryption: options.encryption,
        kmsKey: options.encryption === 'SSE_KMS' ? options.kmsKey : undefined,
        maxFileBytes: options.size?.[1] ?? 78 * 1024 * MB,
        delimiter: 'header' in options ? options.delimiter : ',',
        escapedBy: 'header' in options ? options.escapedBy : '\\',
        header: 'header' in options && options.header,
      });
    }),
    runs(300),
  );
});

/** A ValidationException or a statement; any other error fails the test. */
function parsed(sql: string): void {
  try {
    parseUnload(sql);
  } catch (error) {
    expect(error).toBeInstanceOf(ServiceError);
    expect(error).toMatchObject({ type: 'ValidationException' });
  }
}

test('any other text is a statement or a ValidationException', () => {
  const cut = fc.tuple(statements, fc.nat(), fc.nat({ max: 30 }), fc.string({ unit: 'grapheme', maxLength: 5 }));
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), parsed), runs(200));
  fc.assert(
    fc.property(cut, ([statement, at, length, text]) => {
      const sql = written(statement);
      const start = at % sql.length;
      parsed(sql.slice(0, start) + text + sql.slice(start + length));
    }),
    runs(500),
  );
});

test.each([
  ["UNLOAD (SELECT 1) TO 's3://bucket'", 'must name a folder'],
  ["UNLOAD (SELECT 1) TO 's3://bucket/a/../b'", 'must name a folder'],
  ["UNLOAD (SELECT 1) TO 's3://bucket/a//b'", 'must name a folder'],
  ["UNLOAD (SELECT 1) TO 'http://bucket/a'", 'with a valid bucket'],
  ["UNLOAD (SELECT 1) TO 's3://B/a'", 'with a valid bucket'],
  ['UNLOAD (SELECT 1)', "expected 'TO' instead of the end of the statement"],
  ["UNLOAD (SELECT 1 TO 's3://bucket/a'", "expected ')' instead of the end"],
  ["UNLOAD (DROP TABLE x) TO 's3://bucket/a'", 'must contain a SELECT statement'],
  ["UNLOAD (SELECT 1) TO 's3://bucket/a' WITH (colour = 'red')", 'expected one of the options format'],
  ["UNLOAD (SELECT 1) TO 's3://bucket/a' WITH (format = 'ORC')", "format must be 'CSV' or 'PARQUET', not 'ORC'"],
  ["UNLOAD (SELECT 1) TO 's3://bucket/a' WITH (format = CSV)", 'expected a value in single quotes instead of CSV'],
  ["UNLOAD (SELECT 1) TO 's3://bucket/a' WITH (format = 'CSV', format = 'CSV')", 'format is given twice'],
  ["UNLOAD (SELECT 1) TO 's3://bucket/a' WITH (compression = 'SNAPPY')", "'GZIP' or 'NONE'"],
  ["UNLOAD (SELECT 1) TO 's3://bucket/a' WITH (encryption = 'NONE')", "'SSE_S3' or 'SSE_KMS'"],
  ["UNLOAD (SELECT 1) TO 's3://bucket/a' WITH (partitioned_by = 'x')", "ARRAY['column']"],
  ["UNLOAD (SELECT 1) TO 's3://bucket/a' WITH (partitioned_by = ARRAY[])", 'expected a column in single quotes'],
  ["UNLOAD (SELECT 1) TO 's3://bucket/a' WITH (partitioned_by = ARRAY['x', 'x'])", 'names a column twice'],
  ["UNLOAD (SELECT 1) TO 's3://bucket/a' WITH (format = ARRAY['CSV'])", 'not an array'],
  ["UNLOAD (SELECT 1) TO 's3://bucket/a' WITH (max_file_size = '15.9MB')", "between '16MB' and '78GB'"],
  ["UNLOAD (SELECT 1) TO 's3://bucket/a' WITH (max_file_size = '78.1GB')", "between '16MB' and '78GB'"],
  ["UNLOAD (SELECT 1) TO 's3://bucket/a' WITH (max_file_size = '16')", "between '16MB' and '78GB'"],
  ["UNLOAD (SELECT 1) TO 's3://bucket/a' WITH (field_delimiter = ',,')", 'a single ASCII character'],
  ["UNLOAD (SELECT 1) TO 's3://bucket/a' WITH (escaped_by = 'é')", 'a single ASCII character'],
  ["UNLOAD (SELECT 1) TO 's3://bucket/a' WITH (include_header = 'yes')", "'true' or 'false'"],
  ["UNLOAD (SELECT 1) TO 's3://bucket/a' WITH (field_delimiter = '\\')", 'must differ from escaped_by'],
  ["UNLOAD (SELECT 1) TO 's3://bucket/a' WITH (format = 'PARQUET', include_header = 'true')", "needs format = 'CSV'"],
  ["UNLOAD (SELECT 1) TO 's3://bucket/a' WITH (kms_key = 'alias/x')", "needs encryption = 'SSE_KMS'"],
  ["UNLOAD (SELECT 1) TO 's3://bucket/a' WITH (encryption = 'SSE_KMS', kms_key = 'a b')", 'of a KMS key or alias'],
  ["UNLOAD (SELECT 1) TO 's3://bucket/a' WITH (format = 'CSV') SELECT 2", 'expected the end of the statement'],
])('%s is refused', (sql, message) => {
  expect(() => parseUnload(sql)).toThrow(message);
});

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
const rowArbitrary = fc.record({
  text: fc.option(fc.string({ unit: 'grapheme', maxLength: 30 })),
  integer: fc.option(fc.bigInt(INT64)),
  float: fc.option(fc.double({ noNaN: true })),
  flag: fc.option(fc.boolean()),
  time: fc.option(fc.bigInt(INT64)),
  // Includes the names of folders that need escaping.
  partition: fc.constantFrom('a', 'b', 'a/b', 'x=y:z'),
});
type Row = typeof rowArbitrary extends fc.Arbitrary<infer T> ? T : never;

const column = (Name: string, ScalarType: string) => ({ Name, Type: { ScalarType } });
const COLUMNS = [
  column('text', 'VARCHAR'),
  column('integer', 'BIGINT'),
  column('float', 'DOUBLE'),
  column('flag', 'BOOLEAN'),
  column('time', 'TIMESTAMP'),
  column('partition', 'VARCHAR'),
];

test('each row is in exactly one file, in the folder of its partition, in order', async () => {
  const chunks = fc.array(fc.array(rowArbitrary, { minLength: 1, maxLength: 40 }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(chunks, fc.integer({ min: 600, max: 20_000 }), fc.boolean(), async (given, maxFileBytes, gzip) => {
      const objects = new Map<string, Buffer>();
      const closed = new Set<string>();
      const results = new Results({
        format: parquetFormat(COLUMNS.slice(0, -1), { compression: gzip ? 'GZIP' : 'NONE' }),
        columns: COLUMNS,
        partitionColumns: 1,
        maxFileBytes,
        prefix: 'export/results/',
        query: 'ID_1234567890',
        create: (key) => {
          objects.set(key, Buffer.alloc(0));
          return Promise.resolve({
            write: (bytes) => {
              objects.set(key, Buffer.concat([objects.get(key) ?? Buffer.alloc(0), bytes]));
              return Promise.resolve();
            },
            close: () => {
              closed.add(key);
              return Promise.resolve();
            },
          });
        },
      });
      const cell = (row: Row, key: keyof Row): DuckDBValue =>
        key === 'time' && row.time !== null ? new DuckDBTimestampNanosecondsValue(row.time) : (row[key] as DuckDBValue);
      const keys = ['text', 'integer', 'float', 'flag', 'time', 'partition'] as const;
      for (const rows of given) await results.add(keys.map((key) => rows.map((row) => cell(row, key))));
      await results.close();

      expect(results.files.map(({ key }) => key).sort()).toEqual([...objects.keys()].sort());
      expect(closed.size).toBe(objects.size);
      const read = new Map<string, unknown[]>();
      for (const { key, bytes, rows } of results.files) {
        const object = objects.get(key) ?? Buffer.alloc(0);
        expect(object.length).toBe(bytes);
        const [, partition = ''] =
          /^export\/results\/partition=([^/]+)\/ID_1234567890_\w{16}\.parquet$/.exec(key) ?? [];
        const content = await parquetReadObjects({
          file: new Uint8Array(object).buffer,
          parsers: { timestampFromNanoseconds: (ns: bigint) => ns } as never,
          compressors: { GZIP: (input) => gunzipSync(input) },
        });
        expect(content).toHaveLength(rows);
        const name = decodeURIComponent(partition);
        read.set(name, [...(read.get(name) ?? []), ...content.map((row) => ({ ...row, partition: name }))]);
      }
      const all = given.flat();
      for (const name of new Set(all.map(({ partition }) => partition))) {
        expect(read.get(name)).toEqual(all.filter(({ partition }) => partition === name));
        read.delete(name);
      }
      expect([...read]).toEqual([]);
    }),
    runs(60),
  );
});
