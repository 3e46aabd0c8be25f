/** The data after the server was closed, or ended without being closed. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeleteTableCommand,
  DescribeDatabaseCommand,
  DescribeTableCommand,
  ListTablesCommand,
} from '@aws-sdk/client-timestream-write';
import { DuckDBInstance } from '@duckdb/node-api';
import {
  DATABASE,
  from,
  type Harness,
  makeTable,
  NOW,
  record,
  rejections,
  select,
  startHarness,
  writeRecords,
} from './harness';

let folder: string;
let timestream: Harness;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'timestream-'));
  timestream = await startHarness({ dataDir: join(folder, 'data') });
});
afterEach(async () => {
  await timestream.close();
  rmSync(folder, { recursive: true });
});

/** Closes the server and starts another one on the same data. */
async function restart(): Promise<void> {
  await timestream.close();
  timestream = await startHarness({ dataDir: join(folder, 'data') });
}

/** Starts a server on a copy of the files, as if the process had been killed. */
async function crash(): Promise<void> {
  cpSync(join(folder, 'data'), join(folder, 'copy'), { recursive: true });
  await timestream.close();
  timestream = await startHarness({ dataDir: join(folder, 'copy') });
}

const value = (text: string, Version: number, Name = 'value') =>
  record({ MeasureValues: [{ Name, Value: text, Type: 'DOUBLE' }], Version });

describe.each([
  ['closed', restart],
  ['killed', crash],
])('after the server was %s', (_, again) => {
  test('records, types and versions are kept', async () => {
    const table = await makeTable(timestream);
    const many = Array.from({ length: 6 }, (_, i) => ({ Name: `m${i}`, Value: '1', Type: 'BIGINT' as const }));
    await writeRecords(timestream, table, [value('1', 5)]);
    await writeRecords(timestream, table, [value('2', 6), record({ Time: String(NOW - 1), MeasureValues: many })]);
    const all = `SELECT * FROM ${from(table)} ORDER BY time`;
    const before = await select(timestream, all);
    expect(before).toHaveLength(2);

    await again();

    expect(await select(timestream, all)).toEqual(before);
    expect(await rejections(writeRecords(timestream, table, [value('3', 6)]))).toEqual([
      expect.objectContaining({ ExistingVersion: 6 }),
    ]);
    const otherType = record({ MeasureName: 'x', MeasureValues: [{ Name: 'value', Value: '1', Type: 'BIGINT' }] });
    expect(await rejections(writeRecords(timestream, table, [otherType]))).toHaveLength(1);
    await writeRecords(timestream, table, [value('2', 6)]);
    await writeRecords(
      timestream,
      table,
      [value('4', 7), value('5', 1, 'new')].map((it, i) => ({ ...it, MeasureName: `n${i}` })),
    );
    expect(
      await select(timestream, `SELECT value, new FROM ${from(table)} WHERE measure_name LIKE 'n_' ORDER BY new`),
    ).toEqual([
      [null, '5.0'],
      ['4.0', null],
    ]);
  });

  test('databases and tables keep their properties', async () => {
    const properties = {
      RetentionProperties: { MemoryStoreRetentionPeriodInHours: 3, MagneticStoreRetentionPeriodInDays: 4 },
      MagneticStoreWriteProperties: { EnableMagneticStoreWrites: true },
      Schema: {
        CompositePartitionKey: [{ Type: 'DIMENSION' as const, Name: 'host', EnforcementInRecord: 'REQUIRED' as const }],
      },
    };
    const TableName = await makeTable(timestream, properties);
    const deleted = await makeTable(timestream);
    await timestream.write.send(new DeleteTableCommand({ DatabaseName: DATABASE, TableName: deleted }));
    const describe = async () => [
      (await timestream.write.send(new DescribeTableCommand({ DatabaseName: DATABASE, TableName }))).Table,
      (await timestream.write.send(new DescribeDatabaseCommand({ DatabaseName: DATABASE }))).Database,
    ];
    const before = await describe();
    expect(before[0]).toMatchObject(properties);

    await again();

    expect(await describe()).toEqual(before);
    const { Tables } = await timestream.write.send(new ListTablesCommand({ DatabaseName: DATABASE }));
    expect(Tables?.map((table) => table.TableName)).toEqual([TableName]);
    await makeTable(timestream, { TableName: 'later' });
    await writeRecords(timestream, 'later', [record()]);
    expect(await select(timestream, `SELECT count(*) FROM ${from(TableName)}`)).toEqual([['0']]);
  });
});

test('accepts a folder of version 0.2, which stored digests with each record', async () => {
  const table = await makeTable(timestream);
  await writeRecords(timestream, table, [value('1', 5)]);
  await timestream.close();
  const instance = await DuckDBInstance.create(join(folder, 'data', 'timestream.duckdb'));
  const connection = await instance.connect();
  const [[name] = []] = await connection
    .runAndReadAll("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'records%'")
    .then((found) => found.getRows());
  const digests = "'a' AS _id, _version, 'b' AS _values";
  await connection.run(
    `CREATE OR REPLACE TABLE _timestream.${name} AS SELECT _row, ${digests}, * EXCLUDE (_row, _version) FROM _timestream.${name}`,
  );
  connection.closeSync();
  instance.closeSync();
  timestream = await startHarness({ dataDir: join(folder, 'data') });
  const values = `SELECT value FROM ${from(table)} ORDER BY time`;
  expect(await select(timestream, values)).toEqual([['1.0']]);
  expect(await rejections(writeRecords(timestream, table, [value('2', 5)]))).toHaveLength(1);
  await writeRecords(timestream, table, [value('3', 6), { ...value('4', 1), Time: String(NOW + 1) }]);
  expect(await select(timestream, values)).toEqual([['3.0'], ['4.0']]);
  await restart();
  expect(await rejections(writeRecords(timestream, table, [value('2', 6)]))).toHaveLength(1);
});

test('refuses a folder that is in use, and accepts it after that', async () => {
  await expect(startHarness({ dataDir: join(folder, 'data') })).rejects.toThrow(/is already open/);
  await restart();
});
