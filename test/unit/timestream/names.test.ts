/** Escaping names that Timestream does not accept: they can be read back, and two names never become one. */
import fc from 'fast-check';
import { dimensionNameProblem, measureNameProblem, tableNameProblem } from 'shared/timestream/limits';
import {
  escapeColumnName,
  escapeMeasureName,
  escapeTableName,
  keyOfColumn,
  measurementOfTable,
} from 'shared/timestream/names';

test.each([
  ['°C', '_..C2.B0C'],
  ['%', '_..25'],
  ['m³/h', '_.m.C2.B3.2Fh'],
  ['kWh', 'kWh'],
  ['app.log', 'app.log'],
  ['a b.c', '_.a.20b.2Ec'],
  ['_.x', '_.x'],
  ['_..zz', '_..zz'],
  // Equals the escaped form of another name.
  ['_..25', '_._.2E.2E25'],
])('stores the measurement %s as the table %s', (measurement, table) => {
  expect(escapeTableName(measurement)).toBe(table);
  expect(measurementOfTable(table)).toBe(measurement);
});

test.each([
  ['host', 'host'],
  ['a:b', '_.a.3Ab'],
  ['time', '_.time'],
  ['measure_name', '_.measure_name'],
  ['ts_x', '_.ts_x'],
  ['°C', '°C'],
  ['_.time', '_._.2Etime'],
  ['_.times', '_.times'],
])('stores the tag %s as the dimension %s', (tag, dimension) => {
  expect(escapeColumnName(tag)).toBe(dimension);
  expect(keyOfColumn(dimension)).toBe(tag);
});

test('keeps colons in field names and never maps a field to the escaped name of a tag', () => {
  expect(escapeMeasureName('a:b')).toBe('a:b');
  expect(escapeMeasureName('ts_x')).toBe('_.ts_x');
  expect(escapeMeasureName('_.a.3Ab')).toBe('_._.2Ea.2E3Ab');
});

/** Names similar to escaped names. */
const name = fc
  .array(
    fc.constantFrom('_', '.', '_.', '2E', '25', ':', '3A', 'time', 'ts_', 'measure_name', 'a', '°', ' ', '%', '😀'),
    {
      minLength: 1,
      maxLength: 8,
    },
  )
  .map((parts) => parts.join(''));
const any = fc.oneof(name, fc.string({ minLength: 1, unit: 'grapheme' }));
const short = (escaped: string): boolean => Buffer.byteLength(escaped) <= 60;

test.each([
  ['table', escapeTableName, measurementOfTable, tableNameProblem],
  ['dimension', escapeColumnName, keyOfColumn, dimensionNameProblem],
  ['measure', escapeMeasureName, keyOfColumn, measureNameProblem],
] as const)(
  'maps any name to a valid %s name that can be read back, and keeps valid names without the prefix',
  (_, escaping, unescaping, problem) => {
    fc.assert(
      fc.property(any, (given) => {
        const escaped = escaping(given);
        if (short(escaped)) expect(problem(escaped)).toBeUndefined();
        expect(unescaping(escaped)).toBe(given);
        if (problem(given) === undefined && !given.startsWith('_.')) expect(escaped).toBe(given);
      }),
      { numRuns: 2_000 },
    );
  },
);

test('never maps two names to one', () => {
  fc.assert(
    fc.property(name, name, (a, b) => {
      fc.pre(a !== b);
      expect(escapeTableName(a)).not.toBe(escapeTableName(b));
      expect(escapeColumnName(a)).not.toBe(escapeColumnName(b));
      expect(escapeMeasureName(a)).not.toBe(escapeMeasureName(b));
    }),
    { numRuns: 5_000 },
  );
});
