/** Turns the statement that a user typed into SQL. It may be a short form that lists databases, tables or columns. */

export const SHORT_FORMS = `.databases       list databases
.tables          list tables of the database
.schema TABLE    list columns of a table
.help            show this help
.quit            quit (also Ctrl-D)
A statement ends with a semicolon. Tables are named "database"."table".`;

const quoted = (name: string): string => `"${name.replace(/^"|"$/g, '').replaceAll('"', '""')}"`;

/**
 * The SQL to send. SHOW TABLES and DESCRIBE without a database use `database`.
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
  return table === undefined ? statement : `DESCRIBE ${quoted(database)}.${quoted(table)}`;
}
