/** Errors that refuse a whole WriteRecords call, so that none of its records is stored. */
import type { Dimension, MeasureValue, _Record as Record_ } from '@aws-sdk/client-timestream-write';
import {
  DATABASE,
  from,
  type Harness,
  makeTable,
  NOW,
  post,
  record,
  select,
  startHarness,
  validationMessage,
  writeRecords,
} from './harness';

let timestream: Harness;
let table: string;
beforeAll(async () => {
  timestream = await startHarness();
  table = await makeTable(timestream);
});
afterAll(() => timestream.close());

const write = (records: Record_[], common?: Record_) => writeRecords(timestream, table, records, common);
const dimensions = (count: number, prefix = 'd'): Dimension[] =>
  Array.from({ length: count }, (_, i) => ({ Name: `${prefix}${i}`, Value: 'v' }));
const measure = (changes: Partial<MeasureValue>): Partial<Record_> => ({
  MeasureValues: [{ Name: 'value', Value: '1', Type: 'DOUBLE', ...changes }],
});

/** Writes the record together with a valid one, which must not be stored. */
const refused = async (bad: Partial<Record_>) => {
  const message = await validationMessage(write([record(), record(bad)]));
  expect(await select(timestream, `SELECT count(*) FROM ${from(table)}`)).toEqual([['0']]);
  return message;
};

test('a call has 1 to 100 records', async () => {
  const records = Array.from({ length: 101 }, (_, i) => record({ Time: String(NOW - i) }));
  expect(await validationMessage(write([]))).toMatch(/records.*length greater than or equal to 1/);
  expect(await validationMessage(write(records))).toMatch(/records.*length less than or equal to 100/);
  const full = await makeTable(timestream);
  const { RecordsIngested } = await writeRecords(timestream, full, records.slice(0, 100));
  expect(RecordsIngested?.Total).toBe(100);
});

