/** Helpers for tests of table creation. */
import type { TableSettings } from 'shared/timestream/tables';
import { DATABASE } from './connector-mapping';

/** The default settings of a connector. */
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

/** An error in the form of the SDK's errors. */
export const serviceError = (name: string, message = name): Error => Object.assign(new Error(message), { name });
