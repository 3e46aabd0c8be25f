/** Manifests and metadata: both documented spellings, and what is refused. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readManifest } from 'shared/exports/manifest';
import { readMetadata } from 'shared/exports/metadata';

/** Documents of real exports. */
const REAL = join(__dirname, '../../fixtures/unload');

const manifest = (change: object = {}, query: object = {}) =>
  JSON.stringify({
    result_files: [
      { url: 's3://b/f/results/q_a.parquet', file_metadata: { content_length_in_bytes: 1805, row_count: 1 } },
      { url: 's3://b/f/results/q_b.parquet', file_metadata: { content_length_in_bytes: 20, row_count: 2 } },
    ],
    query_metadata: { total_content_length_in_bytes: 1825, total_row_count: 3, result_format: 'PARQUET', ...query },
    author: { name: 'Amazon Timestream', manifest_file_version: '1.0' },
    ...change,
  });

test('reads the files of a manifest, with sizes in bytes and row counts', () => {
  expect(readManifest(manifest(), 'm')).toEqual({
    format: 'PARQUET',
    rows: 3,
    files: [
      { url: 's3://b/f/results/q_a.parquet', size: 1805, rows: 1 },
      { url: 's3://b/f/results/q_b.parquet', size: 20, rows: 2 },
    ],
  });
});

test('accepts the name of the total that the documentation uses', () => {
  const query = { total_content_length_in_bytes: undefined, content_length_in_bytes: 1825, result_format: 'csv' };
  expect(readManifest(manifest({}, query), 'm').format).toBe('CSV');
});

test('accepts a manifest without files: the table was empty', () => {
  const text = manifest({ result_files: [] }, { total_row_count: 0, total_content_length_in_bytes: 0 });
  expect(readManifest(text, 'm')).toEqual({ format: 'PARQUET', rows: 0, files: [] });
});

test.each([
  ['a total of rows', manifest({}, { total_row_count: 4 }), 'total_row_count: is 4, but the result files add up to 3'],
  ['a total of bytes', manifest({}, { total_content_length_in_bytes: 9 }), 'is 9, but the result files add up to 1825'],
  ['another format', manifest({}, { result_format: 'ORC' }), 'result_format: must be PARQUET or CSV'],
  ['no JSON', '{"result_files": [', 'm is not JSON'],
  ['a negative count', manifest({}, { total_row_count: -1 }), 'total_row_count'],
])('refuses a manifest with %s that does not fit', (_, text, message) => {
  expect(() => readManifest(text, 'm')).toThrow(
    expect.objectContaining({ name: 'DataConversionError', message: expect.stringContaining(message) }),
  );
});

test('reads columns in their order, in both spellings', () => {
  const service = {
    ColumnInfo: [
      { Name: 'a::b', Type: { ScalarType: 'VARCHAR' } },
      { Name: 'time', Type: { ScalarType: 'TIMESTAMP' } },
    ],
  };
  const guide = {
    columnInfo: [
      { name: 'a::b', type: { scalarType: 'varchar' } },
      { name: 'time', type: { scalarType: 'timestamp' } },
    ],
  };
  const columns = [
    { name: 'a::b', type: 'VARCHAR' },
    { name: 'time', type: 'TIMESTAMP' },
  ];
  expect(readMetadata(JSON.stringify(service), 'm')).toEqual(columns);
  expect(readMetadata(JSON.stringify(guide), 'm')).toEqual(columns);
});

test('names the kind of a column with several values', () => {
  const array = { Name: 'a', Type: { ArrayColumnInfo: { Type: { ScalarType: 'BIGINT' } } } };
  expect(readMetadata(JSON.stringify({ ColumnInfo: [array] }), 'm')).toEqual([{ name: 'a', type: 'Array' }]);
});

test('refuses two columns of one name, but not names that differ in case', () => {
  const of = (...names: string[]) =>
    JSON.stringify({ ColumnInfo: names.map((Name) => ({ Name, Type: { ScalarType: 'DOUBLE' } })) });
  expect(readMetadata(of('temp', 'Temp'), 'm')).toHaveLength(2);
  expect(() => readMetadata(of('temp', 'temp'), 'm')).toThrow('several columns have the same name: temp');
});

describe('exports of the service', () => {
  const read = (name: string, end: string): string => {
    const folder = join(REAL, name);
    const file = readdirSync(folder).find((each) => each.endsWith(end)) ?? '';
    return readFileSync(join(folder, file), 'utf8');
  };

  test.each([
    ['EdgeCaseSingleMeasureTable', 9, 8],
    ['EdgeCaseMultiMeasureTable', 1, 9],
  ])('%s has %d rows and %d columns', (name, rows, columns) => {
    expect(readManifest(read(name, '_manifest.json'), name)).toMatchObject({ rows, format: 'PARQUET' });
    const found = readMetadata(read(name, '_metadata.json'), name);
    expect(found).toHaveLength(columns);
    expect(found.at(-1)).toEqual({ name: 'partition_date', type: 'VARCHAR' });
  });
});
