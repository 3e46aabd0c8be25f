import type { _Record as Record_ } from '@aws-sdk/client-timestream-write';
import fc from 'fast-check';
import {
  DATABASE,
  from,
  type Harness,
  makeTable,
  NOW,
  post,
  record,
  rejections,
  select,
  startHarness,
  writeRecords,
} from './harness';

let timestream: Harness;
let table: string;
beforeAll(async () => {
  timestream = await startHarness();
});
afterAll(() => timestream.close());
beforeEach(async () => {
  table = await makeTable(timestream);
});

const value = (text: string, changes: Partial<Record_> = {}) =>
  record({ MeasureValues: [{ Name: 'value', Value: text, Type: 'DOUBLE' }], ...changes });
const write = (...records: Record_[]) => writeRecords(timestream, table, records);
const stored = () => select(timestream, `SELECT value FROM ${from(table)} ORDER BY value`);

test('a record is stored and counted', async () => {
  const { RecordsIngested } = await write(record());
  expect(RecordsIngested).toEqual({ Total: 1, MemoryStore: 1, MagneticStore: 0 });
  expect(await select(timestream, `SELECT * FROM ${from(table)} LIMIT 10`)).toEqual([
    ['server01', 'influxdb-measure', '2024-03-01 12:00:00.000000000', '0.64'],
  ]);
});

test('the same record again succeeds and is stored once', async () => {
  await write(value('1'));
  const { RecordsIngested } = await write(value('1'));
  expect(RecordsIngested?.Total).toBe(1);
  expect(await stored()).toEqual([['1.0']]);
});

test('the default version is 1', async () => {
  await write(value('1'));
  await write(value('2', { Version: 2 }));
  expect(await stored()).toEqual([['2.0']]);
  expect(await rejections(write(value('3')))).toEqual([
    expect.objectContaining({ RecordIndex: 0, ExistingVersion: 2 }),
  ]);
});

test('the same version with other values is rejected with the existing version, and changes nothing', async () => {
  await write(value('1', { Version: 7 }));
  const [rejection, ...others] = await rejections(write(value('2', { Version: 7 })));
  expect(others).toEqual([]);
  expect(rejection).toEqual({
    RecordIndex: 0,
    ExistingVersion: 7,
    Reason: expect.stringMatching(
      /record already exists with the same time, dimensions, measure name, and record version/,
    ),
  });
  expect(await stored()).toEqual([['1.0']]);
});

test('a lower version with other values is rejected with the existing version', async () => {
  await write(value('1', { Version: 200 }));
  expect(await rejections(write(value('2', { Version: 2 })))).toEqual([
    {
      RecordIndex: 0,
      ExistingVersion: 200,
      Reason: expect.stringContaining('version 2 is lower than the existing version 200'),
    },
  ]);
});

test('a lower version with the same values succeeds, and the version stays', async () => {
  await write(value('1', { Version: 5 }));
  await write(value('1', { Version: 4 }));
  expect(await rejections(write(value('2', { Version: 5 })))).toHaveLength(1);
});

test('a higher version with the same values raises the version', async () => {
  await write(value('1', { Version: 5 }));
  await write(value('1', { Version: 6 }));
  expect(await rejections(write(value('2', { Version: 6 })))).toEqual([
    expect.objectContaining({ ExistingVersion: 6 }),
  ]);
});

test('a higher version replaces the whole record', async () => {
  const measure = (Name: string) => [{ Name, Value: '1', Type: 'BIGINT' as const }];
  await write(record({ MeasureValues: measure('a') }));
  await write(record({ MeasureValues: measure('b'), Version: 2 }));
  expect(await select(timestream, `SELECT a, b FROM ${from(table)}`)).toEqual([[null, '1']]);
});

test('the other records of a call with a rejected one are stored', async () => {
  await write(value('1'));
  const late = { Time: String(NOW - 1000) };
  expect(await rejections(write(value('5', late), value('6'), value('7', { MeasureName: 'other' })))).toEqual([
    expect.objectContaining({ RecordIndex: 1 }),
  ]);
  expect(await stored()).toEqual([['1.0'], ['5.0'], ['7.0']]);
});

