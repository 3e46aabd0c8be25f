/** Lists databases and tables with their sizes, and shows the columns and newest rows of a table. */
import { ApiError } from '../../functions/write-line-protocol/api-error';
import type { TableSize } from '../timestream/table-sizes';
import type { Cell, SqlRunner } from './sql';

export interface DataOptions {
  readonly sql: SqlRunner;
  /**
   * The tables of the embedded Timestream with their sizes. Undefined for Amazon Timestream, where counting reads whole tables, at a
   * price.
   */
  readonly tableSizes: (() => Promise<TableSize[]>) | undefined;
  /** Whether points are stored in Timestream; if not, there are no tables. */
  readonly hasTimestream: boolean;
}

/** Maximum number of tables that are listed. */
const MAX_TABLES = 5_000;
/** The list is read again after this time, or this multiple of the time that it took. */
const FRESH_MS = { embedded: 900, remote: 60_000 };
const FRESH_TIMES = 20;
const NEWEST = 50;
/** How far back Amazon Timestream looks for the newest rows, because it bills the data that a query reads. */
const REMOTE_RANGE = '1d';

const ROLES: Readonly<Record<string, string>> = {
  DIMENSION: 'dimension',
  MEASURE_NAME: 'measure name',
  TIMESTAMP: 'time',
};

export class DataReader {
  private sizes: readonly TableSize[] = [];
  private freshUntil = Number.NEGATIVE_INFINITY;
  private reading: Promise<void> | undefined;

  constructor(private readonly options: DataOptions) {}

  /** The tables of all databases, sorted. They are read again only now and then. @throws ApiError */
  async tables(): Promise<readonly TableSize[]> {
    if (!this.options.hasTimestream) return [];
    if (this.reading === undefined && performance.now() >= this.freshUntil) {
      this.reading = this.read().finally(() => {
        this.reading = undefined;
      });
    }
    await this.reading;
    return this.sizes;
  }

  async databases() {
    if (!this.options.hasTimestream) return { databases: [] };
    const byName = new Map<string, { table: string; records: number | null }[]>();
    for (const [database] of (await this.select('SHOW DATABASES')).rows) byName.set(database ?? '', []);
    for (const { database, table, records } of await this.tables()) byName.get(database)?.push({ table, records });
    return { databases: [...byName].map(([database, tables]) => ({ database, tables })) };
  }

  /**
   * The columns of a table with their roles and types, and its newest rows. In Amazon Timestream only those of the last day.
   * @throws ApiError 400 if the table does not exist
   */
  async table(database: string, table: string, signal: AbortSignal) {
    const name = `${quoted(database)}.${quoted(table)}`;
    const described = await this.select(`DESCRIBE ${name}`, signal);
    const roles = new Map(described.rows.map(([column, , attribute]) => [column, ROLES[attribute ?? ''] ?? 'measure']));
    const recent = this.options.tableSizes !== undefined ? '' : ` WHERE time > ago(${REMOTE_RANGE})`;
    const newest = await this.select(`SELECT * FROM ${name}${recent} ORDER BY time DESC LIMIT ${NEWEST}`, signal);
    const columns = newest.columns.map((column) => ({ ...column, role: roles.get(column.name) ?? 'measure' }));
    return { columns, rows: newest.rows };
  }

  private async read(): Promise<void> {
    const started = performance.now();
    const { tableSizes } = this.options;
    this.sizes = (await (tableSizes?.() ?? this.namesOnly())).slice(0, MAX_TABLES);
    const ended = performance.now();
    const fresh = tableSizes === undefined ? FRESH_MS.remote : FRESH_MS.embedded;
    this.freshUntil = ended + Math.max(fresh, FRESH_TIMES * (ended - started));
  }

  private async namesOnly(): Promise<TableSize[]> {
    const names: TableSize[] = [];
    for (const [database] of (await this.select('SHOW DATABASES')).rows) {
      if (database === null || names.length >= MAX_TABLES) continue;
      const { rows } = await this.select(`SHOW TABLES FROM ${quoted(database)}`);
      for (const [table] of rows) if (table !== null) names.push({ database, table, records: null });
    }
    return names;
  }

  private select(
    sql: string,
    signal = new AbortController().signal,
  ): Promise<{ columns: { name: string; type: string }[]; rows: Cell[][] }> {
    return this.options.sql.rows(sql, signal);
  }
}

/** @throws ApiError 400 for a name that no database or table can have */
function quoted(name: string): string {
  if (!/^[\w.-]{1,256}$/.test(name)) throw new ApiError(400, 'invalid', `${name.slice(0, 100)} is not a name`);
  return `"${name}"`;
}