test.each<[string, RegExp, Partial<Record_>]>([
  ['no dimension', /At least one dimension is required for a record/, { Dimensions: [] }],
  ['two dimensions with the same name', /unique names/, { Dimensions: [...dimensions(1), ...dimensions(1)] }],
  ['129 dimensions', /less than or equal to 128/, { Dimensions: dimensions(129) }],
  ['an empty dimension name', /greater than or equal to 1/, { Dimensions: [{ Name: '', Value: 'v' }] }],
  ['a dimension without a value', /must not be null/, { Dimensions: [{ Name: 'a' } as Dimension] }],
  [
    'a dimension that is not a string',
    /enum value set: \[VARCHAR\]/,
    { Dimensions: [{ Name: 'a', Value: 'v', DimensionValueType: 'BIGINT' as 'VARCHAR' }] },
  ],
  ['a colon in a dimension name', /colon/, { Dimensions: [{ Name: 'a:b', Value: 'v' }] }],
  ...['measure_value', 'measure_name', 'time', 'ts_non_existent_col', 'ts_x', 'measure_name_x'].flatMap(
    (Name): [string, RegExp, Partial<Record_>][] => [
      [`the dimension name ${Name}`, /reserved/, { Dimensions: [{ Name, Value: 'v' }] }],
      [`the measure name ${Name}`, /reserved/, measure({ Name })],
    ],
  ),
  ['an empty measure value', /greater than or equal to 1/, measure({ Value: '', Type: 'VARCHAR' })],
  [
    'a measure value of 2049 characters',
    /less than or equal to 2048/,
    measure({ Value: 'x'.repeat(2049), Type: 'VARCHAR' }),
  ],
  [
    'a measure value without a type',
    /must not be null/,
    { MeasureValues: [{ Name: 'a', Value: '1' } as MeasureValue] },
  ],
  ['an unknown measure type', /enum value set/, measure({ Type: 'INT' as 'BIGINT' })],
  ['MULTI inside MULTI', /MULTI/, measure({ Type: 'MULTI' })],
  ...['NaN', 'Infinity', '-Infinity', '1e999', 'abc', '0x10', '1,5', ' 1'].map(
    (Value): [string, RegExp, Partial<Record_>] => [`the DOUBLE '${Value}'`, /not a valid DOUBLE/, measure({ Value })],
  ),
  ...['1.5', '1e3', '9223372036854775808', '-9223372036854775809', 'x'].map(
    (Value): [string, RegExp, Partial<Record_>] => [
      `the BIGINT ${Value}`,
      /not a valid BIGINT/,
      measure({ Value, Type: 'BIGINT' }),
    ],
  ),
  ['the BOOLEAN yes', /not a valid BOOLEAN/, measure({ Value: 'yes', Type: 'BOOLEAN' })],
  ['the TIMESTAMP 2024-01-01', /not a valid TIMESTAMP/, measure({ Value: '2024-01-01', Type: 'TIMESTAMP' })],
  ['a time that is not a number', /Invalid time for record/, { Time: '2024-03-01' }],
  ['a time with decimals', /Invalid time for record/, { Time: '1.5' }],
  ['a time before 1970', /Invalid time for record/, { Time: '-1' }],
  ['a time after 2262', /Invalid time for record/, { Time: '9223372036854775808', TimeUnit: 'NANOSECONDS' }],
  ['a time after 2262 in seconds', /Invalid time for record/, { Time: '9223372037', TimeUnit: 'SECONDS' }],
  ['no time', /Invalid time for record/, { Time: undefined }],
  ['an unknown time unit', /enum value set: \[MILLISECONDS, SECONDS/, { TimeUnit: 'MINUTES' as 'SECONDS' }],
  ['a version of 0', /Version|version/, { Version: 0 }],
  ['no measure name', /measure name is required/, { MeasureName: undefined }],
  ['MULTI without values', /MeasureValues is required/, { MeasureValues: [] }],
  ['MULTI with a single value', /MeasureValue is not allowed/, { MeasureValue: '1' }],
  [
    'two measures of one name',
    /unique names/,
    { MeasureValues: [1, 2].map((Value) => ({ Name: 'a', Value: `${Value}`, Type: 'BIGINT' as const })) },
  ],
  ['values in a single-measure record', /only allowed for type MULTI/, { MeasureValueType: 'DOUBLE' }],
  [
    'a single-measure record without a value',
    /MeasureValue is required/,
    { MeasureValueType: 'DOUBLE', MeasureValues: undefined },
  ],
  [
    'TIMESTAMP outside MULTI',
    /TIMESTAMP/,
    { MeasureValueType: 'TIMESTAMP', MeasureValue: '1', MeasureValues: undefined },
  ],
])('%s refuses the call', async (_, message, bad) => {
  expect(await refused(bad)).toMatch(message);
});

test('a dimension in the record and in the common attributes refuses the call', async () => {
  const common = { Dimensions: [{ Name: 'host', Value: 'server01' }] };
  expect(await validationMessage(write([record()], common))).toMatch(/unique names: 'host'/);
});

test('a record has at most 128 dimensions, including common ones', async () => {
  const call = (own: number) =>
    writeRecords(timestream, table, [record({ Dimensions: dimensions(own, 'own') })], {
      Dimensions: dimensions(100, 'common'),
    });
  expect(await validationMessage(call(29))).toMatch(/less than or equal to 128/);
});

test('a wrong JSON type is a SerializationException', async () => {
  const body = { DatabaseName: DATABASE, TableName: table, Records: [{ ...record(), Time: NOW }] };
  const { status, text } = await post(timestream, 'WriteRecords', JSON.stringify(body));
  expect(status).toBe(400);
  expect(text).toContain('SerializationException');
});

test('a missing database or table is not found', async () => {
  await expect(writeRecords(timestream, 'missing', [record()])).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
    $metadata: { httpStatusCode: 404 },
  });
});
