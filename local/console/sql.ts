/** Runs the queries of the console with limits on rows, time and concurrency, so that they do not slow down writes. */

import type { ColumnInfo, Datum, Row } from '@aws-sdk/client-timestream-query';
import { ApiError } from '../../functions/write-line-protocol/api-error';
import { QueryError } from '../query/query-error';
import type { QueryService } from '../query/service';
import { sqlOf } from '../query/statement';
import { jsonValue, nameOf } from '../query/values';

export interface QueryColumn {
  readonly name: string;
  readonly type: string;
}

export type Cell = string | null;

/** Maximum rows of a page of the Query API. */
const PAGE = 1_000;
/** A result is cut before the page that follows this many characters. */
const MAX_CHARACTERS = 64e6;
const LIMIT_MS = 30_000;
/** Queries that run or wait. */
const MAX_QUERIES = 8;

export interface SqlOptions {
  /** Connects to the Query API with the first query. */
  readonly connect: () => Promise<QueryService>;
  /** The database of tables that are named without one. */
  readonly database: string;
  readonly limitMs?: number;
}

export interface QueryRequest {
  readonly sql: string;
  readonly maxRows: number;
  /** Aborts when the page no longer waits. */
  readonly signal: AbortSignal;
}

export class SqlRunner {
  private tail: Promise<unknown> = Promise.resolve();
  private queries = 0;
  private service: Promise<QueryService> | undefined;

  constructor(private readonly options: SqlOptions) {}

  /**
   * Runs one query at a time. Returns `{columns, rows, truncated, milliseconds}` as JSON: pages are turned into text one after the other,
   * because one large object would stop writes for as long as it takes to be turned into text.
   * @throws ApiError 400 with the reason of Timestream, 429 if too many queries wait, 504 after the time limit
   */
  async run({ sql, maxRows, signal }: QueryRequest): Promise<string> {
    const statement = sqlOf(sql, this.options.database);
    if (!statement) throw new ApiError(400, 'invalid', `this is not a statement: ${sql.slice(0, 100)}`);
    return await this.inTurn(async () => {
      const started = performance.now();
      const pages: string[] = [];
      let columns: readonly QueryColumn[] = [];
      let rows = 0;
      let characters = 0;
      let truncated = false;
      for await (const page of this.pages(statement, Math.min(PAGE, maxRows + 1), signal)) {
        columns = page.columns.map(columnOf);
        const kept = page.rows.slice(0, characters > MAX_CHARACTERS ? 0 : maxRows - rows);
        const text = JSON.stringify(kept.map((row) => cellsOf(row, page.columns))).slice(1, -1);
        if (text !== '') pages.push(text);
        rows += kept.length;
        characters += text.length;
        truncated = kept.length < page.rows.length;
        if (truncated) break;
      }
      const rest = { truncated, milliseconds: Math.round(performance.now() - started) };
      return `{"columns":${JSON.stringify(columns)},"rows":[${pages.join(',')}],${JSON.stringify(rest).slice(1)}`;
    });
  }

  /** All rows of a small result. @throws as `run` */
  async rows(sql: string, signal: AbortSignal): Promise<{ columns: QueryColumn[]; rows: Cell[][] }> {
    let columns: QueryColumn[] = [];
    const rows: Cell[][] = [];
    for await (const page of this.pages(sql, PAGE, signal)) {
      columns = page.columns.map(columnOf);
      rows.push(...page.rows.map((row) => cellsOf(row, page.columns)));
    }
    return { columns, rows };
  }

  private async *pages(sql: string, maxRows: number, signal: AbortSignal) {
    const limit = AbortSignal.timeout(this.options.limitMs ?? LIMIT_MS);
    try {
      this.service ??= this.options.connect().catch((error: unknown) => {
        this.service = undefined;
        throw error;
      });
      yield* (await this.service).pages(sql, { maxRows, signal: AbortSignal.any([signal, limit]) });
    } catch (error) {
      if (limit.aborted) {
        const seconds = (this.options.limitMs ?? LIMIT_MS) / 1000;
        const advice = 'select less, for example with a condition on time or a LIMIT';
        throw new ApiError(504, 'timeout', `the query was stopped after ${seconds} s: ${advice}`);
      }
      if (error instanceof QueryError) throw new ApiError(400, 'invalid', error.message);
      throw error;
    }
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.queries >= MAX_QUERIES) {
      throw new ApiError(429, 'too many requests', 'other queries of the console are still running: try again later');
    }
    this.queries += 1;
    const result = this.tail.then(work).finally(() => {
      this.queries -= 1;
    });
    this.tail = result.catch(() => undefined);
    return await result;
  }
}

const columnOf = (column: ColumnInfo, index: number): QueryColumn => ({
  name: nameOf(column, index),
  type: typeOf(column),
});

/** The name of a scalar type; other types are shown as JSON. */
const typeOf = ({ Type }: ColumnInfo): string => Type?.ScalarType ?? 'JSON';

const cellsOf = ({ Data = [] }: Row, columns: readonly ColumnInfo[]): Cell[] =>
  columns.map(({ Type }, index) => cellOf(Data[index] ?? { NullValue: true }, Type));

function cellOf(datum: Datum, type: ColumnInfo['Type']): Cell {
  if (datum.NullValue) return null;
  return datum.ScalarValue ?? JSON.stringify(jsonValue(datum, type));
}
