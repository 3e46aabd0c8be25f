/**
 * Escapes names that Timestream does not accept: the prefix `_.` and then the name, with `.` and two hexadecimal digits for each
 * special byte. A valid name stays unchanged, unless it equals the escaped form of another name. So two names never become one, and
 * each name can be read back. docs/adr/escaped-names.md
 */
import { columnIsReserved, isTableName } from './limits';

interface Escaping {
  /** Whether Timestream accepts a name; does not check its length. */
  readonly takes: (name: string) => boolean;
  /** Characters that are written as hexadecimal digits in an escaped name; always includes the dot. */
  readonly special: RegExp;
}

const TABLE: Escaping = { takes: isTableName, special: /[^a-zA-Z0-9_-]+/g };
const COLUMN: Escaping = { takes: (name) => !name.includes(':') && !columnIsReserved(name), special: /[.:]+/g };

const PREFIX = '_.';
const HINT = '; set EscapeNames (--escape-names true) to store it under an escaped name';

/**
 * The name to store, and the reason if it cannot be stored.
 * @param isEscaped whether to escape the name; if not, the reason mentions the setting when escaping would help
 */
export function storedName(
  name: string,
  isEscaped: boolean,
  escaping: (name: string) => string,
  problemOf: (name: string) => string | undefined,
): { readonly name: string; readonly problem: string | undefined } {
  const stored = escaping(name);
  if (isEscaped) return { name: stored, problem: problemOf(stored) };
  const problem = problemOf(name);
  return { name, problem: problem === undefined || stored === name ? problem : problem + HINT };
}

/** The table name of a measurement. */
export const escapeTableName = (name: string): string => (needsEscape(name, TABLE) ? escaped(name, TABLE) : name);

/** The dimension name of a tag, or in single-table mode the measure name of a measurement. */
export const escapeColumnName = (name: string): string => (needsEscape(name, COLUMN) ? escaped(name, COLUMN) : name);

/** The measure name of a field. Measure names may contain colons. The result never equals the escaped name of a tag. */
export function escapeMeasureName(name: string): string {
  const mustChange = columnIsReserved(name) || original(name, COLUMN) !== undefined;
  return mustChange ? escaped(name, COLUMN) : name;
}

/** The measurement of a table name. */
export const measurementOfTable = (table: string): string => original(table, TABLE) ?? table;

/** The tag key or field key of a column name. */
export const keyOfColumn = (column: string): string => original(column, COLUMN) ?? column;

const needsEscape = (name: string, escaping: Escaping): boolean =>
  !escaping.takes(name) || original(name, escaping) !== undefined;

function escaped(name: string, { special }: Escaping): string {
  const hex = (text: string): string =>
    [...Buffer.from(text)].map((byte) => `.${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
  return PREFIX + name.replace(special, hex);
}

/** The original of an escaped name; undefined if the name is not an escaped name. */
function original(name: string, escaping: Escaping): string | undefined {
  if (!name.startsWith(PREFIX)) return undefined;
  const text = name
    .slice(PREFIX.length)
    .replace(/(?:\.[0-9A-F]{2})+/g, (bytes) => Buffer.from(bytes.replaceAll('.', ''), 'hex').toString());
  return escaped(text, escaping) === name && needsEscape(text, escaping) ? text : undefined;
}
