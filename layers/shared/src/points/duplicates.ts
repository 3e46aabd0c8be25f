/** Counts points whose series and time were seen before, in bounded memory. */

/** Points remembered at once: 16 MB. A run of more rows is counted in parts, so duplicates far apart go uncounted. */
const MOST = 1 << 20;

export class DuplicateCounter {
  count = 0;
  /** Two words a point, a fingerprint of 64 bits: two different points out of a million share one by a chance of 1 in 30 million. */
  private slots = new Int32Array(2 * 4096);
  private used = 0;

  /** Series numbers have begun anew: what was remembered under the old ones means nothing. */
  forget(): void {
    this.slots.fill(0);
    this.used = 0;
  }

  add(series: number, seconds: number, nanos: number): void {
    let a = Math.imul(series ^ 0x5bd1e995, 0x9e3779b1) ^ Math.imul(seconds | 0, 0x85ebca6b);
    a = Math.imul(a ^ (a >>> 15), 0xc2b2ae35) ^ nanos;
    a = Math.imul(a ^ (a >>> 13), 0x27d4eb2f) ^ (a >>> 16);
    let b = Math.imul((seconds | 0) ^ 0x165667b1, 0xc2b2ae3d) ^ Math.imul(nanos, 0x9e3779b1) ^ series;
    b = Math.imul(b ^ (b >>> 16), 0x7feb352d) ^ Math.imul(Math.floor(seconds / 4294967296), 0x846ca68b);
    b = (b ^ (b >>> 15)) | 1; // never 0, which marks a free slot
    if (this.insert(a, b)) return;
    this.count++;
  }

  private insert(a: number, b: number): boolean {
    const mask = this.slots.length / 2 - 1;
    for (let slot = a & mask; ; slot = (slot + 1) & mask) {
      const word = this.slots[2 * slot + 1];
      if (word === 0) {
        this.slots[2 * slot] = a;
        this.slots[2 * slot + 1] = b;
        if (++this.used * 2 > mask) this.grow();
        return true;
      }
      if (word === b && this.slots[2 * slot] === a) return false;
    }
  }

  private grow(): void {
    if (this.used >= MOST) return this.forget();
    const old = this.slots;
    this.slots = new Int32Array(old.length * 2);
    this.used = 0;
    for (let at = 0; at < old.length; at += 2)
      if (old[at + 1] !== 0) this.insert(old[at] as number, old[at + 1] as number);
  }
}
