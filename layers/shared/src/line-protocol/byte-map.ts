/** A hash table with ranges of one buffer as keys. It compares keys by their bytes and stores their positions, so it makes no strings. */

import { sameBytesWithin } from './words';

export class ByteMap<Value> {
  /** Open addressing: index into the lists below, plus one. */
  private slots: Int32Array;
  private readonly hashes: number[] = [];
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  private readonly values: Value[] = [];

  /** @param capacity expected number of keys */
  constructor(capacity = 128) {
    this.slots = new Int32Array(2 ** Math.ceil(Math.log2(capacity * 2)));
  }

  /** @param hash `hashBytes` of the key */
  get(view: DataView, start: number, end: number, hash: number): Value | undefined {
    const { slots, hashes, starts, ends } = this;
    const mask = slots.length - 1;
    for (let slot = mix(hash) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const entry = slots[slot] - 1;
      if (
        hashes[entry] === hash &&
        ends[entry] - starts[entry] === end - start &&
        sameBytesWithin(view, starts[entry], start, end - start)
      ) {
        return this.values[entry];
      }
    }
    return undefined;
  }

  /** Adds a key that is not in the map. The caller must not change the bytes of the key afterwards. */
  add(start: number, end: number, hash: number, value: Value): void {
    this.hashes.push(hash);
    this.starts.push(start);
    this.ends.push(end);
    this.values.push(value);
    if (this.values.length * 2 > this.slots.length) this.grow();
    else this.place(this.values.length - 1);
  }

  private place(entry: number): void {
    const mask = this.slots.length - 1;
    let slot = mix(this.hashes[entry]) & mask;
    while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
    this.slots[slot] = entry + 1;
  }

  private grow(): void {
    this.slots = new Int32Array(this.slots.length * 2);
    for (let entry = 0; entry < this.values.length; entry++) this.place(entry);
  }
}

/**
 * A keyed hash: starts with HASH_BASIS and calls `hashByte` for each byte. Basis and multiplier are random in each process, so that a
 * client cannot prepare keys that collide. The rotation moves the high bits of a product to the low bits of the next one. Without it,
 * as in FNV-1a, the low byte of the basis alone decides which keys collide.
 */
export const HASH_BASIS = randomInteger();
const MULTIPLIER = randomInteger() | 1;

function randomInteger(): number {
  return (Math.random() * 2 ** 32) | 0;
}

/** @param multiplier an odd 32-bit integer */
export function hashByte(hash: number, byte: number, multiplier = MULTIPLIER): number {
  const product = Math.imul(hash ^ byte, multiplier);
  return (product << 13) | (product >>> 19);
}

export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = HASH_BASIS;
  for (let at = start; at < end; at++) hash = hashByte(hash, bytes[at]);
  return hash;
}

/** Mixes all bits of a hash into its lowest bits, which choose the slot. Source: the finalizer of MurmurHash3. */
function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
