/**
 * Names that Timestream does not take, written so that it does: `_.` and the name, in which each byte that may not stand for itself is
 * `.` and two hexadecimal digits. A name that Timestream takes stays as it is, unless another name is escaped to it: so no two
 * names become one, and each can be read back. docs/adr/escaped-names.md
 */
import { columnIsReserved, isTableName } from './limits';

interface Escaping {
  /** Whether Timestream takes a name, apart from its length. */
  readonly takes: (name: string) => boolean;
  /** Characters that do not stand for themselves in an escaped name; the dot is always one. */
  readonly special: RegExp;
}

const TABLE: Escaping = { takes: isTableName, special: /[^a-zA-Z0-9_-]+/g };
const COLUMN: Escaping = { takes: (name) => !name.includes(':') && !columnIsReserved(name), special: /[.:]+/g };

const PREFIX = '_.';
const HINT = ' (EscapeNames, or escape_names in the environment, stores it under another name)';

/** A name as it is stored, and why it cannot be: escaped where that is wanted, else with the way to have it escaped. */
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

/** The name of a measurement as that of a table. */
export const escapeTableName = (name: string): string => (needsEscape(name, TABLE) ? escaped(name, TABLE) : name);

/** The name of a tag as that of a dimension; of a measurement as a measure name. */
export const escapeColumnName = (name: string): string => (needsEscape(name, COLUMN) ? escaped(name, COLUMN) : name);

/** The name of a field as that of a measure, in which colons are allowed. It never becomes the escaped name of a tag. */
export function escapeMeasureName(name: string): string {
  const mustChange = columnIsReserved(name) || original(name, COLUMN) !== undefined;
  return mustChange ? escaped(name, COLUMN) : name;
}

/** The measurement of a table. */
export const measurementOfTable = (table: string): string => original(table, TABLE) ?? table;

/** The tag or field of a column. */
export const keyOfColumn = (column: string): string => original(column, COLUMN) ?? column;

const needsEscape = (name: string, escaping: Escaping): boolean =>
  !escaping.takes(name) || original(name, escaping) !== undefined;

function escaped(name: string, { special }: Escaping): string {
  const hex = (text: string): string =>
    [...Buffer.from(text)].map((byte) => `.${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
  return PREFIX + name.replace(special, hex);
}

/** The name that was escaped to this one; undefined where this is none's. */
function original(name: string, escaping: Escaping): string | undefined {
  if (!name.startsWith(PREFIX)) return undefined;
  const text = name
    .slice(PREFIX.length)
    .replace(/(?:\.[0-9A-F]{2})+/g, (bytes) => Buffer.from(bytes.replaceAll('.', ''), 'hex').toString());
  return escaped(text, escaping) === name && needsEscape(text, escaping) ? text : undefined;
}
