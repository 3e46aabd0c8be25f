/** Numbers the distinct pairs of small integers: chained over columns, it numbers the distinct combinations of their values. */

export class PairTable {
  /** The pairs by number. */
  readonly first: number[] = [];
  readonly second: number[] = [];
  private slots = new Int32Array(1024).fill(-1);

  idOf(a: number, b: number): number {
    const mask = this.slots.length - 1;
    for (let slot = hashOf(a, b) & mask; ; slot = (slot + 1) & mask) {
      const id = this.slots[slot] as number;
      if (id < 0) return this.add(a, b, slot);
      if (this.first[id] === a && this.second[id] === b) return id;
    }
  }

  private add(a: number, b: number, slot: number): number {
    const id = this.first.length;
    this.first.push(a);
    this.second.push(b);
    this.slots[slot] = id;
    if (this.first.length * 2 > this.slots.length) this.grow();
    return id;
  }

  private grow(): void {
    this.slots = new Int32Array(this.slots.length * 2).fill(-1);
    const mask = this.slots.length - 1;
    for (let id = 0; id < this.first.length; id++) {
      let slot = hashOf(this.first[id] as number, this.second[id] as number) & mask;
      while ((this.slots[slot] as number) >= 0) slot = (slot + 1) & mask;
      this.slots[slot] = id;
    }
  }
}

function hashOf(a: number, b: number): number {
  const mixed = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
