/** Numbers the distinct tuples of small integers, such as the value numbers of a row's text columns. */

export class TupleTable {
  /** Tuples seen so far. */
  size = 0;
  /** The tuples by number, one after another. */
  private members: Int32Array;
  private slots = new Int32Array(1024).fill(-1);

  /** @param width integers per tuple. */
  constructor(private readonly width: number) {
    this.members = new Int32Array(512 * width);
  }

  /** The number of the tuple at `start` of `source`; a new tuple gets the next free number. */
  idOf(source: Int32Array, start: number): number {
    const hash = this.hashOf(source, start);
    const mask = this.slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const id = this.slots[slot];
      if (id < 0) return this.add(source, start, slot);
      if (this.isEqual(id, source, start)) return id;
    }
  }

  /** Member `index` of tuple `id`. */
  member(id: number, index: number): number {
    return this.members[id * this.width + index];
  }

  private isEqual(id: number, source: Int32Array, start: number): boolean {
    const own = id * this.width;
    for (let index = 0; index < this.width; index++) {
      if (this.members[own + index] !== source[start + index]) return false;
    }
    return true;
  }

  private hashOf(source: Int32Array, start: number): number {
    let hash = 0;
    for (let index = 0; index < this.width; index++) {
      hash = Math.imul(hash ^ source[start + index], 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    return hash;
  }

  private add(source: Int32Array, start: number, slot: number): number {
    const id = this.size++;
    this.members.set(source.subarray(start, start + this.width), id * this.width);
    this.slots[slot] = id;
    if (this.size * 2 >= this.slots.length) this.grow();
    return id;
  }

  private grow(): void {
    const members = new Int32Array(this.members.length * 2);
    members.set(this.members);
    this.members = members;
    this.slots = new Int32Array(this.slots.length * 2).fill(-1);
    const mask = this.slots.length - 1;
    for (let id = 0; id < this.size; id++) {
      let slot = this.hashOf(members, id * this.width) & mask;
      while (this.slots[slot] >= 0) slot = (slot + 1) & mask;
      this.slots[slot] = id;
    }
  }
}
