/** The times that a table accepts, and the store that each goes to. */
import { from, type Harness, makeTable, NOW, record, rejections, select, startHarness, writeRecords } from './harness';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

let timestream: Harness;
let now = NOW;
beforeAll(async () => {
  timestream = await startHarness({ now: () => now });
});
beforeEach(() => {
  now = NOW;
});
afterAll(() => timestream.close());

const retention = (hours: number, days: number, EnableMagneticStoreWrites = false) => ({
  RetentionProperties: { MemoryStoreRetentionPeriodInHours: hours, MagneticStoreRetentionPeriodInDays: days },
  MagneticStoreWriteProperties: { EnableMagneticStoreWrites },
});
const at = (time: number) => record({ Time: String(time) });

test('the memory store accepts its retention and 15 minutes of future', async () => {
  const table = await makeTable(timestream, retention(12, 1));
  const times = [NOW - 12 * HOUR - 1, NOW - 12 * HOUR, NOW + 15 * MINUTE, NOW + 15 * MINUTE + 1];
  const rejected = await rejections(writeRecords(timestream, table, times.map(at)));
  const window = '[2024-03-01T00:00:00.000Z, 2024-03-01T12:15:00.000Z) of the memory store';
  expect(rejected).toEqual([
    { RecordIndex: 0, Reason: expect.stringContaining(window) },
    { RecordIndex: 3, Reason: expect.stringContaining(window) },
  ]);
  expect(await select(timestream, `SELECT count(*) FROM ${from(table)}`)).toEqual([['2']]);
});

test('the window is exact to the nanosecond', async () => {
  const table = await makeTable(timestream, retention(1, 1));
  const start = BigInt(NOW - HOUR) * 1_000_000n;
  const records = [start - 1n, start].map((ns) => record({ Time: `${ns}`, TimeUnit: 'NANOSECONDS' }));
  expect(await rejections(writeRecords(timestream, table, records))).toEqual([
    expect.objectContaining({ RecordIndex: 0 }),
  ]);
});

test('six hours of memory store are the default', async () => {
  const table = await makeTable(timestream);
  const records = [NOW - 6 * HOUR - 1, NOW - 6 * HOUR].map(at);
  expect(await rejections(writeRecords(timestream, table, records))).toEqual([
    expect.objectContaining({ RecordIndex: 0 }),
  ]);
});

test('magnetic store writes accept times before the memory store', async () => {
  const table = await makeTable(timestream, retention(1, 30, true));
  const { RecordsIngested } = await writeRecords(timestream, table, [NOW, NOW - HOUR - 1, NOW - 30 * DAY].map(at));
  expect(RecordsIngested).toEqual({ Total: 3, MemoryStore: 1, MagneticStore: 2 });
  expect(await rejections(writeRecords(timestream, table, [at(NOW - 30 * DAY - 1)]))).toEqual([
    { RecordIndex: 0, Reason: expect.stringMatching(/\[2024-01-31T12:00:00.000Z, .*of the data ingestion window/) },
  ]);
});

test('magnetic store writes accept no further future', async () => {
  const table = await makeTable(timestream, retention(1, 30, true));
  expect(await rejections(writeRecords(timestream, table, [at(NOW + 15 * MINUTE + 1)]))).toHaveLength(1);
});

test('the window moves with the clock', async () => {
  const table = await makeTable(timestream, retention(1, 1));
  await writeRecords(timestream, table, [at(NOW)]);
  now = NOW + HOUR + 1;
  expect(
    await rejections(writeRecords(timestream, table, [record({ Time: String(NOW), MeasureName: 'late' })])),
  ).toHaveLength(1);
});
