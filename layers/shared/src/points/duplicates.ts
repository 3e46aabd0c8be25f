/** Counts points that repeat an earlier series and time, in bounded memory. */
import { discard } from '../parquet/discard';

/** Points kept at once: 8 MB, or 24 MB once a series goes back in time. Duplicates farther apart in a run are not counted. */
const MAX_POINTS = 1 << 20;

/**
 * Most files are written in the order of time. While the times of each series only rise, a duplicate can only repeat the last time of
 * its series, and points are only noted: 10 ns per point. The first point that goes back in time moves all noted points into a table,
 * in which later points are looked up: 200 ns per point, mostly spent on waiting for memory.
 */
export class DuplicateCounter {
  count = 0;
  /** A fingerprint of 64 bits per point, in two words. The chance that two of a million points share one is 1 in 30 million. */
  private noted = new Int32Array(2 * 4096);
  private points = 0;
  /** By series. */
  private lastSeconds: number[] = [];
  private lastNanos: number[] = [];
  private table: Int32Array<ArrayBuffer> | undefined;

  add(series: number, seconds: number, nanos: number): void {
    if (!this.table) {
      const last = this.lastSeconds[series] ?? Number.NEGATIVE_INFINITY;
      if (seconds === last && nanos === this.lastNanos[series]) {
        this.count++;
        return;
      }
      if (seconds > last || (seconds === last && nanos > this.lastNanos[series])) {
        this.lastSeconds[series] = seconds;
        this.lastNanos[series] = nanos;
      } else this.table = this.tableOfNoted();
    }
    const low = seconds | 0;
    const high = Math.floor(seconds / 4294967296);
    const a = mix(mix(series ^ 0x5bd1e995, low), nanos ^ high);
    const b = mix(mix(nanos ^ 0x165667b1, series), low + high) | 1; // never 0, which marks a free slot
    if (this.table && !insert(this.table, a, b)) {
      this.count++;
      return;
    }
    if (2 * this.points >= this.noted.length) {
      if (this.points >= MAX_POINTS) {
        this.forget();
        this.add(series, seconds, nanos);
        return;
      }
      this.growNoted();
      if (this.table) insert(this.table, a, b);
    }
    this.noted[2 * this.points] = a;
    this.noted[2 * this.points + 1] = b;
    this.points++;
  }

  /** Drops all points, because the numbers of series begin again at 0. */
  forget(): void {
    this.points = 0;
    this.lastSeconds = [];
    this.lastNanos = [];
    this.replaceTable(undefined);
  }

  /** Frees the memory. The count stays; add no more points. */
  free(): void {
    this.forget();
    discard(this.noted.buffer);
  }

  private growNoted(): void {
    const larger = new Int32Array(this.noted.length * 2);
    larger.set(this.noted);
    discard(this.noted.buffer);
    this.noted = larger;
    if (this.table) this.replaceTable(this.tableOfNoted());
  }

  private replaceTable(table: Int32Array<ArrayBuffer> | undefined): void {
    if (this.table) discard(this.table.buffer);
    this.table = table;
  }

  /** Builds the table, with twice as many slots as points can be noted before it grows. */
  private tableOfNoted(): Int32Array<ArrayBuffer> {
    const table = new Int32Array(2 * this.noted.length);
    for (let point = 0; point < this.points; point++) {
      insert(table, this.noted[2 * point], this.noted[2 * point + 1]);
    }
    return table;
  }
}

/** Whether the fingerprint was new. */
function insert(table: Int32Array, a: number, b: number): boolean {
  const mask = table.length / 2 - 1;
  for (let slot = a & mask; ; slot = (slot + 1) & mask) {
    const word = table[2 * slot + 1];
    if (word === b && table[2 * slot] === a) return false;
    if (word !== 0) continue;
    table[2 * slot] = a;
    table[2 * slot + 1] = b;
    return true;
  }
}

function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ Math.imul(word, 0x85ebca6b), 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}
