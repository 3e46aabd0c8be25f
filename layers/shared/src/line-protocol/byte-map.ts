/** A hash table whose keys are stretches of one buffer, found by their bytes and kept as positions: no string is made. */

import { sameBytesWithin } from './words';

export class ByteMap<Value> {
  /** Open addressing: index into the lists below, plus one. */
  private slots: Int32Array;
  private readonly hashes: number[] = [];
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  private readonly values: Value[] = [];

  /** @param capacity how many keys to expect */
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

  /** Adds a key that is not in the map; its bytes must stay as they are. */
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
 * FNV-1a: `hash = Math.imul(hash ^ byte, FNV_PRIME)` from FNV_BASIS on, for each byte. The basis is another one in each process, so
 * that nobody can send keys that collide.
 */
export const FNV_BASIS = (Math.random() * 2 ** 32) | 0;
export const FNV_PRIME = 0x01000193;

export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = FNV_BASIS;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at], FNV_PRIME);
  return hash;
}

/** Spreads a hash over all of its bits, as its lowest ones choose the slot. Source: the finaliser of MurmurHash3. */
function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
