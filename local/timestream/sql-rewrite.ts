/**
 * Turns a Timestream query into DuckDB's SQL, token by token: table names, durations, the current time and functions. It refuses
 * anything else, so that queries cannot reach DuckDB's own functions and catalogs.
 */
import type { Catalog } from './catalog';
import { validationError } from './errors';
import { misnamedTable, unknownFunction, unknownTable } from './sql-advice';
import { FUNCTIONS } from './sql-functions';
import { nameOf, type Token, tokenize } from './sql-tokens';
import { quoted } from './store';
import { schemaOf, type Table } from './table';
import { viewColumns } from './views';

/** Keywords that may precede a parenthesis; any other word there is a function. */
const KEYWORDS = new Set(
  (
    'all and any as between by case distinct else except exists filter from group having in inner intersect interval ' +
    'into is join left like limit not offset on or order over partition right select some then union using values when ' +
    'where with within'
  ).split(' '),
);
/** DuckDB's own catalogs. */
const HIDDEN = /^(duckdb_|pragma_|pg_|sqlite_|information_schema$|_timestream$)/i;

const NANOSECONDS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
};

function durationNs(text: string): bigint {
  const [, count, unit] = /^(\d+)([a-z]+)$/.exec(text) ?? [];
  return BigInt(count ?? 0) * (NANOSECONDS[unit ?? ''] ?? 0n);
}

function intervalOf(text: string): string {
  const ns = durationNs(text);
  if (ns % 1000n !== 0n)
    throw validationError(`The interval ${text} is finer than a microsecond, which is not supported.`);
  return `INTERVAL '${ns / 1000n} microseconds'`;
}

const isName = (token: Token | undefined): token is Token => token?.kind === 'word' || token?.kind === 'quoted';

export interface Rewritten {
  readonly sql: string;
  /** The names of result columns by DuckDB's names. Timestream calls any other column `_col<n>`. */
  readonly names: ReadonlyMap<string, string>;
  /** The query before, without spaces and comments. */
  readonly tokens: readonly Token[];
  /** The tables that it reads. */
  readonly tables: readonly Table[];
}

class Rewriter {
  private readonly tokens: readonly Token[];
  private readonly output: string[] = [];
  /** The names in the query and its tables. DuckDB invents other names for expressions. */
  private readonly names = new Map<string, string>();
  private readonly tables = new Set<Table>();
  /** Names that may be columns, with their places in `output`. */
  private readonly columns: { readonly name: string; readonly at: number }[] = [];
  private at = 0;

  constructor(
    sql: string,
    private readonly catalog: Catalog,
    private readonly nowNs: bigint,
  ) {
    this.tokens = tokenize(sql).filter(({ kind }) => kind !== 'space');
    while (this.tokens.at(-1)?.text === ';') this.tokens = this.tokens.slice(0, -1);
  }

  private peek(offset: number): Token | undefined {
    return this.tokens[this.at + offset];
  }

  private sees(...texts: string[]): boolean {
    return texts.every((text, i) => this.peek(i)?.text.toLowerCase() === text);
  }

  private emit(text: string, consumed = 1): void {
    this.output.push(text);
    this.at += consumed;
  }

  private time(ns: bigint): string {
    return `make_timestamp_ns(${ns})`;
  }

  /** `now()`, `ago(15m)` and `current_timestamp`. */
  private currentTime(): boolean {
    if (this.sees('now', '(', ')')) this.emit(this.time(this.nowNs), 3);
    else if (this.sees('current_timestamp')) this.emit(this.time(this.nowNs));
    else if (this.sees('ago', '(') && this.peek(2)?.kind === 'duration' && this.peek(3)?.text === ')') {
      this.emit(this.time(this.nowNs - durationNs(this.peek(2)?.text ?? '')), 4);
    } else return false;
    return true;
  }

  /** `"database"."table"` of the catalog. */
  private table(): boolean {
    const [database, dot, table] = [this.peek(0), this.peek(1), this.peek(2)];
    const isSource = /^(from|join)$/i.test(this.peek(-1)?.text ?? '');
    const mistake = isSource ? misnamedTable(this.tokens.slice(this.at)) : undefined;
    if (mistake !== undefined) throw mistake;
    if (!isName(database) || dot?.text !== '.' || !isName(table) || this.peek(-1)?.text === '.') return false;
    const found = this.catalog.databases.get(nameOf(database))?.tables.get(nameOf(table));
    if (!found) {
      if (!isSource) return false;
      throw unknownTable(nameOf(database), nameOf(table), this.catalog);
    }
    this.tables.add(found);
    this.emit(`${schemaOf(found.database)}.${quoted(found.view)}`, 3);
    return true;
  }

  private call(token: Token): string {
    const name = nameOf(token).toLowerCase();
    const isKeyword = token.kind === 'word' && KEYWORDS.has(name);
    if (isKeyword || this.peek(-1)?.text.toLowerCase() === 'as') return token.text;
    const known = FUNCTIONS.get(name);
    if (!known) throw unknownFunction(nameOf(token));
    return known;
  }

  private isColumn(name: string): boolean {
    return this.catalog.allTables().some(({ columns }) => viewColumns(columns).some((column) => column.name === name));
  }

  private word(token: Token): string {
    const name = nameOf(token);
    if (HIDDEN.test(name) && !this.isColumn(name)) throw validationError(`The name ${token.text} is not available.`);
    this.names.set(name, name);
    const isKeyword = token.kind === 'word' && KEYWORDS.has(name.toLowerCase());
    if (!isKeyword && this.peek(1)?.text !== '(') this.columns.push({ name, at: this.output.length });
    if (name.includes('::')) return quoted(name);
    // Timestream's timestamps have nanoseconds; DuckDB's TIMESTAMP has only microseconds.
    const isType = this.peek(1)?.kind === 'string' || this.peek(-1)?.text.toLowerCase() === 'as';
    if (token.text.toLowerCase() === 'timestamp' && isType) return 'TIMESTAMP_NS';
    return this.peek(1)?.text === '(' ? this.call(token) : token.text;
  }

  /** Names that differ only in case are different columns in Timestream, and have different names in the view. */
  private nameColumns(): void {
    const views = [...this.tables].flatMap(({ columns }) => viewColumns(columns));
    for (const { name, viewName } of views) this.names.set(viewName, name);
    const renamed = new Map(
      views.filter(({ name, viewName }) => name !== viewName).map((it) => [it.name, it.viewName]),
    );
    for (const { name, at } of this.columns) {
      const viewName = renamed.get(name);
      if (viewName !== undefined) this.output[at] = quoted(viewName);
    }
  }

  run(): Rewritten {
    if (!this.sees('select') && !this.sees('with')) {
      throw validationError('Only SELECT, WITH, SHOW and DESCRIBE statements can be run.');
    }
    for (let token = this.peek(0); token; token = this.peek(0)) {
      if (token.text === ';') throw validationError('A query must be a single statement.');
      if (token.kind === 'duration') this.emit(intervalOf(token.text));
      else if (token.kind !== 'word' && token.kind !== 'quoted') this.emit(token.text);
      else if (!this.currentTime() && !this.table()) this.emit(this.word(token));
    }
    this.nameColumns();
    return { sql: this.output.join(' '), names: this.names, tokens: this.tokens, tables: [...this.tables] };
  }
}

/** DuckDB's SQL for a query. @throws ValidationException for unsupported SQL */
export const rewrite = (sql: string, catalog: Catalog, nowMs: number): Rewritten =>
  new Rewriter(sql, catalog, BigInt(Math.round(nowMs)) * 1_000_000n).run();