test.each<[string, Partial<Record_>]>([
  ['dimension value', { Dimensions: [{ Name: 'host', Value: 'server02' }] }],
  ['dimension name', { Dimensions: [{ Name: 'hose', Value: 'server01' }] }],
  [
    'further dimension',
    {
      Dimensions: [
        { Name: 'host', Value: 'server01' },
        { Name: 'a', Value: 'b' },
      ],
    },
  ],
  ['time, by a nanosecond', { Time: `${NOW}000001`, TimeUnit: 'NANOSECONDS' }],
  ['measure name', { MeasureName: 'other' }],
])('another %s is another record', async (_, change) => {
  await write(value('1'));
  await write(value('2', change));
  expect(await stored()).toEqual([['1.0'], ['2.0']]);
});

test('the order of dimensions and the time unit do not make another record', async () => {
  const dimensions = [
    { Name: 'a', Value: '1' },
    { Name: 'b', Value: '2' },
  ];
  await write(value('1', { Dimensions: dimensions }));
  const same = { Dimensions: [...dimensions].reverse(), Time: String(NOW / 1000), TimeUnit: 'SECONDS' as const };
  expect(await rejections(write(value('2', same)))).toHaveLength(1);
});

test('if two records of a call have the same identity and version, the later one is rejected', async () => {
  expect(await rejections(write(value('1'), value('2')))).toEqual([
    expect.objectContaining({ RecordIndex: 1, ExistingVersion: 1 }),
  ]);
  expect(await stored()).toEqual([['1.0']]);
});

test('a higher version later in the same call replaces the record', async () => {
  const { RecordsIngested } = await write(value('1'), value('2', { Version: 2 }), value('2', { Version: 2 }));
  expect(RecordsIngested?.Total).toBe(3);
  expect(await stored()).toEqual([['2.0']]);
});

test('a version keeps all its 64 bits', async () => {
  const call = (text: string, version: string) =>
    post(
      timestream,
      'WriteRecords',
      JSON.stringify({ DatabaseName: DATABASE, TableName: table, Records: [value(text, { Version: 1 })] }).replace(
        '"Version":1',
        `"Version": ${version}`,
      ),
    );
  expect((await call('1', '1709294400000000001')).status).toBe(200);
  expect((await call('2', '1709294400000000002')).status).toBe(200);
  expect((await call('3', '1709294400000000001')).text).toContain('"ExistingVersion":1709294400000000002');
  expect((await call('3', '9223372036854775808')).status).toBe(400);
});

test('any sequence of writes gives the same records as a model with one map', async () => {
  const steps = fc.array(
    fc.array(
      fc.record({
        host: fc.integer({ min: 0, max: 2 }),
        version: fc.integer({ min: 1, max: 3 }),
        value: fc.integer({ min: 0, max: 2 }),
      }),
      {
        minLength: 1,
        maxLength: 6,
      },
    ),
    { minLength: 1, maxLength: 5 },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (calls) => {
      table = await makeTable(timestream);
      const model = new Map<number, { version: number; value: number }>();
      for (const call of calls) {
        const expected = call.flatMap(({ host, version, value: next }, index) => {
          const old = model.get(host);
          if (old && version <= old.version && next !== old.value) return [index];
          if (!old || version > old.version) model.set(host, { version, value: next });
          return [];
        });
        const records = call.map(({ host, version, value: next }) =>
          value(String(next), { Version: version, Dimensions: [{ Name: 'host', Value: String(host) }] }),
        );
        const outcome = write(...records);
        if (expected.length === 0) await outcome;
        else expect((await rejections(outcome)).map(({ RecordIndex }) => RecordIndex)).toEqual(expected);
      }
      expect(await select(timestream, `SELECT host, value FROM ${from(table)} ORDER BY host`)).toEqual(
        [...model].sort(([a], [b]) => a - b).map(([host, { value: last }]) => [String(host), `${last}.0`]),
      );
    }),
    { numRuns: 15 },
  );
});

test('concurrent calls are carried out one after the other', async () => {
  const attempts = Array.from({ length: 20 }, (_, i) =>
    write(value(String(i))).then(
      () => 'stored',
      () => 'rejected',
    ),
  );
  const outcomes = await Promise.all(attempts);
  expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(1);
  expect(await stored()).toEqual([[`${outcomes.indexOf('stored')}.0`]]);
});
