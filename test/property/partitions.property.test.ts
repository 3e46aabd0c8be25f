/** Columns of a key: what a writer put into its folders' names is read back, whatever its characters. */
import fc from 'fast-check';
import { partitionColumns } from 'shared/datasets/partitions';

/** Hive's FileUtils.escapePathName: control characters and these, each a byte of ASCII. */
const escapedByHive = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Hive escapes them.
  text.replace(/[\u0001-\u001f"#%'*/:=?\\\u007f{[\]^]/g, (character) => `%${hex(character)}`);
const hex = (character: string): string => character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0');

const text = fc.string({ unit: 'binary', maxLength: 20 }).filter((value) => value !== '__HIVE_DEFAULT_PARTITION__');
const columns = fc.uniqueArray(
  fc.tuple(
    text.filter((name) => name !== ''),
    fc.option(text),
  ),
  {
    selector: ([name]) => name,
    maxLength: 5,
  },
);
const folder = fc.constantFrom('', 'data', 'energy data', '=', '=x', '_temporary', 'a%3Db');

test.each([
  ['Hive and Spark', escapedByHive],
  ['pyarrow and DuckDB', encodeURIComponent],
])('columns escaped as by %s are read back, between folders of other names', (_, escaped) => {
  fc.assert(
    fc.property(columns, folder, folder, (written, before, after) => {
      const segments = written.map(
        ([name, value]) => `${escaped(name)}=${value === null ? '__HIVE_DEFAULT_PARTITION__' : escaped(value)}`,
      );
      const key = [before, ...segments, after, 'part-0.parquet'].join('/');
      expect([...partitionColumns(key)]).toEqual(written);
    }),
  );
});

test.each([
  ['what is not percent-encoding stays', 'rate=100%/x', { rate: '100%' }],
  ['so does what is not UTF-8', 'name=%E9t%C3%A9/x', { name: '%E9té' }],
  ['a plus sign is one', 'zone=UTC+3/x', { zone: 'UTC+3' }],
  ['a value may hold equals signs', 'expr=a=b==/x', { expr: 'a=b==' }],
  ['an empty value is empty', 'region=/x', { region: '' }],
  ['the folder nearer to the file wins', 'region=sul/region=norte/x', { region: 'norte' }],
  ['the name of the file is no folder', 'region=sul/value=1.parquet', { region: 'sul' }],
  ['names keep their case', 'Region=sul/region=norte/x', { Region: 'sul', region: 'norte' }],
  [
    'no name is special',
    '__proto__=a/constructor=b/x',
    Object.fromEntries([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]),
  ],
])('%s: %s', (_, key, expected) => {
  expect(Object.fromEntries(partitionColumns(key))).toEqual(expected);
});
