/** Rejections of single records: quotas, types and names of the table, partition key. */
import type { Dimension, MeasureValue, _Record as Record_ } from '@aws-sdk/client-timestream-write';
import { from, type Harness, makeTable, NOW, record, rejections, select, startHarness, writeRecords } from './harness';

let timestream: Harness;
let table: string;
beforeAll(async () => {
  timestream = await startHarness();
});
afterAll(() => timestream.close());
beforeEach(async () => {
  table = await makeTable(timestream);
});

const write = (...records: Record_[]) => writeRecords(timestream, table, records);
const dimension = (Name: string, Value = 'v'): Dimension => ({ Name, Value });
const measures = (count: number, Type: 'BIGINT' | 'BOOLEAN' | 'VARCHAR', Value: string, prefix = 'm'): MeasureValue[] =>
  Array.from({ length: count }, (_, i) => ({ Name: `${prefix}${i}`, Value, Type }));
const single = (Type: 'DOUBLE' | 'BIGINT', MeasureName: string, MeasureValue: string, time = NOW) =>
  record({ MeasureValueType: Type, MeasureName, MeasureValue, MeasureValues: undefined, Time: String(time) });

/** Expects that the invalid record is rejected and the valid one stored. */
async function rejectedBeside(bad: Partial<Record_>, good: Partial<Record_>) {
  const [rejection, ...others] = await rejections(write(record(bad), record({ ...good, MeasureName: 'good' })));
  expect(others).toEqual([]);
  expect(rejection?.RecordIndex).toBe(0);
  expect(await select(timestream, `SELECT measure_name FROM ${from(table)}`)).toEqual([['good']]);
  return rejection?.Reason;
}

test('a dimension name has at most 60 bytes', async () => {
  const bad = { Dimensions: [dimension(`${'é'.repeat(30)}x`)] };
  expect(await rejectedBeside(bad, { Dimensions: [dimension('é'.repeat(30))] })).toMatch(/60 bytes/);
});

test('a measure name has at most 256 bytes', async () => {
  const of = (Name: string) => ({ MeasureValues: [{ Name, Value: '1', Type: 'DOUBLE' as const }] });
  expect(await rejectedBeside(of(`${'é'.repeat(128)}x`), of('é'.repeat(128)))).toMatch(/256 bytes/);
});

test('the measure name of a multi-measure record has at most 256 bytes', async () => {
  expect(await rejectedBeside({ MeasureName: 'x'.repeat(257) }, {})).toMatch(/256 bytes/);
  await write(record({ MeasureName: 'x'.repeat(256) }));
});

test('the dimension names and values of a series have at most 2 KB', async () => {
  const of = (bytes: number) => ({ Dimensions: [dimension('a', 'x'.repeat(bytes - 1))] });
  expect(await rejectedBeside(of(2049), of(2000))).toMatch(/dimension names and values.*2 kilobytes/);
});

test('a record has at most 2 KB', async () => {
  // 8 bytes of time, 1 + value of the dimension, 8 of the number; measure names do not count.
  const of = (bytes: number) => ({
    Dimensions: [dimension('a', 'x'.repeat(bytes - 8 - 1 - 8))],
    MeasureValues: [{ Name: 'v'.repeat(200), Value: '1', Type: 'DOUBLE' as const }],
  });
  expect(await rejectedBeside(of(2049), of(2048))).toMatch(/record exceeds.*2 kilobytes/);
});

test('a record has at most 256 measures', async () => {
  expect(
    await rejectedBeside(
      { MeasureValues: measures(257, 'BOOLEAN', 'true') },
      { MeasureValues: measures(256, 'BOOLEAN', 'true') },
    ),
  ).toMatch(/256 measures/);
});

test('the measure values of a record have at most 2048 bytes', async () => {
  const text = (Value: string) => ({ MeasureValues: [{ Name: 'v', Value, Type: 'VARCHAR' as const }] });
  expect(await rejectedBeside(text('é'.repeat(1025)), text('é'.repeat(900)))).toMatch(/measure values.*2048 bytes/);
});

test('a table has at most 128 dimensions', async () => {
  const of = (count: number, prefix: string) => Array.from({ length: count }, (_, i) => dimension(`${prefix}${i}`));
  await write(record({ Dimensions: of(100, 'a') }));
  expect(
    await rejections(write(record({ Dimensions: of(28, 'b') }), record({ Dimensions: [dimension('c')] }))),
  ).toEqual([{ RecordIndex: 1, Reason: expect.stringMatching(/128 dimensions/) }]);
});

