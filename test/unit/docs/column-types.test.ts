/** docs/datasets.md: its table of column types has every type of the Parquet specification, and says which fields it can be. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FieldType } from 'shared/datasets/mapping';
import type { ColumnType } from 'shared/parquet/column-type';
import { fieldProblem } from 'shared/points/field-types';

const page = readFileSync(join(__dirname, '../../../docs/datasets.md'), 'utf8');
const HEADER = '| Parquet type | tag, `text`, `string` | `integer` | `float` | `boolean` | `timestamp` |';
const rows = page
  .slice(page.indexOf(HEADER))
  .split('\n\n')[0]
  ?.split('\n')
  .slice(2)
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

/** The rows of types of one column, by the beginning of their first cell. */
const TYPES: Record<string, ColumnType> = {
  INT32: { kind: 'integer', bits: 64, isSigned: false },
  FLOAT16: { kind: 'float', bits: 16 },
  DECIMAL: { kind: 'decimal', scale: 2 },
  BOOLEAN: { kind: 'boolean' },
  STRING: { kind: 'text' },
  UUID: { kind: 'uuid' },
  'TIMESTAMP (ms, us, ns), adjusted': { kind: 'timestamp', unit: 'us', isInstant: true },
  'TIMESTAMP (ms, us, ns), local': { kind: 'timestamp', unit: 'us', isInstant: false },
  DATE: { kind: 'date' },
  INT96: { kind: 'int96' },
  'TIME (': { kind: 'time', unit: 'us' },
  INTERVAL: { kind: 'interval' },
  NULL: { kind: 'null' },
  BSON: { kind: 'bytes', length: undefined },
};
const FIELDS: readonly (readonly FieldType[])[] = [
  ['string', 'text'],
  ['integer', 'unsigned'],
  ['float', 'number'],
  ['boolean'],
  ['timestamp'],
];

test.each(Object.entries(TYPES))('%s can be the fields that its row describes, and no others', (name, type) => {
  const cells = rows?.find(([first = '']) => first.startsWith(name)) ?? [];
  expect(cells).toHaveLength(6);
  for (const [index, fields] of FIELDS.entries()) {
    for (const field of fields) {
      const rest = { column: 'c', key: 'c', required: false, named: undefined, zone: undefined, as: 'ns' } as const;
      const problem = fieldProblem({ ...rest, type: field, unit: 'ms', encoding: undefined }, type);
      const isDescribed = !['', 'only with `encoding`'].includes(cells[index + 1] ?? '');
      expect([name, field, problem === undefined]).toEqual([name, field, isDescribed]);
    }
  }
});

/** Source: LogicalTypes.md and parquet.thrift of apache/parquet-format. */
test.each([
  ...[
    'STRING',
    'ENUM',
    'UUID',
    'INTEGER',
    'DECIMAL',
    'FLOAT16',
    'DATE',
    'TIME',
    'TIMESTAMP',
    'INTERVAL',
    'JSON',
    'BSON',
  ],
  ...['VARIANT', 'GEOMETRY', 'GEOGRAPHY', 'LIST', 'MAP', 'UNKNOWN', 'struct'],
  ...['BOOLEAN', 'INT32', 'INT64', 'INT96', 'FLOAT', 'DOUBLE', 'BYTE_ARRAY', 'FIXED_LEN_BYTE_ARRAY'],
])('the type %s has a row', (name) => {
  expect(rows?.some(([first = '']) => new RegExp(`\\b${name}\\b`).test(first))).toBe(true);
});
