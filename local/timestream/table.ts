/** The types of databases and tables, and their names in the store. */
import type { Columns } from './columns';
import type { RowIndex } from './row-index';
import type { TableProperties } from './table-properties';

export interface Table {
  readonly id: number;
  readonly name: string;
  readonly database: Database;
  /** The name of its view in the database's schema. */
  readonly view: string;
  readonly created: number;
  properties: TableProperties;
  updated: number;
  columns: Columns;
  /** Undefined until the first write loads it. */
  index: RowIndex | undefined;
}

export interface Database {
  readonly id: number;
  readonly name: string;
  readonly created: number;
  readonly tables: Map<string, Table>;
  kmsKeyId: string;
  updated: number;
}

/** The schema in which queries find the database's tables. */
export const schemaOf = (database: Database) => `d${database.id}`;

/** The internal table with the records of a table. */
export const recordsOf = (table: Table) => `records_${table.id}`;
