/** SQL that the page writes, and names in SQL that a user writes. */

/** For example "db"."table", as names may have any character. */
export const qualified = (database: string, table: string): string => `${quoted(database)}.${quoted(table)}`;

/** The name as SQL accepts it, in quotes only if it needs them. */
export const identifier = (name: string): string => (/^[a-z_]\w*$/i.test(name) ? name : quoted(name));

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export const newestRows = (database: string, table: string): string =>
  `SELECT *\nFROM ${qualified(database, table)}\nORDER BY time DESC\nLIMIT 1000`;

/** Whether a text of SQL contains the name as a whole word. */
export function mentions(sql: string, name: string): boolean {
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(?<![\\w-])${escaped}(?![\\w-])`, 'i').test(sql);
}
