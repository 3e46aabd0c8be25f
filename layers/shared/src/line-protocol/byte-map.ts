/**
 * Numbers the distinct texts in ranges of one buffer, from 0 in the order of their addition. It compares them by their bytes and stores
 * their positions, so it makes no strings; callers keep what belongs to a text in columns of their own.
 */

import { borrowIntegers, returnIntegers, withRoom } from '../reused-buffers';
import { LITTLE_ENDIAN, sameBytesWithin } from './words';

/** Numbers per text: hash, start, end. */
const WIDTH = 3;

export class ByteMap {
  /** Number of texts. */
  length = 0;
  private readonly slots: HashSlots;
  private rows: Int32Array<ArrayBuffer>;

  /** @param capacity expected number of texts */
  constructor(capacity = 16) {
    this.slots = new HashSlots(capacity);
    this.rows = new Int32Array(capacity * WIDTH);
  }

  /** The number of a text; -1 if it was not added. @param hash `hashBytes` of the text */
  find(view: DataView, start: number, end: number, hash: number): number {
    const { rows, slots } = this;
    for (let slot = slots.first(hash); ; slot = slots.next(slot)) {
      const text = slots.at(slot);
      if (text < 0) return -1;
      const row = text * WIDTH;
      const from = rows[row + 1];
      if (rows[row] === hash && rows[row + 2] - from === end - start && sameBytesWithin(view, from, start, end - start))
        return text;
    }
  }

  /** Adds a text that is not in the map, and returns its number. The caller must not change the bytes of the text afterwards. */
  add(start: number, end: number, hash: number): number {
    const text = this.length++;
    this.rows = withRoom(this.rows, this.length * WIDTH);
    const row = text * WIDTH;
    this.rows[row] = hash;
    this.rows[row + 1] = start;
    this.rows[row + 2] = end;
    if (!this.slots.add(hash, text)) this.rehash();
    return text;
  }

  startOf(text: number): number {
    return this.rows[text * WIDTH + 1];
  }

  endOf(text: number): number {
    return this.rows[text * WIDTH + 2];
  }

  /** Returns the memory for reuse. The map cannot be used afterwards. */
  release(): void {
    returnIntegers(this.rows);
    this.slots.release();
  }

  private rehash(): void {
    this.slots.double();
    for (let text = 0; text < this.length; text++) this.slots.add(this.rows[text * WIDTH], text);
  }
}

/** A hash table of numbers with open addressing. Its users compare keys: they go from slot to slot until they find theirs or none. */
export class HashSlots {
  /** Numbers plus one; 0 in an unused slot. */
  private slots: Int32Array<ArrayBuffer>;
  private used = 0;

  constructor(capacity: number) {
    this.slots = emptySlots(2 ** Math.ceil(Math.log2(capacity * 2)));
  }

  /** The first slot for a hash. */
  first(hash: number): number {
    return mix(hash) & (this.slots.length - 1);
  }

  next(slot: number): number {
    return (slot + 1) & (this.slots.length - 1);
  }

  /** The number in a slot; -1 for none. */
  at(slot: number): number {
    return this.slots[slot] - 1;
  }

  /** Adds a number. False if the table is too full: then the caller must `double` it and add all numbers again. */
  add(hash: number, number: number): boolean {
    if (++this.used * 2 > this.slots.length) return false;
    let slot = this.first(hash);
    while (this.slots[slot] !== 0) slot = this.next(slot);
    this.slots[slot] = number + 1;
    return true;
  }

  /** Removes all numbers and doubles the capacity. */
  double(): void {
    const { length } = this.slots;
    this.release();
    this.slots = emptySlots(length * 2);
    this.used = 0;
  }

  /** Returns the memory for reuse. */
  release(): void {
    returnIntegers(this.slots);
  }
}

/** @param length a power of two */
const emptySlots = (length: number): Int32Array<ArrayBuffer> => borrowIntegers(length).subarray(0, length).fill(0);

/**
 * A keyed hash: starts with HASH_BASIS and calls `hashWord` for each four bytes. Basis and multipliers are random in each process, so that a
 * client cannot prepare keys that collide. One multiplication is not enough: it turns a difference in the highest bit of a word into a
 * difference in the highest bit of the hash whatever its multiplier, which the next word could undo. The rotation moves that bit to the low
 * bits, and the second multiplication spreads it.
 */
export const HASH_BASIS = randomInteger();
const MULTIPLIERS: Multipliers = [randomInteger() | 1, randomInteger() | 1];
export type Multipliers = readonly [number, number];
const [FIRST_MULTIPLIER, SECOND_MULTIPLIER] = MULTIPLIERS;

function randomInteger(): number {
  return (Math.random() * 2 ** 32) | 0;
}

/** @param first an odd 32-bit integer @param second another one */
export function hashWord(hash: number, word: number, first = FIRST_MULTIPLIER, second = SECOND_MULTIPLIER): number {
  const product = Math.imul(hash ^ word, first);
  return Math.imul((product << 13) | (product >>> 19), second);
}

/** The hash of a text, four bytes at a time; the last word has the rest and its length. */
export function hashBytes(view: DataView, start: number, end: number): number {
  let hash = HASH_BASIS;
  let at = start;
  for (; at + 4 <= end; at += 4) hash = hashWord(hash, view.getInt32(at, LITTLE_ENDIAN));
  return hashRest(hash, view, at, end);
}

/** Ends a hash with the 0 to 3 bytes `start..end`. */
export function hashRest(hash: number, view: DataView, start: number, end: number): number {
  let rest = end - start;
  for (let at = start; at < end; at++) rest = (rest << 8) | view.getUint8(at);
  return hashWord(hash, rest);
}

/** Mixes all bits of a hash into its lowest bits, which choose the slot. Source: the finalizer of MurmurHash3. */
function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
