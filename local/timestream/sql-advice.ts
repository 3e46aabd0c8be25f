/** Explains the mistakes in a query in terms of Timestream: which name is wrong, and what to write. */
import { didYouMean } from '../similar';
import type { Catalog } from './catalog';
import { type ServiceError, validationError } from './errors';
import { FUNCTIONS } from './sql-functions';
import { nameOf, type Token } from './sql-tokens';
import { quoted } from './store';
import { schemaOf, type Table } from './table';
import { viewColumns } from './views';

const qualified = ({ database, name }: Table): string => `${quoted(database.name)}.${quoted(name)}`;

/** For `"database"."table"` after FROM or JOIN. */
export function unknownTable(database: string, table: string, catalog: Catalog): ServiceError {
  const found = catalog.databases.get(database);
  const hint =
    found === undefined
      ? ` There is no database ${quoted(database)}.${didYouMean(quoted(database), [...catalog.databases.keys()].map(quoted))}`
      : didYouMean(quoted(table), [...found.tables.keys()].map(quoted));
  return validationError(`The table ${quoted(database)}.${quoted(table)} does not exist.${hint}`);
}

/** For a table without its database. */
function unqualifiedTable(name: string, catalog: Catalog): ServiceError {
  const tables = catalog.allTables();
  const exact = tables.filter((table) => table.name === name).map(qualified);
  if (exact.length > 0) {
    return validationError(`The table ${name} does not exist without its database: write ${exact.join(' or ')}.`);
  }
  const close = didYouMean(
    name,
    tables.map((table) => table.name),
  );
  return validationError(`The table ${name} does not exist.${close} Tables are named "database"."table".`);
}

/** @param tokens from the name after FROM or JOIN; undefined unless this is a common mistake */
export function misnamedTable(tokens: readonly Token[]): ServiceError | undefined {
  const [first, second, third, fourth, fifth] = tokens;
  if (first?.kind === 'word' && second?.text === '-') {
    const end = tokens.findIndex(({ kind, text }) => kind !== 'word' && kind !== 'number' && text !== '-');
    const database = tokens.slice(0, end < 0 ? tokens.length : end).map(({ text }) => text);
    return validationError(`Put the name in double quotes: ${quoted(database.join(''))}.`);
  }
  if (second?.text === '.' && third !== undefined && fourth?.text === '.') {
    const name = tokens.slice(0, 5).map(({ text }) => text);
    return validationError(
      `${name.join('')} has a part too many: write ${quoted(nameOf(first ?? third))}.${quoted(nameOf(third))}` +
        `${fifth === undefined ? '' : ` without .${fifth.text}`}.`,
    );
  }
  return undefined;
}

export const unknownFunction = (name: string): ServiceError =>
  validationError(
    `The function ${name} is not supported by the embedded Timestream.${didYouMean(name, [...FUNCTIONS.keys(), 'now', 'ago'])}`,
  );

interface FailedQuery {
  readonly tokens: readonly Token[];
  readonly tables: readonly Table[];
}

function unknownColumn(name: string, { tokens, tables }: FailedQuery): ServiceError {
  const columns = tables.flatMap((table) => viewColumns(table.columns)).map((column) => column.name);
  const isQuoted = tokens.some((token) => token.kind === 'quoted' && nameOf(token) === name);
  const text = isQuoted ? ` Text takes single quotes: '${name.replaceAll("'", "''")}'.` : '';
  const lists = tables.map((table) => `DESCRIBE ${qualified(table)} (or .schema ${table.name})`);
  const list = lists.length === 0 ? '' : ` ${lists.join(', ')} lists the columns.`;
  return validationError(`The column ${name} does not exist.${didYouMean(name, columns)}${text}${list}`);
}

/** The error of DuckDB for a query, without its stack and its advice about DuckDB. */
export function explained(error: unknown, query: FailedQuery, catalog: Catalog): ServiceError {
  const [first = ''] = String(error)
    .replace(/^Error: /, '')
    .split('\n');
  const [, table] = /^Catalog Error: Table with name (.+) does not exist/.exec(first) ?? [];
  if (table !== undefined) return unqualifiedTable(table, catalog);
  const [, column] =
    /^Binder Error: Referenced column "(.+)" not found/.exec(first) ??
    /^Binder Error: Values list ".+" does not have a column named "(.+)"/.exec(first) ??
    /^Binder Error: Table ".+" does not have a column named "(.+)"/.exec(first) ??
    [];
  if (column !== undefined) return unknownColumn(column, query);
  // Queries do not know the names of schemas.
  const message = [...catalog.databases.values()].reduce(
    (text, database) => text.replaceAll(quoted(schemaOf(database)), quoted(database.name)),
    first,
  );
  return validationError(`The query cannot be run: ${message}`);
}
