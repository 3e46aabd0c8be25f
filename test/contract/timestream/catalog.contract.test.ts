/** Databases and tables: create, describe, update, list and delete. */
import {
  CreateDatabaseCommand,
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteDatabaseCommand,
  DeleteTableCommand,
  DescribeDatabaseCommand,
  DescribeEndpointsCommand,
  DescribeTableCommand,
  ListDatabasesCommand,
  ListTablesCommand,
  paginateListTables,
  UpdateDatabaseCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-timestream-write';
import {
  from,
  type Harness,
  makeTable,
  NOW,
  record,
  rejections,
  select,
  startHarness,
  validationMessage,
  writeRecords,
} from './harness';

const DatabaseName = 'metrics';
let timestream: Harness;
let now = NOW;
beforeEach(async () => {
  now = NOW;
  timestream = await startHarness({ now: () => now });
  await timestream.write.send(new CreateDatabaseCommand({ DatabaseName }));
});
afterEach(() => timestream.close());

const createTable = (input: Partial<CreateTableCommandInput> = {}) =>
  timestream.write.send(new CreateTableCommand({ DatabaseName, TableName: 'cpu', ...input }));
const describeTable = async () =>
  (await timestream.write.send(new DescribeTableCommand({ DatabaseName, TableName: 'cpu' }))).Table;
const notFound = { name: 'ResourceNotFoundException', $metadata: { httpStatusCode: 404 } };
const conflict = { name: 'ConflictException', $metadata: { httpStatusCode: 409 } };

describe('a database', () => {
  test('is described, with a key and its number of tables', async () => {
    await createTable();
    const { Database } = await timestream.write.send(new DescribeDatabaseCommand({ DatabaseName }));
    expect(Database).toEqual({
      Arn: expect.stringMatching(/^arn:aws:timestream:.*:database\/metrics$/),
      DatabaseName,
      TableCount: 1,
      KmsKeyId: expect.stringMatching(/^arn:aws:kms:/),
      CreationTime: new Date(NOW),
      LastUpdatedTime: new Date(NOW),
    });
  });

  test('keeps its key, and accepts another one', async () => {
    const name = 'encrypted';
    await timestream.write.send(new CreateDatabaseCommand({ DatabaseName: name, KmsKeyId: 'alias/one' }));
    const read = async () =>
      (await timestream.write.send(new DescribeDatabaseCommand({ DatabaseName: name }))).Database;
    expect((await read())?.KmsKeyId).toBe('alias/one');
    now += 1000;
    await timestream.write.send(new UpdateDatabaseCommand({ DatabaseName: name, KmsKeyId: 'alias/two' }));
    expect(await read()).toMatchObject({
      KmsKeyId: 'alias/two',
      CreationTime: new Date(NOW),
      LastUpdatedTime: new Date(NOW + 1000),
    });
  });

  test('cannot be created twice', async () => {
    await expect(timestream.write.send(new CreateDatabaseCommand({ DatabaseName }))).rejects.toMatchObject(conflict);
  });

  test('can be deleted only without tables', async () => {
    await createTable();
    const remove = () => timestream.write.send(new DeleteDatabaseCommand({ DatabaseName }));
    expect(await validationMessage(remove())).toMatch(/tables must be deleted first/);
    await timestream.write.send(new DeleteTableCommand({ DatabaseName, TableName: 'cpu' }));
    await remove();
    await expect(timestream.write.send(new DescribeDatabaseCommand({ DatabaseName }))).rejects.toMatchObject(notFound);
    await expect(remove()).rejects.toMatchObject(notFound);
  });

  test.each(['', 'a b', 'a/b', 'ä', 'x'.repeat(257)])('cannot be named %j', async (name) => {
    const create = timestream.write.send(new CreateDatabaseCommand({ DatabaseName: name }));
    expect(await validationMessage(create)).toMatch(/'databaseName' failed to satisfy constraint/);
  });

  test('may have every allowed character in its name', async () => {
    const name = `aZ09_.-${'x'.repeat(249)}`;
    await timestream.write.send(new CreateDatabaseCommand({ DatabaseName: name }));
    expect((await timestream.write.send(new ListDatabasesCommand({}))).Databases).toHaveLength(2);
  });
});

describe('a table', () => {
  test('has the defaults of the service', async () => {
    await createTable();
    expect(await describeTable()).toEqual({
      Arn: expect.stringMatching(/:database\/metrics\/table\/cpu$/),
      DatabaseName,
      TableName: 'cpu',
      TableStatus: 'ACTIVE',
      RetentionProperties: { MemoryStoreRetentionPeriodInHours: 6, MagneticStoreRetentionPeriodInDays: 73_000 },
      MagneticStoreWriteProperties: { EnableMagneticStoreWrites: false },
      Schema: { CompositePartitionKey: [{ Type: 'MEASURE' }] },
      CreationTime: new Date(NOW),
      LastUpdatedTime: new Date(NOW),
    });
  });

  const given = {
    RetentionProperties: { MemoryStoreRetentionPeriodInHours: 12, MagneticStoreRetentionPeriodInDays: 8000 },
    MagneticStoreWriteProperties: { EnableMagneticStoreWrites: true },
    Schema: {
      CompositePartitionKey: [{ Type: 'DIMENSION' as const, Name: 'host', EnforcementInRecord: 'REQUIRED' as const }],
    },
  };

  test('keeps its properties', async () => {
    await createTable(given);
    expect(await describeTable()).toMatchObject(given);
  });

  test('accepts new properties one by one', async () => {
    await createTable(given);
    now += 1000;
    const MagneticStoreWriteProperties = { EnableMagneticStoreWrites: false };
    await timestream.write.send(
      new UpdateTableCommand({ DatabaseName, TableName: 'cpu', MagneticStoreWriteProperties }),
    );
    expect(await describeTable()).toMatchObject({
      ...given,
      MagneticStoreWriteProperties,
      LastUpdatedTime: new Date(NOW + 1000),
    });
  });

  test('can change the enforcement of its partition key, but not the key', async () => {
    await createTable(given);
    const update = (Name: string) =>
      timestream.write.send(
        new UpdateTableCommand({
          DatabaseName,
          TableName: 'cpu',
          Schema: { CompositePartitionKey: [{ Type: 'DIMENSION', Name, EnforcementInRecord: 'OPTIONAL' }] },
        }),
      );
    await update('host');
    expect((await describeTable())?.Schema?.CompositePartitionKey?.[0]?.EnforcementInRecord).toBe('OPTIONAL');
    expect(await validationMessage(update('region'))).toMatch(/cannot be changed/);
  });

  test.each<[string, RegExp, Partial<CreateTableCommandInput>]>([
    ['0 hours', /memoryStoreRetentionPeriodInHours.*greater than or equal to 1/, retention(0, 1)],
    ['8767 hours', /memoryStoreRetentionPeriodInHours.*less than or equal to 8766/, retention(8767, 1)],
    ['0 days', /magneticStoreRetentionPeriodInDays.*greater than or equal to 1/, retention(1, 0)],
    ['73001 days', /magneticStoreRetentionPeriodInDays.*less than or equal to 73000/, retention(1, 73_001)],
    ['an empty partition key', /greater than or equal to 1/, { Schema: { CompositePartitionKey: [] } }],
    [
      'two partition keys',
      /only one/,
      { Schema: { CompositePartitionKey: [{ Type: 'MEASURE' }, { Type: 'MEASURE' }] } },
    ],
    ['a dimension key without name', /requires a Name/, { Schema: { CompositePartitionKey: [{ Type: 'DIMENSION' }] } }],
    [
      'a dimension key without enforcement',
      /requires EnforcementInRecord/,
      { Schema: { CompositePartitionKey: [{ Type: 'DIMENSION', Name: 'host' }] } },
    ],
    [
      'a measure key with a name',
      /not allowed/,
      { Schema: { CompositePartitionKey: [{ Type: 'MEASURE', Name: 'host' }] } },
    ],
    ['a name with a space', /'tableName' failed to satisfy constraint/, { TableName: 'a b' }],
    ['no name', /'tableName' failed to satisfy constraint: Member must not be null/, { TableName: undefined }],
  ])('is refused with %s', async (_, message, input) => {
    expect(await validationMessage(createTable(input))).toMatch(message);
  });

  test('cannot be created twice, or in a missing database', async () => {
    await createTable();
    await expect(createTable()).rejects.toMatchObject(conflict);
    await expect(createTable({ DatabaseName: 'missing' })).rejects.toMatchObject(notFound);
  });

  test('is empty after it was deleted and created again', async () => {
    const table = await makeTable(timestream, { TableName: 'again' });
    const other = () => record({ MeasureValues: [{ Name: 'value', Value: '7', Type: 'BIGINT' }] });
    await writeRecords(timestream, table, [record()]);
    expect(await rejections(writeRecords(timestream, table, [other()]))).toHaveLength(1);
    await timestream.write.send(new DeleteTableCommand({ DatabaseName: 'influxdb-line-protocol', TableName: table }));
    await expect(writeRecords(timestream, table, [record()])).rejects.toMatchObject(notFound);
    await makeTable(timestream, { TableName: 'again' });
    await writeRecords(timestream, table, [other()]);
    expect(await select(timestream, `SELECT value FROM ${from(table)}`)).toEqual([['7']]);
  });
});

test('one of many concurrent creations succeeds', async () => {
  const attempts = Array.from({ length: 10 }, () =>
    createTable().then(
      () => 'created',
      (error: Error) => error.name,
    ),
  );
  const outcomes = await Promise.all(attempts);
  expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
  expect(outcomes.filter((outcome) => outcome === 'ConflictException')).toHaveLength(9);
});

describe('listings', () => {
  test('are paged, sorted and complete', async () => {
    const names = Array.from({ length: 45 }, (_, i) => `t${String(i).padStart(2, '0')}`);
    await Promise.all([...names].reverse().map((TableName) => createTable({ TableName })));
    const pages: string[][] = [];
    for await (const { Tables } of paginateListTables({ client: timestream.write, pageSize: 20 }, { DatabaseName })) {
      pages.push((Tables ?? []).map(({ TableName = '' }) => TableName));
    }
    expect(pages.map(({ length }) => length)).toEqual([20, 20, 5]);
    expect(pages.flat()).toEqual(names);
  });

  test('contain the tables of one database, or of all', async () => {
    await createTable();
    await makeTable(timestream, { TableName: 'elsewhere' });
    const list = async (input: { DatabaseName?: string }) =>
      ((await timestream.write.send(new ListTablesCommand(input))).Tables ?? []).map(({ TableName }) => TableName);
    expect(await list({ DatabaseName })).toEqual(['cpu']);
    expect(await list({})).toEqual(['elsewhere', 'cpu']);
    await expect(list({ DatabaseName: 'missing' })).rejects.toMatchObject(notFound);
  });

  test('of databases have no token on the last page', async () => {
    await timestream.write.send(new CreateDatabaseCommand({ DatabaseName: 'a' }));
    const first = await timestream.write.send(new ListDatabasesCommand({ MaxResults: 1 }));
    expect(first.Databases?.map(({ DatabaseName: name }) => name)).toEqual(['a']);
    const second = await timestream.write.send(new ListDatabasesCommand({ MaxResults: 1, NextToken: first.NextToken }));
    expect(second.Databases?.map(({ DatabaseName: name }) => name)).toEqual([DatabaseName]);
    expect(second.NextToken).toBeUndefined();
  });

  test('have 1 to 20 items per page', async () => {
    for (const MaxResults of [0, 21]) {
      expect(await validationMessage(timestream.write.send(new ListTablesCommand({ MaxResults })))).toMatch(
        /maxResults/,
      );
    }
  });
});

test('DescribeEndpoints returns the server itself', async () => {
  const { Endpoints } = await timestream.write.send(new DescribeEndpointsCommand({}));
  expect(Endpoints).toEqual([{ Address: `127.0.0.1:${timestream.server.port}`, CachePeriodInMinutes: 1440 }]);
});

function retention(hours: number, days: number) {
  return {
    RetentionProperties: { MemoryStoreRetentionPeriodInHours: hours, MagneticStoreRetentionPeriodInDays: days },
  };
}
