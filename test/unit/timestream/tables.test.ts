/** Creating missing databases and tables: once, with one create call per second, also if another process does the same. */
import type { CreateDatabaseRequest, CreateTableRequest } from '@aws-sdk/client-timestream-write';
import type { TableAdministration } from 'shared/timestream/service';
import { TableCreationError, TableCreator, type TableSettings } from 'shared/timestream/tables';
import { serviceError, TABLES } from '../../support/connector-tables';
import { VirtualClock } from '../../support/virtual-clock';

const NEVER = new AbortController().signal;

/** The control plane: records its create calls with their time, and fails as `fault` says. */
class Administration implements TableAdministration {
  readonly calls: { at: number; name: string; request: CreateDatabaseRequest | CreateTableRequest }[] = [];
  databaseIsThere = false;
  described = 0;
  /** Called before each create call is carried out. */
  fault: (name: string, call: number) => Error | undefined = () => undefined;

  constructor(readonly clock: VirtualClock) {}

  databaseExists(): Promise<boolean> {
    this.described++;
    return Promise.resolve(this.databaseIsThere);
  }

  async createDatabase(request: CreateDatabaseRequest, signal: AbortSignal): Promise<void> {
    await this.call(String(request.DatabaseName), request, signal);
    this.databaseIsThere = true;
  }

  async createTable(request: CreateTableRequest, signal: AbortSignal): Promise<void> {
    await this.call(String(request.TableName), request, signal);
  }

  private async call(
    name: string,
    request: CreateDatabaseRequest | CreateTableRequest,
    signal: AbortSignal,
  ): Promise<void> {
    this.calls.push({ at: this.clock.now(), name, request });
    const fault = this.fault(name, this.calls.length);
    await this.clock.delay(50, signal);
    signal.throwIfAborted();
    if (fault !== undefined) throw fault;
  }

  get names(): string[] {
    return this.calls.map(({ name }) => name);
  }
}

function start(settings: Partial<TableSettings> = {}) {
  const clock = new VirtualClock();
  const administration = new Administration(clock);
  return { clock, administration, tables: new TableCreator({ ...TABLES, ...settings }, administration, clock) };
}

test('creates the database first and each table once, with one create call per second', async () => {
  const { tables, administration } = start();
  await Promise.all(['a', 'b', 'c', 'a', 'b'].map((table) => tables.create(table, NEVER)));
  expect(administration.names).toEqual([TABLES.database, 'a', 'b', 'c']);
  expect(administration.described).toBe(1);
  const times = administration.calls.map(({ at }) => at);
  expect(times.slice(1).map((at, index) => at - (times[index] ?? 0) >= 1_000)).toEqual([true, true, true]);
  await tables.create('d', NEVER);
  expect(administration.described).toBe(1);
});

test('does not create a database that exists', async () => {
  const { tables, administration } = start();
  administration.databaseIsThere = true;
  await tables.create('a', NEVER);
  expect(administration.names).toEqual(['a']);
});

test('creates database and table with the settings', async () => {
  const { tables, administration } = start({
    magneticStoreWrites: false,
    memoryStoreHours: 6,
    magneticStoreDays: 30,
    kmsKeyId: 'arn:aws:kms:us-east-1:123456789012:key/1',
    tags: [{ Key: 'team', Value: 'iot' }],
    partitionKey: { type: 'dimension', dimension: 'host', enforced: true },
  });
  await tables.create('a', NEVER);
  const Tags = [{ Key: 'team', Value: 'iot' }];
  expect(administration.calls.map(({ request }) => request)).toEqual([
    { DatabaseName: TABLES.database, KmsKeyId: 'arn:aws:kms:us-east-1:123456789012:key/1', Tags },
    {
      DatabaseName: TABLES.database,
      TableName: 'a',
      RetentionProperties: { MemoryStoreRetentionPeriodInHours: 6, MagneticStoreRetentionPeriodInDays: 30 },
      MagneticStoreWriteProperties: { EnableMagneticStoreWrites: false },
      Schema: { CompositePartitionKey: [{ Type: 'DIMENSION', Name: 'host', EnforcementInRecord: 'REQUIRED' }] },
      Tags,
    },
  ]);
});

