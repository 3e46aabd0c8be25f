/**
 * Reads Thrift's compact protocol by declared structures: each declared field comes out with its declared type or the structure is
 * refused, and all other fields are skipped without being stored.
 * Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */
import { grouped } from '../count-text';

/** The bytes are not the declared structure. */
export class ThriftError extends Error {
  override readonly name = 'ThriftError';

  /** @param isNamed whether the message begins with the structure and the field; a message that does not continues their name. */
  constructor(
    message: string,
    readonly isNamed = false,
  ) {
    super(message);
  }
}

/** Where to read. Each read moves `offset` behind the value. */
export interface ThriftInput {
  readonly bytes: Uint8Array;
  offset: number;
}

/** Reads a value of a wire type. */
export type Read<T> = (input: ThriftInput, type: number) => T;

/** What a reader returns. */
export type Value<R> = R extends Read<infer T> ? T : never;

interface Field<T> {
  readonly id: number;
  readonly isRequired: boolean;
  readonly read: Read<T>;
}

const STOP = 0;
const TRUE = 1;
const FALSE = 2;
const I8 = 3;
const I16 = 4;
const I32 = 5;
const I64 = 6;
const DOUBLE = 7;
const BINARY = 8;
const LIST = 9;
const SET = 10;
const MAP = 11;
const STRUCT = 12;
const UUID = 13;
const DOUBLE_BYTES = 8;
const UUID_BYTES = 16;
/** A variable-length integer of 64 bits, seven bits per byte. */
const MAX_VARINT_BYTES = 10;
/** Nested structures in a skipped field. Those of Parquet have up to six levels. */
const MAX_DEPTH = 32;
/** Elements of a list whose array is allocated before they are read. */
const SHORT_LIST = 100;
const MIN_I32 = -(2 ** 31);
const MAX_I32 = 2 ** 31 - 1;

const text = new TextDecoder();

/** An integer of up to 64 bits. Beyond 2^52 it is approximate: check its range before you use it. */
export const i64: Read<number> = (input, type) => {
  if (type === I8) return (next(input) << 24) >> 24;
  if (type !== I16 && type !== I32 && type !== I64) throw new ThriftError('is not an integer');
  return zigzag(input);
};

/** An integer of up to 32 bits. Writers differ in the wire type of smaller ones, so every integer type is accepted. */
export const i32: Read<number> = (input, type) => {
  const value = i64(input, type);
  if (value < MIN_I32 || value > MAX_I32) throw new ThriftError('has more than 32 bits');
  return value;
};

export const bool: Read<boolean> = (_, type) => {
  if (type !== TRUE && type !== FALSE) throw new ThriftError('is not a boolean');
  return type === TRUE;
};

/** UTF-8; invalid bytes become U+FFFD. */
export const string: Read<string> = (input, type) => {
  if (type !== BINARY) throw new ThriftError('is not a string');
  const length = sizeAt(input);
  const start = input.offset;
  input.offset += length;
  return text.decode(input.bytes.subarray(start, input.offset));
};

/** Whether a field is there, whatever its value. */
export const present: Read<true> = (input, type) => {
  skip(input, type, 0);
  return true;
};

/** A value that is used only if it is valid: undefined instead of an error for one that `read` refuses. */
export const advisory =
  <T>(read: Read<T>): Read<T | undefined> =>
  (input, type) => {
    const { offset } = input;
    try {
      return read(input, type);
    } catch (error) {
      if (!(error instanceof ThriftError)) throw error;
      input.offset = offset;
      skip(input, type, 0);
      return undefined;
    }
  };

/** The name of a number, or `unknown` for a number without a name. */
export const oneOf =
  <T extends string>(names: readonly T[]): Read<T | 'unknown'> =>
  (input, type) =>
    names[i32(input, type)] ?? 'unknown';

/** @param max elements that are accepted: bounds the memory of a list whose elements take less in the file */
export const list =
  <T>(read: Read<T>, max = Number.POSITIVE_INFINITY): Read<T[]> =>
  (input, type) => {
    if (type !== LIST) throw new ThriftError('is not a list');
    const { count, elements } = listHeader(input);
    if (count > max) throw new ThriftError(`has ${grouped(count)} elements, the limit is ${max}`);
    // An array that grows takes room for 17 elements at once.
    const values: T[] = count <= SHORT_LIST ? new Array<T>(count) : [];
    for (let index = 0; index < count; index++) values[index] = read(input, elements);
    return values;
  };

export const required = <T>(id: number, read: Read<T>): Field<T> => ({ id, isRequired: true, read });
export const optional = <T>(id: number, read: Read<T>): Field<T | undefined> => ({ id, isRequired: false, read });

