/** Reads members of a request's JSON, and refuses values that the service's model forbids. */
import { constraintError, ServiceError } from './errors';

export type JsonObject = Readonly<Record<string, unknown>>;

/** The path of a member; built only when an error needs it. */
export type Path = () => string;

export const root: Path = () => '';

/** The path of member `key`. The service writes its first letter in lower case. */
export const member =
  (at: Path, key: string): Path =>
  () => {
    const parent = at();
    return `${parent}${parent && '.'}${key.charAt(0).toLowerCase()}${key.slice(1)}`;
  };

/** The path of an element; the service counts from 1. */
export const element =
  (at: Path, index: number): Path =>
  () =>
    `${at()}.${index + 1}.member`;

export interface StringRules {
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: RegExp;
}

const wrongType = (at: Path, expected: string) =>
  new ServiceError('SerializationException', `The value at '${at()}' cannot be read as ${expected}`);

const isAbsent = (value: unknown): value is null | undefined => value === undefined || value === null;

export const missing = (at: Path) => constraintError(at(), null, 'Member must not be null');

export function objectOf(value: unknown, at: Path): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongType(at, 'a structure');
  return value as JsonObject;
}

export function optionalObject(from: JsonObject, key: string, at: Path): JsonObject | undefined {
  return isAbsent(from[key]) ? undefined : objectOf(from[key], member(at, key));
}

export function optionalString(from: JsonObject, key: string, at: Path, rules: StringRules = {}): string | undefined {
  const value = from[key];
  if (isAbsent(value)) return undefined;
  if (typeof value !== 'string') throw wrongType(member(at, key), 'a string');
  const { min, max, pattern } = rules;
  const refuse = (constraint: string) => constraintError(member(at, key)(), value, constraint);
  if (min !== undefined && value.length < min) {
    throw refuse(`Member must have length greater than or equal to ${min}`);
  }
  if (max !== undefined && value.length > max) throw refuse(`Member must have length less than or equal to ${max}`);
  if (pattern && !pattern.test(value))
    throw refuse(`Member must satisfy regular expression pattern: ${pattern.source}`);
  return value;
}

export function requiredString(from: JsonObject, key: string, at: Path, rules?: StringRules): string {
  const value = optionalString(from, key, at, rules);
  if (value === undefined) throw missing(member(at, key));
  return value;
}

export function optionalEnum<T extends string>(
  from: JsonObject,
  key: string,
  at: Path,
  values: readonly T[],
): T | undefined {
  const value = optionalString(from, key, at);
  if (value === undefined) return undefined;
  const known = values.find((candidate) => candidate === value);
  if (known === undefined) {
    throw constraintError(member(at, key)(), value, `Member must satisfy enum value set: [${values.join(', ')}]`);
  }
  return known;
}

export function optionalBoolean(from: JsonObject, key: string, at: Path): boolean | undefined {
  const value = from[key];
  if (isAbsent(value)) return undefined;
  if (typeof value !== 'boolean') throw wrongType(member(at, key), 'a boolean');
  return value;
}

export function optionalInteger(
  from: JsonObject,
  key: string,
  at: Path,
  range: { min: number; max: number },
): number | undefined {
  const value = from[key];
  if (isAbsent(value)) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(member(at, key), 'an integer');
  const refuse = (constraint: string) => constraintError(member(at, key)(), value, constraint);
  if (value < range.min) throw refuse(`Member must have value greater than or equal to ${range.min}`);
  if (value > range.max) throw refuse(`Member must have value less than or equal to ${range.max}`);
  return value;
}

export function optionalList(
  from: JsonObject,
  key: string,
  at: Path,
  length: { min: number; max: number },
): readonly unknown[] | undefined {
  const value = from[key];
  if (isAbsent(value)) return undefined;
  if (!Array.isArray(value)) throw wrongType(member(at, key), 'a list');
  const refuse = (constraint: string) => constraintError(member(at, key)(), `[${value.length} members]`, constraint);
  if (value.length < length.min) throw refuse(`Member must have length greater than or equal to ${length.min}`);
  if (value.length > length.max) throw refuse(`Member must have length less than or equal to ${length.max}`);
  return value;
}
