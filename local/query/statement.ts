/** Turns the statement that a user typed into SQL. It may be a short form that lists databases, tables or columns. */
import { nameOf, type Token, tokenize } from '../timestream/sql-tokens';

export const SHORT_FORMS = `.databases       list databases
.tables          list tables of the database
.schema TABLE    list columns of a table
.help            show this help
.quit            quit (also Ctrl-D)
A statement ends with a semicolon. Other databases: "database"."table".`;

const quoted = (name: string): string => `"${name.replace(/^"|"$/g, '').replaceAll('"', '""')}"`;

/**
 * The SQL to send. Tables without a database, SHOW TABLES and DESCRIBE use `database`.
 * @returns undefined for an unknown short form
 */
export function sqlOf(text: string, database: string): string | undefined {
  const statement = text.trim().replace(/;\s*$/, '').trimEnd();
  const [command = '', argument] = statement.split(/\s+/);
  if (command === '.databases') return 'SHOW DATABASES';
  if (command === '.tables') return `SHOW TABLES FROM ${quoted(argument ?? database)}`;
  if (command === '.schema' && argument !== undefined) return `DESCRIBE ${quoted(database)}.${quoted(argument)}`;
  if (command.startsWith('.')) return undefined;
  if (/^show\s+tables$/i.test(statement)) return `SHOW TABLES FROM ${quoted(database)}`;
  const [, table] = /^desc(?:ribe)?\s+("[^"]+"|[^\s".]+)$/i.exec(statement) ?? [];
  return table === undefined ? withDatabase(statement, database) : `DESCRIBE ${quoted(database)}.${quoted(table)}`;
}

/** The message for a command for which `sqlOf` has no SQL. */
export const notACommand = (command: string): string =>
  command.trim() === '.schema' ? '.schema needs the name of a table' : `unknown command ${command.trim()}`;

/** Puts the database before each table after FROM or JOIN that has none. Timestream has no default database. */
function withDatabase(statement: string, database: string): string {
  const all = tokensOf(statement);
  const tokens = all.filter(({ kind }) => kind !== 'space');
  const text = (index: number): string => tokens[index]?.text.toLowerCase() ?? '';
  // Names defined by WITH: name AS (...)
  const defined = new Set(
    tokens.filter((_, index) => text(index + 1) === 'as' && text(index + 2) === '(').map((token) => nameOf(token)),
  );
  const tables = new Set<Token>();
  const openers: number[] = [];
  tokens.forEach((token, index) => {
    if (token.text === '(') openers.push(index);
    else if (token.text === ')') openers.pop();
    const source = text(index - 1);
    // In extract(year FROM time) and IS DISTINCT FROM no table follows.
    const isInCall = openers.length > 0 && !/^(?:select|with)$/.test(text((openers.at(-1) ?? 0) + 1));
    const isSource = source === 'join' || (source === 'from' && !isInCall && text(index - 2) !== 'distinct');
    const isName = token.kind === 'quoted' || (token.kind === 'word' && text(index + 1) !== '-');
    const isTable = isSource && isName && text(index + 1) !== '.' && text(index + 1) !== '(';
    if (isTable && !defined.has(nameOf(token))) tables.add(token);
  });
  return all.map((token) => (tables.has(token) ? `${quoted(database)}.${token.text}` : token.text)).join('');
}

/** None if the text is not SQL; the service explains the error. */
function tokensOf(statement: string): readonly Token[] {
  try {
    return tokenize(statement);
  } catch {
    return [{ kind: 'symbol', text: statement }];
  }
}
