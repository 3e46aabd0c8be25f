/** Keeps the databases and tables in memory and in the store, and loads them from the store at start. */
import { type Column, type ColumnKind, Columns } from './columns';
import { ServiceError } from './errors';
import { INTERNAL, quoted, type Store } from './store';
import { type Database, recordsOf, schemaOf, type Table } from './table';
import type { TableProperties } from './table-properties';
import { createViewSql, viewNameFor } from './views';

const MAX_DATABASES = 500;
const MAX_TABLES = 50_000;

const SETUP = [
  `CREATE SEQUENCE IF NOT EXISTS ${INTERNAL}.ids`,
  `CREATE TABLE IF NOT EXISTS ${INTERNAL}.databases (id INTEGER, name VARCHAR, kms_key_id VARCHAR, created DOUBLE, updated DOUBLE)`,
  `CREATE TABLE IF NOT EXISTS ${INTERNAL}.tables
     (id INTEGER, database_id INTEGER, name VARCHAR, view_name VARCHAR, properties VARCHAR, created DOUBLE, updated DOUBLE)`,
  `CREATE TABLE IF NOT EXISTS ${INTERNAL}.columns
     (table_id INTEGER, id INTEGER, kind VARCHAR, name VARCHAR, type VARCHAR)`,
];

export class Catalog {
  readonly databases = new Map<string, Database>();

  private constructor(
    private readonly store: Store,
    private readonly now: () => number,
  ) {}

  static async load(store: Store, now: () => number): Promise<Catalog> {
    for (const statement of SETUP) await store.run(statement);
    const catalog = new Catalog(store, now);
    await catalog.read();
    return catalog;
  }

  private async read(): Promise<void> {
    const columns = new Map<number, Column[]>();
    for await (const [table, id, kind, name, type] of this.store.rows(
      `SELECT table_id, id, kind, name, type FROM ${INTERNAL}.columns ORDER BY table_id, id`,
    )) {
      const list = columns.get(Number(table)) ?? [];
      list.push({ id: Number(id), kind: kind as ColumnKind, name: String(name), type: type as Column['type'] });
      columns.set(Number(table), list);
    }
    const byId = new Map<number, Database>();
    for await (const [id, name, kmsKeyId, created, updated] of this.store.rows(
      `SELECT id, name, kms_key_id, created, updated FROM ${INTERNAL}.databases`,
    )) {
      const database: Database = {
        id: Number(id),
        name: String(name),
        kmsKeyId: String(kmsKeyId),
        created: Number(created),
        updated: Number(updated),
        tables: new Map(),
      };
      byId.set(database.id, database);
      this.databases.set(database.name, database);
    }
    for await (const [id, databaseId, name, view, properties, created, updated] of this.store.rows(
      `SELECT id, database_id, name, view_name, properties, created, updated FROM ${INTERNAL}.tables`,
    )) {
      const database = byId.get(Number(databaseId));
      database?.tables.set(String(name), {
        id: Number(id),
        name: String(name),
        database,
        view: String(view),
        properties: JSON.parse(String(properties)) as TableProperties,
        created: Number(created),
        updated: Number(updated),
        columns: Columns.of(columns.get(Number(id)) ?? []),
        index: undefined,
      });
    }
  }

  private async nextId(): Promise<number> {
    let id = 0;
    for await (const [next] of this.store.rows(`SELECT nextval('${INTERNAL}.ids')`)) id = Number(next);
    return id;
  }

  /** @throws ResourceNotFoundException */
  database(name: string): Database {
    const database = this.databases.get(name);
    if (!database) throw new ServiceError('ResourceNotFoundException', `The database ${name} does not exist.`);
    return database;
  }

  /** @throws ResourceNotFoundException */
  table(databaseName: string, name: string): Table {
    const table = this.database(databaseName).tables.get(name);
    if (!table) throw new ServiceError('ResourceNotFoundException', `The table ${name} does not exist.`);
    return table;
  }

  allTables(): readonly Table[] {
    return [...this.databases.values()].flatMap((database) => [...database.tables.values()]);
  }

