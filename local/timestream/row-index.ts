/** Finds rows by the hashes of their records. */
import type { RecordHash } from './record-hash';

const NO_ROWS: readonly number[] = [];
const FIRST_CAPACITY = 1_024;

/**
 * A hash table with open addressing and linear probing over typed arrays: a row takes 16 bytes, and at least a quarter of the places are
 * free, so that is 21 to 43 bytes of memory. With a Map of identities as texts it was 230.
 */
export class RowIndex {
  /** High and low half of the hash at each place. */
  private hashes = new Uint32Array(2 * FIRST_CAPACITY);
  /** The row's number + 1; 0 is a free place. */
  private rows = new Float64Array(FIRST_CAPACITY);
  private size = 0;
  private nextRow = 0;

  /** Bytes of memory. */
  get bytes(): number {
    return this.hashes.byteLength + this.rows.byteLength;
  }

  /** The numbers of the rows with this hash; different records may have the same hash. */
  rowsOf(hash: RecordHash): readonly number[] {
    let found = NO_ROWS;
    for (let at = this.home(hash.low); this.rows[at] !== 0; at = this.after(at)) {
      if (this.isAt(at, hash)) found = [...found, (this.rows[at] ?? 0) - 1];
    }
    return found;
  }

  add(hash: RecordHash, row: number): void {
    if (this.size >= this.rows.length * 0.75) this.grow();
    this.put(hash.high, hash.low, row + 1);
    this.size += 1;
    this.nextRow = Math.max(this.nextRow, row + 1);
  }

  /** A number for a new row; rows are numbered in the order of writing. */
  takeRow(): number {
    this.nextRow += 1;
    return this.nextRow - 1;
  }

  /** Another row now has the record of this hash. */
  replace(hash: RecordHash, oldRow: number, newRow: number): void {
    let at = this.home(hash.low);
    while (this.rows[at] !== oldRow + 1 || !this.isAt(at, hash)) {
      if (this.rows[at] === 0) throw new Error(`row ${oldRow} is not in the index`);
      at = this.after(at);
    }
    this.rows[at] = newRow + 1;
  }

  private put(high: number, low: number, value: number): void {
    let at = this.home(low);
    while (this.rows[at] !== 0) at = this.after(at);
    this.hashes[2 * at] = high;
    this.hashes[2 * at + 1] = low;
    this.rows[at] = value;
  }

  private grow(): void {
    const { hashes, rows } = this;
    this.hashes = new Uint32Array(2 * hashes.length);
    this.rows = new Float64Array(2 * rows.length);
    for (let at = 0; at < rows.length; at++) {
      const value = rows[at] ?? 0;
      if (value !== 0) this.put(hashes[2 * at] ?? 0, hashes[2 * at + 1] ?? 0, value);
    }
  }

  private home(low: number): number {
    return low & (this.rows.length - 1);
  }

  private after(at: number): number {
    return (at + 1) & (this.rows.length - 1);
  }

  private isAt(at: number, { high, low }: RecordHash): boolean {
    return this.hashes[2 * at + 1] === low && this.hashes[2 * at] === high;
  }
}
