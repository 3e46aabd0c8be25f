/**
 * The DuckDB database below everything: opens it, runs changes one after the other, each in a transaction, and gives queries a
 * connection that cannot write. A change that was awaited survives the end of the process: its commit is in DuckDB's log.
 */
import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type DuckDBConnection, DuckDBInstance, type DuckDBValue, type Json } from '@duckdb/node-api';

/** The schema of everything that is not meant for queries. */
export const INTERNAL = '_timestream';

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const SETTINGS = [
  'SET GLOBAL enable_external_access=false',
  'SET GLOBAL integer_division=true',
  'SET GLOBAL lock_configuration=true',
];

/** DuckDB locks a file against other processes, not against this one. */
const open = new Set<string>();

export class Store {
  private tail: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly instance: DuckDBInstance,
    private readonly writer: DuckDBConnection,
    private readonly path: string | undefined,
  ) {}

  /** Opens the database in a folder, which is made where it is missing, or in memory. */
  static async open(dataDir: string | undefined): Promise<Store> {
    const path = dataDir === undefined ? undefined : resolve(dataDir, 'timestream.duckdb');
    if (path === undefined) return await Store.connect(undefined);
    if (open.has(path)) throw new Error(`${path} is open already: one server at a time can use a folder`);
    open.add(path);
    try {
      mkdirSync(dirname(path), { recursive: true });
      return await Store.connect(path);
    } catch (error) {
      open.delete(path);
      throw error;
    }
  }

  private static async connect(path: string | undefined): Promise<Store> {
    const instance = await DuckDBInstance.create(path ?? ':memory:', {
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    });
    const writer = await instance.connect();
    for (const statement of [`CREATE SCHEMA IF NOT EXISTS ${INTERNAL}`, ...SETTINGS]) await writer.run(statement);
    return new Store(instance, writer, path);
  }

  /** Runs `work` after everything that was asked for before it: nothing else changes the database meanwhile. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.tail.then(work);
    this.tail = result.catch(() => undefined);
    return result;
  }

  /** Commits what `work` did, or nothing of it. Only inside `exclusive`. */
  async transaction(work: (connection: DuckDBConnection) => Promise<void>): Promise<void> {
    await this.writer.run('BEGIN');
    try {
      await work(this.writer);
      await this.writer.run('COMMIT');
    } catch (error) {
      await this.writer.run('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  /** Runs one statement by itself. Only inside `exclusive`, or before the server listens. */
  async run(sql: string, values: DuckDBValue[] = []): Promise<void> {
    await this.writer.run(sql, values);
  }

  /** The rows of an internal query, a chunk at a time; BIGINT comes as text. Only inside `exclusive`, or before the server listens. */
  async *rows(sql: string): AsyncGenerator<readonly Json[]> {
    for await (const rows of (await this.writer.stream(sql)).yieldRowsJson()) yield* rows;
  }

  /** The columns of an internal query, a chunk at a time; `T` is what its row holds. Only inside `exclusive`. */
  async *columns<T extends readonly DuckDBValue[]>(sql: string): AsyncGenerator<{ [K in keyof T]: readonly T[K][] }> {
    const result = await this.writer.stream(sql);
    for await (const chunk of result) yield chunk.getColumns() as unknown as { [K in keyof T]: readonly T[K][] };
  }

  /** Runs `work` on a connection of its own, in a transaction that may only read. */
  async reading<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const connection = await this.instance.connect();
    try {
      await connection.run('BEGIN TRANSACTION READ ONLY');
      return await work(connection);
    } finally {
      connection.closeSync();
    }
  }

  /** Waits for the changes that were asked for and closes the file; everything is stored then. */
  async close(): Promise<void> {
    await this.tail;
    this.writer.closeSync();
    this.instance.closeSync();
    if (this.path !== undefined) open.delete(this.path);
  }
}
