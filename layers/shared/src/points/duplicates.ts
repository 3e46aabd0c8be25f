/** Counts points whose series and time were seen before, in bounded memory. */
import { discard } from '../parquet/discard';

/** Points remembered at once: 8 MB, or 24 MB once a series goes back in time. Duplicates farther apart in a run go uncounted. */
const MOST = 1 << 20;

/**
 * While the times of each series only rise, which is how files are mostly written, a duplicate can only be of its series' last time,
 * and points are just noted. The first one that goes back in time puts them all into a table, which further ones are looked up in:
 * 10 ns a point instead of 200, most of which waits for memory.
 */
export class DuplicateCounter {
  count = 0;
  /** Two words a point, a fingerprint of 64 bits: two different points out of a million share one by a chance of 1 in 30 million. */
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
    if (2 * this.points >= this.noted.length) this.growNoted();
    this.noted[2 * this.points] = a;
    this.noted[2 * this.points + 1] = b;
    this.points++;
  }

  /** Series numbers begin anew: what was remembered under the old ones means nothing. */
  forget(): void {
    this.points = 0;
    this.lastSeconds = [];
    this.lastNanos = [];
    this.replaceTable(undefined);
  }

  /** Frees what it remembers; the count stays, and nothing may be added. */
  free(): void {
    this.forget();
    discard(this.noted.buffer);
  }

  private growNoted(): void {
    if (this.points >= MOST) {
      this.forget();
      return;
    }
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

  /** Slots for twice the points that can be noted before it grows. */
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
