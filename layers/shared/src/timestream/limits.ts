/**
 * Limits and naming rules of Timestream for LiveAnalytics.
 * Source: "Quotas" and "Timestream for LiveAnalytics write API" in its developer guide, and the service model.
 */

export const MAX_RECORDS_PER_CALL = 100;
export const MAX_DIMENSIONS_PER_RECORD = 128;
export const MAX_MEASURES_PER_RECORD = 256;
export const MAX_DIMENSION_NAME_BYTES = 60;
/** Maximum length of the names of measures, tables and databases. */
export const MAX_NAME_BYTES = 256;
/** Maximum length of all dimension names and values of a series together. */
export const MAX_SERIES_BYTES = 2048;
/** Maximum length of all measure values of a record together. */
export const MAX_MEASURE_VALUES_BYTES = 2048;
/** Maximum size of a record: 8 bytes for the time, dimension names and values, measure values (docs/adr/record-size.md). */
export const MAX_RECORD_BYTES = 2048;
export const TIME_BYTES = 8;
export const NUMBER_BYTES = 8;
export const BOOLEAN_BYTES = 1;

const TABLE_NAME = /^[a-zA-Z0-9_.-]+$/;
const RESERVED_NAMES = new Set(['measure_value', 'measure_name', 'time', 'ts_non_existent_col']);
const RESERVED_PREFIXES = ['ts_', 'measure_name'];

/** Whether the characters of a table name are valid; does not check its length. */
export const isTableName = (name: string): boolean => TABLE_NAME.test(name);

/** Whether Timestream reserves this name, so that no dimension or measure can have it. */
export const columnIsReserved = (name: string): boolean =>
  RESERVED_NAMES.has(name) || RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix));

/** Why a table or database cannot have this name; undefined if it can. */
export function tableNameProblem(name: string): string | undefined {
  if (!isTableName(name)) {
    return `'${name}' is not a valid table name: only letters, digits, '_', '.' and '-' are allowed`;
  }
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `the table name is longer than ${MAX_NAME_BYTES} bytes`;
  return undefined;
}

/** Why a dimension cannot have this name; undefined if it can. */
export function dimensionNameProblem(name: string): string | undefined {
  if (name.includes(':')) return `tag '${name}': a dimension name may not contain ':'`;
  return columnNameProblem('tag', name, MAX_DIMENSION_NAME_BYTES);
}

/** Why a measure cannot have this name; undefined if it can. */
export function measureNameProblem(name: string): string | undefined {
  return columnNameProblem('field', name, MAX_NAME_BYTES);
}

/** Why a record cannot have this measure name (the configured name, or the measurement in single-table mode); undefined if it can. */
export function recordNameProblem(name: string): string | undefined {
  return columnNameProblem('measure name', name, MAX_NAME_BYTES);
}

function columnNameProblem(kind: string, name: string, maxBytes: number): string | undefined {
  if (RESERVED_NAMES.has(name)) return `${kind} '${name}': the name is reserved`;
  const prefix = RESERVED_PREFIXES.find((reserved) => name.startsWith(reserved));
  if (prefix !== undefined) return `${kind} '${name}': names that begin with '${prefix}' are reserved`;
  if (Buffer.byteLength(name) > maxBytes)
    return `${kind} '${name.slice(0, 60)}...': the name is longer than ${maxBytes} bytes`;
  return undefined;
}