/** The reader throws a ThriftError for a field of another type, and for a required field that is missing. */
export function struct<T extends object>(name: string, fields: { readonly [K in keyof T]: Field<T[K]> }): Read<T> {
  const entries = Object.entries(fields) as [keyof T & string, Field<T[keyof T & string]>][];
  const byId = new Map(entries.map(([key, { id, read }]) => [id, { key, read, name: `${name}.${key}` }]));
  const needed = entries.filter(([, { isRequired }]) => isRequired).map(([key]) => key);
  // Values that have all properties in one order take less memory.
  const empty = Object.fromEntries(entries.map(([key]) => [key, undefined])) as T;
  return (input, type) => {
    if (type !== STRUCT) throw new ThriftError('is not a structure');
    const value = { ...empty };
    let reading = name;
    try {
      for (let id = 0; ; ) {
        const header = next(input);
        const wire = header & 0x0f;
        if (wire === STOP) break;
        id = header >> 4 === 0 ? zigzag(input) : id + (header >> 4);
        const field = byId.get(id);
        reading = field?.name ?? name;
        if (field) value[field.key] = field.read(input, wire);
        else skip(input, wire, 0);
      }
    } catch (error) {
      if (!(error instanceof ThriftError) || error.isNamed) throw error;
      throw new ThriftError(`${reading} ${error.message}`, true);
    }
    const missing = needed.find((key) => value[key] === undefined);
    if (missing !== undefined) throw new ThriftError(`${name}.${missing} is missing`, true);
    return value;
  };
}

/** Reads a structure that is not inside another one. */
export const readStruct = <T>(read: Read<T>, input: ThriftInput): T => read(input, STRUCT);

function skip(input: ThriftInput, type: number, depth: number): void {
  if (depth > MAX_DEPTH) throw new ThriftError(`has more than ${MAX_DEPTH} levels`);
  switch (type) {
    case TRUE:
    case FALSE:
      return;
    case I8:
      advance(input, 1);
      return;
    case I16:
    case I32:
    case I64:
      varint(input);
      return;
    case DOUBLE:
      advance(input, DOUBLE_BYTES);
      return;
    case BINARY:
      advance(input, sizeAt(input));
      return;
    case LIST:
    case SET: {
      const { count, elements } = listHeader(input);
      for (let index = 0; index < count; index++) skipElement(input, elements, depth);
      return;
    }
    case MAP: {
      const count = sizeAt(input);
      const types = count === 0 ? 0 : next(input);
      for (let index = 0; index < count; index++) {
        skipElement(input, types >> 4, depth);
        skipElement(input, types & 0x0f, depth);
      }
      return;
    }
    case STRUCT:
      for (let header = next(input); (header & 0x0f) !== STOP; header = next(input)) {
        if (header >> 4 === 0) varint(input);
        skip(input, header & 0x0f, depth + 1);
      }
      return;
    case UUID:
      advance(input, UUID_BYTES);
      return;
    default:
      throw new ThriftError(`has a value of the unknown type ${type}`);
  }
}

/** In a collection a boolean has a byte of its own. */
function skipElement(input: ThriftInput, type: number, depth: number): void {
  skip(input, type === TRUE || type === FALSE ? I8 : type, depth + 1);
}

function listHeader(input: ThriftInput): { count: number; elements: number } {
  const header = next(input);
  const elements = header & 0x0f;
  if (header >> 4 < 15) return { count: header >> 4, elements };
  return { count: sizeAt(input), elements };
}

/** A length. Every element has at least one byte, so that no length exceeds the bytes that are left. */
function sizeAt(input: ThriftInput): number {
  const size = varint(input);
  if (size > input.bytes.length - input.offset) throw ended();
  return size;
}

function zigzag(input: ThriftInput): number {
  const isNegative = ((input.bytes[input.offset] ?? 0) & 1) === 1;
  const half = Math.floor(varint(input) / 2);
  return isNegative ? -half - 1 : half;
}

/** Exact below 2^53. */
function varint(input: ThriftInput): number {
  let value = 0;
  let scale = 1;
  for (let bytes = 0; bytes < MAX_VARINT_BYTES; bytes++) {
    const byte = next(input);
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
    scale *= 128;
  }
  throw new ThriftError('has an integer of more than 64 bits');
}

function advance(input: ThriftInput, bytes: number): void {
  if (bytes > input.bytes.length - input.offset) throw ended();
  input.offset += bytes;
}

function next(input: ThriftInput): number {
  const byte = input.bytes[input.offset];
  if (byte === undefined) throw ended();
  input.offset++;
  return byte;
}

const ended = (): ThriftError => new ThriftError('ends beyond the bytes');