test('a table has at most 1024 measures', async () => {
  const many = (prefix: string, time: number) =>
    record({ MeasureValues: measures(256, 'BOOLEAN', 'true', prefix), Time: String(time) });
  await write(many('a', NOW), many('b', NOW - 1), many('c', NOW - 2), many('d', NOW - 3));
  expect(await rejections(write(many('a', NOW - 4), record({ Time: String(NOW - 5) })))).toEqual([
    { RecordIndex: 1, Reason: expect.stringMatching(/1024 measures/) },
  ]);
});

test('a table has at most 8192 measure names', async () => {
  for (let first = 0; first < 8192; first += 100) {
    const count = Math.min(100, 8192 - first);
    await write(...Array.from({ length: count }, (_, i) => record({ MeasureName: `name-${first + i}` })));
  }
  expect(await rejections(write(record({ MeasureName: 'one-more' }), record({ MeasureName: 'name-0' })))).toEqual([
    { RecordIndex: 0, Reason: expect.stringMatching(/8192 measure names/) },
  ]);
});

describe('the first record fixes', () => {
  const typed = (Type: 'DOUBLE' | 'BIGINT', MeasureName = 'other') =>
    record({ MeasureName, MeasureValues: [{ Name: 'value', Value: '1', Type }] });

  test('the type of a measure', async () => {
    await write(typed('DOUBLE'));
    expect(await rejections(write(typed('BIGINT', 'x'), typed('DOUBLE', 'y')))).toEqual([
      { RecordIndex: 0, Reason: expect.stringMatching(/'value' has the type DOUBLE.*BIGINT/) },
    ]);
  });

  test('the type of a measure for later records of the same call', async () => {
    expect(await rejections(write(typed('DOUBLE', 'x'), typed('BIGINT', 'y')))).toEqual([
      expect.objectContaining({ RecordIndex: 1 }),
    ]);
  });

  test('the type of a single measure', async () => {
    await write(single('DOUBLE', 'cpu', '1'));
    expect(await rejections(write(single('BIGINT', 'cpu', '1', NOW - 1), single('BIGINT', 'mem', '1')))).toEqual([
      { RecordIndex: 0, Reason: expect.stringMatching(/'cpu' has the type DOUBLE.*BIGINT/) },
    ]);
  });

  test('nothing if it was rejected', async () => {
    await rejections(write({ ...typed('BIGINT'), Time: '1' }));
    await write(typed('DOUBLE'));
  });
});

describe('a dimension and a measure with the same name', () => {
  const both = (dimensionName: string, measureName: string, MeasureName = 'm') =>
    record({
      MeasureName,
      Dimensions: [dimension(dimensionName)],
      MeasureValues: [{ Name: measureName, Value: '1', Type: 'DOUBLE' }],
    });

  test('are rejected in one record', async () => {
    expect(await rejections(write(both('a', 'a')))).toEqual([
      { RecordIndex: 0, Reason: expect.stringMatching(/'a' has the name of a measure/) },
    ]);
  });

  test('are rejected if the table has the measure', async () => {
    await write(both('a', 'b'));
    expect(await rejections(write(both('b', 'c')))).toHaveLength(1);
  });

  test('are rejected if the table has the dimension', async () => {
    await write(both('a', 'b'));
    expect(await rejections(write(both('c', 'a')))).toHaveLength(1);
  });
});

describe('a partition key', () => {
  const key = (EnforcementInRecord: 'REQUIRED' | 'OPTIONAL') => ({
    Schema: { CompositePartitionKey: [{ Type: 'DIMENSION' as const, Name: 'region', EnforcementInRecord }] },
  });
  const region = { Dimensions: [dimension('region', 'us-west')] };

  test('rejects a record without the dimension if it is required', async () => {
    table = await makeTable(timestream, key('REQUIRED'));
    expect(await rejectedBeside({}, region)).toMatch(/partition key dimension 'region'/);
  });

  test('accepts a record without the dimension if it is optional', async () => {
    table = await makeTable(timestream, key('OPTIONAL'));
    await write(record());
  });
});
