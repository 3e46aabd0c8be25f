/** The operations of the Write and Query APIs, by name, with the shapes of their responses. */
import type { Catalog } from './catalog';
import { ServiceError, validationError } from './errors';
import { resourceName } from './names';
import type { Pages } from './pages';
import { query } from './query';
import { type JsonObject, optionalInteger, optionalString, type Path, requiredString, root } from './shape';
import type { Store } from './store';
import type { Database, Table } from './table';
import { newTableProperties, updatedTableProperties } from './table-properties';
import type { Unloads } from './unload/unloads';
import type { WriteQueue } from './write-queue';
import { writeRecords } from './write-records';

export interface Service {
  readonly store: Store;
  readonly catalog: Catalog;
  readonly pages: Pages;
  readonly unloads: Unloads;
  readonly writes: WriteQueue;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Aborts when nobody waits for the response any more. */
  readonly signal: AbortSignal;
}

/** `address` is the address by which the client reached the server. */
type Operation = (service: Service, request: JsonObject, address: string) => object | Promise<object>;

const ACCOUNT = 'us-east-1:000000000000';
const DEFAULT_KEY = `arn:aws:kms:${ACCOUNT}:alias/aws/timestream`;
const KEY_LENGTH = { min: 1, max: 2048 };

const seconds = (ms: number) => ms / 1000;

const describeDatabase = (database: Database) => ({
  Arn: `arn:aws:timestream:${ACCOUNT}:database/${database.name}`,
  DatabaseName: database.name,
  TableCount: database.tables.size,
  KmsKeyId: database.kmsKeyId,
  CreationTime: seconds(database.created),
  LastUpdatedTime: seconds(database.updated),
});

const describeTable = (table: Table) => ({
  Arn: `arn:aws:timestream:${ACCOUNT}:database/${table.database.name}/table/${table.name}`,
  TableName: table.name,
  DatabaseName: table.database.name,
  TableStatus: 'ACTIVE',
  ...table.properties,
  CreationTime: seconds(table.created),
  LastUpdatedTime: seconds(table.updated),
});

const names = (request: JsonObject, at: Path = root) =>
  [resourceName(request, 'DatabaseName', at), resourceName(request, 'TableName', at)] as const;

const byCodePoint = (a: string, b: string) => (a < b ? -1 : Number(a > b));

/** One page of a list sorted by `key`. The token is the key of the last element. */
function listPage<T>(request: JsonObject, items: readonly T[], key: (item: T) => string) {
  const max = optionalInteger(request, 'MaxResults', root, { min: 1, max: 20 }) ?? 20;
  const token = optionalString(request, 'NextToken', root);
  const after = token === undefined ? '' : Buffer.from(token, 'base64url').toString();
  if (token !== undefined && Buffer.from(after).toString('base64url') !== token) {
    throw validationError('The NextToken is not valid.');
  }
  const rest = items.filter((item) => key(item) > after).sort((a, b) => byCodePoint(key(a), key(b)));
  const last = rest.length > max ? rest[max - 1] : undefined;
  return {
    page: rest.slice(0, max),
    token: last === undefined ? {} : { NextToken: Buffer.from(key(last)).toString('base64url') },
  };
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  DescribeEndpoints: (_service, _request, Address) => ({ Endpoints: [{ Address, CachePeriodInMinutes: 1440 }] }),

  CreateDatabase: async ({ catalog }, request) => {
    const name = resourceName(request, 'DatabaseName', root);
    const key = optionalString(request, 'KmsKeyId', root, KEY_LENGTH) ?? DEFAULT_KEY;
    return { Database: describeDatabase(await catalog.createDatabase(name, key)) };
  },
  DescribeDatabase: ({ catalog }, request) => ({
    Database: describeDatabase(catalog.database(resourceName(request, 'DatabaseName', root))),
  }),
  ListDatabases: ({ catalog }, request) => {
    const { page, token } = listPage(request, [...catalog.databases.values()], ({ name }) => name);
    return { Databases: page.map(describeDatabase), ...token };
  },
  UpdateDatabase: async ({ catalog }, request) => {
    const name = resourceName(request, 'DatabaseName', root);
    const key = requiredString(request, 'KmsKeyId', root, KEY_LENGTH);
    return { Database: describeDatabase(await catalog.updateDatabase(name, key)) };
  },
  DeleteDatabase: async ({ catalog }, request) => {
    await catalog.deleteDatabase(resourceName(request, 'DatabaseName', root));
    return {};
  },

  CreateTable: async ({ catalog }, request) => {
    const [database, name] = names(request);
    return { Table: describeTable(await catalog.createTable(database, name, newTableProperties(request))) };
  },
  DescribeTable: ({ catalog }, request) => ({ Table: describeTable(catalog.table(...names(request))) }),
  ListTables: ({ catalog }, request) => {
    const inAll = request.DatabaseName === undefined || request.DatabaseName === null;
    const tables = inAll
      ? catalog.allTables()
      : [...catalog.database(resourceName(request, 'DatabaseName', root)).tables.values()];
    const { page, token } = listPage(request, tables, ({ database, name }) => `${database.name}/${name}`);
    return { Tables: page.map(describeTable), ...token };
  },
  UpdateTable: async ({ catalog }, request) => {
    const change = await catalog.updateTable(...names(request), (old) => updatedTableProperties(old, request));
    return { Table: describeTable(change) };
  },
  DeleteTable: async ({ catalog }, request) => {
    await catalog.deleteTable(...names(request));
    return {};
  },

  WriteRecords: ({ writes }, request) => writeRecords(writes, request),
  Query: query,
  CancelQuery: ({ unloads }, request) => {
    const id = requiredString(request, 'QueryId', root, { min: 1, max: 64, pattern: /^[a-zA-Z0-9]+$/ });
    return { CancellationMessage: unloads.cancel(id) ? 'The query was cancelled.' : 'The query had ended already.' };
  },
};

/** Carries out one operation and returns the members of its response. @throws ServiceError */
export async function perform(service: Service, name: string, request: JsonObject, address: string): Promise<object> {
  const operation = Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined;
  if (!operation) throw new ServiceError('UnknownOperationException', `The operation '${name}' is not known.`);
  return await operation(service, request, address);
}
