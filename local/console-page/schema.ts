/** The names of databases, tables and columns, for completion. Columns of a table are requested when a statement names it. */
import { api } from './api';
import type { Databases, TableColumn } from './responses';
import { mentions } from './sql-text';

interface KnownTable {
  readonly database: string;
  readonly table: string;
  /** Undefined until they are known. */
  columns?: readonly TableColumn[];
}

let tables: readonly KnownTable[] = [];
const requested = new Set<string>();

export function knowDatabases({ databases }: Databases): void {
  const known = new Map(tables.map((each) => [keyOf(each), each]));
  tables = databases
    .flatMap(({ database, tables: named }) => named.map(({ table }) => ({ database, table })))
    .map((each) => known.get(keyOf(each)) ?? each);
}

export function knowColumns(database: string, table: string, columns: readonly TableColumn[]): void {
  const found = tables.find((each) => each.database === database && each.table === table);
  if (found !== undefined) found.columns = columns;
}

export const knownTables = (): readonly Readonly<KnownTable>[] => tables;

/** The tables that the statement names. Columns that are not known yet are requested, for the next call. */
export function tablesIn(sql: string): readonly Readonly<KnownTable>[] {
  const named = tables.filter(({ table }) => mentions(sql, table));
  for (const { database, table, columns } of named) {
    const key = keyOf({ database, table });
    if (columns !== undefined || requested.has(key)) continue;
    requested.add(key);
    api
      .table(database, table)
      .then((details) => knowColumns(database, table, details.columns))
      // Completion then lacks the columns until the next statement.
      .catch(() => requested.delete(key));
  }
  return named;
}

const keyOf = ({ database, table }: { readonly database: string; readonly table: string }): string =>
  JSON.stringify([database, table]);