  createDatabase(name: string, kmsKeyId: string): Promise<Database> {
    return this.store.exclusive(async () => {
      if (this.databases.has(name)) throw new ServiceError('ConflictException', `The database ${name} already exists.`);
      if (this.databases.size >= MAX_DATABASES) {
        throw new ServiceError('ServiceQuotaExceededException', `The account has ${MAX_DATABASES} databases already.`);
      }
      const time = this.now();
      const id = await this.nextId();
      const database: Database = { id, name, kmsKeyId, created: time, updated: time, tables: new Map() };
      await this.store.transaction(async (connection) => {
        await connection.run(`CREATE SCHEMA ${schemaOf(database)}`);
        await connection.run(`INSERT INTO ${INTERNAL}.databases VALUES ($1, $2, $3, $4, $5)`, [
          id,
          name,
          kmsKeyId,
          time,
          time,
        ]);
      });
      this.databases.set(name, database);
      return database;
    });
  }

  updateDatabase(name: string, kmsKeyId: string): Promise<Database> {
    return this.store.exclusive(async () => {
      const database = this.database(name);
      if (database.kmsKeyId === kmsKeyId) return database;
      const time = this.now();
      await this.store.run(`UPDATE ${INTERNAL}.databases SET kms_key_id = $1, updated = $2 WHERE id = $3`, [
        kmsKeyId,
        time,
        database.id,
      ]);
      return Object.assign(database, { kmsKeyId, updated: time });
    });
  }

  deleteDatabase(name: string): Promise<void> {
    return this.store.exclusive(async () => {
      const database = this.database(name);
      if (database.tables.size > 0) {
        throw new ServiceError(
          'ValidationException',
          `The database ${name} cannot be deleted: its tables must be deleted first.`,
        );
      }
      await this.store.transaction(async (connection) => {
        await connection.run(`DROP SCHEMA ${schemaOf(database)}`);
        await connection.run(`DELETE FROM ${INTERNAL}.databases WHERE id = $1`, [database.id]);
      });
      this.databases.delete(name);
    });
  }

  createTable(databaseName: string, name: string, properties: TableProperties): Promise<Table> {
    return this.store.exclusive(async () => {
      const database = this.database(databaseName);
      if (database.tables.has(name)) throw new ServiceError('ConflictException', `The table ${name} already exists.`);
      if (this.allTables().length >= MAX_TABLES) {
        throw new ServiceError('ServiceQuotaExceededException', `The account has ${MAX_TABLES} tables already.`);
      }
      const time = this.now();
      const table: Table = {
        id: await this.nextId(),
        name,
        database,
        view: viewNameFor(name, [...database.tables.values()]),
        properties,
        created: time,
        updated: time,
        columns: Columns.of([]),
        index: undefined,
      };
      await this.store.transaction(async (connection) => {
        await connection.run(
          `CREATE TABLE ${INTERNAL}.${recordsOf(table)}
             (_row BIGINT, _version BIGINT, measure_name VARCHAR, time BIGINT)`,
        );
        await connection.run(createViewSql(table, table.columns));
        await connection.run(`INSERT INTO ${INTERNAL}.tables VALUES ($1, $2, $3, $4, $5, $6, $7)`, [
          table.id,
          database.id,
          name,
          table.view,
          JSON.stringify(properties),
          time,
          time,
        ]);
      });
      database.tables.set(name, table);
      return table;
    });
  }

  /** `change` receives the old properties and returns the new ones. */
  updateTable(databaseName: string, name: string, change: (old: TableProperties) => TableProperties): Promise<Table> {
    return this.store.exclusive(async () => {
      const table = this.table(databaseName, name);
      const properties = change(table.properties);
      const time = this.now();
      await this.store.run(`UPDATE ${INTERNAL}.tables SET properties = $1, updated = $2 WHERE id = $3`, [
        JSON.stringify(properties),
        time,
        table.id,
      ]);
      return Object.assign(table, { properties, updated: time });
    });
  }

  deleteTable(databaseName: string, name: string): Promise<void> {
    return this.store.exclusive(async () => {
      const table = this.table(databaseName, name);
      await this.store.transaction(async (connection) => {
        await connection.run(`DROP VIEW ${schemaOf(table.database)}.${quoted(table.view)}`);
        await connection.run(`DROP TABLE ${INTERNAL}.${recordsOf(table)}`);
        for (const [list, key] of [
          ['tables', 'id'],
          ['columns', 'table_id'],
        ]) {
          await connection.run(`DELETE FROM ${INTERNAL}.${list} WHERE ${key} = $1`, [table.id]);
        }
      });
      table.database.tables.delete(name);
    });
  }
}
