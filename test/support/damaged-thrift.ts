/** Parquet files in which a Thrift structure, the footer or a page header, has values of other types and sizes than it declares. */
import fc from 'fast-check';
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js';
import { ByteWriter } from 'hyparquet-writer/src/bytewriter.js';
import { serializeTCompactProtocol } from 'hyparquet-writer/src/thrift.js';

type Structure = Record<`field_${number}`, unknown>;

const TRAILER_BYTES = 8;
const MAGIC = Buffer.from('PAR1');

const number = fc.oneof(fc.constantFrom(-1, 0, 1, 2, 3, 7, 255, 2 ** 31 - 1, -(2 ** 31)), fc.integer());
const bigint = fc.oneof(
  fc.constantFrom(-1n, 0n, 1n, 2n ** 31n, 2n ** 53n, 2n ** 62n, -(2n ** 62n)),
  fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
);
const scalar = fc.oneof(number, bigint, fc.boolean(), fc.string(), fc.uint8Array({ maxLength: 20 }));

/** Structures in structures, some deeper than any reader should follow. */
const nested = fc.integer({ min: 1, max: 200 }).map((depth) => {
  let value: Structure = {};
  for (let level = 0; level < depth; level++) value = { [`field_${1 + (level % 5)}`]: value };
  return value;
});
/** One type of element, as Thrift has no other lists. */
const list = fc.oneof(
  ...[number, bigint, fc.boolean(), fc.string(), fc.constant({})].map((item) =>
    fc.array<unknown>(item, { maxLength: 40 }),
  ),
);
const structure = fc.dictionary(
  fc.integer({ min: 1, max: 20 }).map((id) => `field_${id}`),
  scalar,
  { maxKeys: 4 },
);
const anything = fc.oneof({ weight: 4, arbitrary: scalar }, list, structure, nested);

/** A change: the place is a number that selects one value of the structure, at any depth. */
const change = fc.record({
  place: fc.nat(100_000),
  how: fc.constantFrom('replace', 'remove', 'add', 'repeat'),
  id: fc.integer({ min: 1, max: 20 }),
  value: anything,
});
export type ThriftChange = typeof change extends fc.Arbitrary<infer T> ? T : never;

export const thriftChanges = (): fc.Arbitrary<ThriftChange[]> => fc.array(change, { minLength: 1, maxLength: 3 });

/** @throws Error where the changed structure cannot be written */
export function withChangedFooter(file: Uint8Array, changes: readonly ThriftChange[]): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const start = file.length - TRAILER_BYTES - view.getUint32(file.length - TRAILER_BYTES, true);
  const footer = written(changed(deserializeTCompactProtocol({ view, offset: start }), changes));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(footer.length);
  return Buffer.concat([file.subarray(0, start), footer, length, MAGIC]);
}

/** Overwrites the page header at `start`, and what is behind it where the new one is longer. */
export function withChangedPageHeader(file: Uint8Array, start: number, changes: readonly ThriftChange[]): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const header = written(changed(deserializeTCompactProtocol({ view, offset: start }), changes));
  const bytes = file.slice();
  const end = file.length - TRAILER_BYTES - view.getUint32(file.length - TRAILER_BYTES, true);
  bytes.set(header.subarray(0, end - start), start);
  return bytes;
}

function changed(whole: Structure, changes: readonly ThriftChange[]): Structure {
  for (const { place, how, id, value } of changes) {
    const places = placesIn(whole);
    const found = places[place % places.length];
    if (!found) continue;
    const { holder, key } = found;
    if (Array.isArray(holder)) {
      const index = Number(key);
      if (how === 'remove') holder.splice(index, 1);
      else if (how === 'replace') holder.splice(index, 1, value);
      else holder.splice(index, 0, ...Array.from({ length: how === 'add' ? 1 : id }, () => holder[index]));
    } else if (how === 'remove') delete holder[key];
    else if (how === 'add') holder[`field_${id}`] = value;
    else holder[key] = value;
  }
  return whole;
}

/** All values of a structure, by what holds them. */
function placesIn(value: unknown): { holder: Record<string, unknown> | unknown[]; key: string }[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  const holder = value as Record<string, unknown> | unknown[];
  return Object.entries(holder).flatMap(([key, inner]) => [{ holder, key }, ...placesIn(inner)]);
}

function written(structure: Structure): Uint8Array {
  const writer = new ByteWriter();
  serializeTCompactProtocol(writer, sorted(structure) as Structure);
  return writer.getBytes();
}

/** Field ids must ascend. Lists of several types cannot be written: the first one's type decides. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(sorted);
    return items.filter((item) => kindOf(item) === kindOf(items[0]));
  }
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  const entries = Object.entries(value).map(([key, inner]) => [Number(key.slice('field_'.length)), inner] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => a - b).map(([id, inner]) => [`field_${id}`, sorted(inner)]));
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  return value instanceof Uint8Array || typeof value === 'string' ? 'binary' : typeof value;
}
