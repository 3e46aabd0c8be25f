/**
 * The DuckDB database of the embedded Timestream. Changes run one after the other, each in a transaction; queries get a read-only
 * connection. A change that was awaited survives the end of the process, because its commit is in DuckDB's log.
 */
import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type DuckDBConnection, DuckDBInstance, type DuckDBValue, type Json } from '@duckdb/node-api';
import { folderProblem, makeFolder, unusableFolder } from '../folder';
import { GONE, StorageFault, storageProblem } from './storage-fault';

/** The schema of internal tables, which queries cannot see. */
export const INTERNAL = '_timestream';

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const SETTINGS = [
  'SET GLOBAL enable_external_access=false',
  'SET GLOBAL integer_division=true',
  'SET GLOBAL lock_configuration=true',
];

/** Each row has 8 bytes that do not compress. If 4 MiB can be written, the disk has room for a request again. */
const PROBE_ROWS = 524_288;

/** Paths that this process has open: DuckDB locks a file only against other processes. */
const open = new Set<string>();

export class Store {
  private tail: Promise<unknown> = Promise.resolve();
  /** The reason why the last change could not be written to the disk; undefined after a successful change. */
  private faulty: StorageFault | undefined;
  /** Stays true, because a change in the meantime may be lost even if the file comes back. */
  private isGone = false;

  private constructor(
    private readonly instance: DuckDBInstance,
    private readonly writer: DuckDBConnection,
    private readonly path: string | undefined,
    /** Identifies the open file; undefined in memory. */
    private readonly inode: bigint | undefined,
  ) {}

  /** Opens the database in memory or in a folder, which is created if it is missing. */
  static async open(dataDir: string | undefined): Promise<Store> {
    const path = dataDir === undefined ? undefined : resolve(dataDir, 'timestream.duckdb');
    if (path === undefined) return await Store.connect(undefined);
    if (open.has(path)) throw new Error(`${path} is already open: only one server at a time can use a folder`);
    open.add(path);
    try {
      makeFolder(dirname(path));
      return await Store.connect(path);
    } catch (error) {
      open.delete(path);
      throw unusable(path, error);
    }
  }

  private static async connect(path: string | undefined): Promise<Store> {
    const instance = await DuckDBInstance.create(path ?? ':memory:', {
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    });
    const writer = await instance.connect();
    for (const statement of [`CREATE SCHEMA IF NOT EXISTS ${INTERNAL}`, ...SETTINGS]) await writer.run(statement);
    return new Store(instance, writer, path, path === undefined ? undefined : inodeOf(path));
  }

  /** Runs `work` after all earlier requests; nothing else changes the database in the meantime. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const checked = async (): Promise<T> => {
      this.assertPresent();
      const result = await work();
      this.assertPresent();
      return result;
    };
    const result = this.tail.then(checked).catch((error: unknown) => {
      throw this.noted(error);
    });
    this.tail = result.catch(() => undefined);
    return result;
  }

  /** Commits all changes of `work`, or none. Call it only inside `exclusive`. */
  async transaction(work: (connection: DuckDBConnection) => Promise<void>): Promise<void> {
    await this.writer.run('BEGIN');
    try {
      await work(this.writer);
      await this.writer.run('COMMIT');
    } catch (error) {
      await this.writer.run('ROLLBACK').catch(() => undefined);
      throw error;
    }
    if (this.faulty !== undefined) console.error(`embedded Timestream: points can be stored in ${this.path} again`);
    this.faulty = undefined;
  }

  /** Runs one statement in its own transaction. Call it only inside `exclusive`, or before the server listens. */
  async run(sql: string, values: DuckDBValue[] = []): Promise<void> {
    await this.writer.run(sql, values);
  }

  /** The reason why the disk cannot be written to at the moment; undefined if it can. */
  get fault(): string | undefined {
    return this.faulty?.message;
  }

  /** Checks that the file exists. If the last change could not be written, tries to write again. @throws StorageFault if that fails */
  async assertWritable(): Promise<void> {
    if (this.faulty === undefined && this.isPresent()) return;
    await this.exclusive(async () => {
      // Two transactions, because DuckDB never writes a table that is created and dropped in one.
      await this.transaction(async (connection) => {
        await connection.run(
          `CREATE OR REPLACE TABLE ${INTERNAL}.probe AS SELECT random() AS number FROM range(${PROBE_ROWS})`,
        );
      });
      await this.run(`DROP TABLE ${INTERNAL}.probe`);
    });
  }

  /** DuckDB does not notice that its file was deleted: it commits to a file that nobody can open again. */
  private isPresent(): boolean {
    this.isGone ||= this.path !== undefined && inodeOf(this.path) !== this.inode;
    return !this.isGone;
  }

  private assertPresent(): void {
    if (!this.isPresent()) throw new Error(GONE);
  }

  /** The error of a change; a StorageFault if the disk is the reason. The log reports when this starts and when it ends. */
  private noted(error: unknown): unknown {
    const problem = this.path === undefined ? undefined : storageProblem(error);
    if (problem === undefined) return error;
    const fault = new StorageFault(`nothing can be stored in ${this.path}: ${problem}`, { cause: error });
    if (this.faulty === undefined) console.error(`embedded Timestream: ${fault.message}`);
    this.faulty = fault;
    return fault;
  }

  /** The rows of an internal query, read in chunks; BIGINT becomes a string. Call it only inside `exclusive`, or before the server listens. */
  async *rows(sql: string): AsyncGenerator<readonly Json[]> {
    for await (const rows of (await this.writer.stream(sql)).yieldRowsJson()) yield* rows;
  }

  /** The columns of an internal query, chunk by chunk; `T` is the type of their values. Call it only inside `exclusive`. */
  async *columns<T extends readonly DuckDBValue[]>(sql: string): AsyncGenerator<{ [K in keyof T]: readonly T[K][] }> {
    const result = await this.writer.stream(sql);
    for await (const chunk of result) yield chunk.getColumns() as unknown as { [K in keyof T]: readonly T[K][] };
  }

  /** Runs `work` on its own connection, in a read-only transaction. The signal ends its statement with an error. */
  async reading<T>(work: (connection: DuckDBConnection) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const connection = await this.instance.connect();
    const interrupt = (): void => connection.interrupt();
    signal?.addEventListener('abort', interrupt, { once: true });
    try {
      await connection.run('BEGIN TRANSACTION READ ONLY');
      return await work(connection);
    } finally {
      signal?.removeEventListener('abort', interrupt);
      connection.closeSync();
    }
  }

  /** Waits for all requested changes, then closes the file. Everything is stored then. */
  async close(): Promise<void> {
    await this.tail;
    this.writer.closeSync();
    this.instance.closeSync();
    if (this.path !== undefined) open.delete(this.path);
  }
}

/** Undefined if there is no file. */
const inodeOf = (path: string): bigint | undefined => statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;

/** Turns an error of the file system or DuckDB into one that names the folder, the reason and what to do. */
function unusable(path: string, error: unknown): unknown {
  const reason = folderProblem(error) ?? storageProblem(error);
  const advice = 'choose another folder with --data-dir, or keep the data in memory with --memory';
  return reason === undefined ? error : unusableFolder('the data folder', dirname(path), reason, advice, error);
}
