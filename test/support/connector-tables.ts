/** What the tests of creating tables share. */
import type { TableSettings } from 'shared/timestream/tables';
import { DATABASE } from './connector-mapping';

/** The settings of a connector without any configuration. */
export const TABLES: TableSettings = {
  database: DATABASE,
  createDatabase: true,
  createTables: true,
  magneticStoreWrites: true,
  memoryStoreHours: 12,
  magneticStoreDays: 8_000,
  partitionKey: undefined,
  kmsKeyId: undefined,
  tags: [],
};

/** An error as the SDK throws it. */
export const serviceError = (name: string, message = name): Error => Object.assign(new Error(message), { name });
