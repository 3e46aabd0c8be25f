/** Checks the names of databases, tables and columns. */
import { validationError } from './errors';
import { type JsonObject, type Path, requiredString } from './shape';

const RESOURCE_NAME = { min: 1, max: 256, pattern: /^[a-zA-Z0-9_.-]+$/ };
const RESERVED = new Set(['measure_value', 'measure_name', 'time', 'ts_non_existent_col']);

/** Reads the name of a database or table: 1 to 256 characters of `[a-zA-Z0-9_.-]`. */
export const resourceName = (from: JsonObject, key: 'DatabaseName' | 'TableName', at: Path): string =>
  requiredString(from, key, at, RESOURCE_NAME);

/** @throws ValidationException for a dimension or measure name that the service reserves */
export function checkColumnName(kind: 'dimension' | 'measure', name: string): void {
  if (RESERVED.has(name) || name.startsWith('ts_') || name.startsWith('measure_name')) {
    throw validationError(`The ${kind} name '${name}' is reserved: a different name is required.`);
  }
  if (kind === 'dimension' && name.includes(':')) {
    throw validationError(`The dimension name '${name}' must not contain a colon.`);
  }
}