test.each([
  [undefined, undefined],
  [{ type: 'measure' } as const, [{ Type: 'MEASURE' }]],
  [
    { type: 'dimension', dimension: 'host', enforced: false } as const,
    [{ Type: 'DIMENSION', Name: 'host', EnforcementInRecord: 'OPTIONAL' }],
  ],
])('creates a table with the partition key %j', async (partitionKey, key) => {
  const { tables, administration } = start({ partitionKey });
  await tables.create('a', NEVER);
  const request = administration.calls[1]?.request as CreateTableRequest | undefined;
  expect(request?.Schema?.CompositePartitionKey).toEqual(key);
});

test('succeeds if another process created it first', async () => {
  const { tables, administration } = start();
  administration.fault = () => serviceError('ConflictException');
  await tables.create('a', NEVER);
  expect(administration.names).toEqual([TABLES.database, 'a']);
});

test('retries a throttled create call', async () => {
  const { tables, administration } = start();
  administration.fault = (_, call) => (call <= 3 ? serviceError('ThrottlingException') : undefined);
  await tables.create('a', NEVER);
  expect(administration.names).toEqual([...Array.from({ length: 4 }, () => TABLES.database), 'a']);
});

test('reports a name or setting that the service refuses as invalid', async () => {
  const { tables, administration } = start();
  administration.databaseIsThere = true;
  administration.fault = () => serviceError('ValidationException', 'no such key');
  const error = await tables.create('a', NEVER).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(TableCreationError);
  expect(error).toMatchObject({ invalid: true, message: "table 'a': no such key" });
});

test.each(['AccessDeniedException', 'InternalServerException', 'ServiceQuotaExceededException'])(
  '%s fails the request, and the next request tries again',
  async (name) => {
    const { tables, administration } = start();
    administration.fault = (_, call) => (call === 1 ? serviceError(name) : undefined);
    await expect(tables.create('a', NEVER)).rejects.toMatchObject({ name });
    await tables.create('a', NEVER);
    expect(administration.names).toEqual([TABLES.database, TABLES.database, 'a']);
  },
);

test('creates a database again after it was deleted', async () => {
  const { tables, administration } = start();
  await tables.create('a', NEVER);
  administration.databaseIsThere = false;
  administration.fault = (_, call) => (call === 3 ? serviceError('ResourceNotFoundException') : undefined);
  await expect(tables.create('b', NEVER)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  await tables.create('b', NEVER);
  expect(administration.names).toEqual([TABLES.database, 'a', 'b', TABLES.database, 'b']);
});

test('the deadline of one request does not fail another that waits for the same table', async () => {
  const { tables, administration, clock } = start();
  const deadline = new AbortController();
  const first = tables.create('a', deadline.signal);
  const second = tables.create('a', NEVER);
  const failed = expect(first).rejects.toMatchObject({ name: 'AbortError' });
  await clock.delay(20);
  deadline.abort();
  await failed;
  await second;
  expect(administration.names.at(-1)).toBe('a');
  expect(administration.databaseIsThere).toBe(true);
});

test('a request that ends early leaves the creation to the requests that still wait, and later ones join it', async () => {
  const { tables, administration, clock } = start();
  administration.databaseIsThere = true;
  const deadline = new AbortController();
  const first = expect(tables.create('a', deadline.signal)).rejects.toMatchObject({ name: 'AbortError' });
  const second = tables.create('a', NEVER);
  await clock.delay(20);
  deadline.abort();
  await first;
  await Promise.all([second, tables.create('a', NEVER)]);
  expect(administration.names).toEqual(['a']);
});

test('an aborted creation is not joined: the next request starts a new one', async () => {
  const { tables, administration, clock } = start();
  administration.databaseIsThere = true;
  const deadline = new AbortController();
  const first = expect(tables.create('a', deadline.signal)).rejects.toMatchObject({ name: 'AbortError' });
  await clock.delay(20);
  deadline.abort();
  await first;
  await tables.create('a', NEVER);
  expect(administration.names).toEqual(['a', 'a']);
});

test.each([
  [{ createTables: false }, "table 'a' does not exist, and EnableTableCreation is false"],
  [{ createDatabase: false }, `database '${TABLES.database}' does not exist, and EnableDatabaseCreation is false`],
])('names the parameter that forbids the creation: %j', async (settings, message) => {
  const { tables, administration } = start(settings);
  await expect(tables.create('a', NEVER)).rejects.toMatchObject({ name: 'TableCreationError', invalid: true, message });
  expect(administration.names).toEqual([]);
});
