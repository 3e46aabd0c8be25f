/** Numbers the distinct byte strings of a column, so that all further work on text is done once per distinct value. */

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class Interner {
  /** The distinct values by number; undefined for bytes that are not UTF-8. */
  readonly values: (string | undefined)[] = [];
  private slots = new Int32Array(1024).fill(-1);
  private readonly hashes: number[] = [];
  private readonly ends: number[] = [0];
  private arena = new Uint8Array(16 * 1024);

  /** Bytes of all distinct values. */
  get bytes(): number {
    return this.ends[this.ends.length - 1] as number;
  }

  /** The number of `source[start..end)`, the next free one where it was not seen before. */
  idOf(source: Uint8Array, start: number, end: number): number {
    let hash = (end - start) | 0;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ (source[at] as number), 0x9e3779b1) ^ (hash >>> 15);
    const mask = this.slots.length - 1;
    for (let slot = (hash ^ (hash >>> 17)) & mask; ; slot = (slot + 1) & mask) {
      const id = this.slots[slot] as number;
      if (id < 0) return this.add(source, start, end, hash, slot);
      if (this.hashes[id] === hash && this.holds(id, source, start, end)) return id;
    }
  }

  idOfText(text: string): number {
    const bytes = Buffer.from(text);
    return this.idOf(bytes, 0, bytes.length);
  }

  private holds(id: number, source: Uint8Array, start: number, end: number): boolean {
    let at = this.ends[id] as number;
    if ((this.ends[id + 1] as number) - at !== end - start) return false;
    for (let from = start; from < end; from++) if (this.arena[at++] !== source[from]) return false;
    return true;
  }

  private add(source: Uint8Array, start: number, end: number, hash: number, slot: number): number {
    const id = this.values.length;
    const from = this.bytes;
    const to = from + end - start;
    if (to > this.arena.length) {
      const larger = new Uint8Array(Math.max(to, this.arena.length * 2));
      larger.set(this.arena);
      this.arena = larger;
    }
    const copy = this.arena.subarray(from, to);
    copy.set(source.subarray(start, end));
    this.values.push(decoded(copy));
    this.hashes.push(hash);
    this.ends.push(to);
    this.slots[slot] = id;
    if (this.values.length * 2 > this.slots.length) this.grow();
    return id;
  }

  private grow(): void {
    this.slots = new Int32Array(this.slots.length * 2).fill(-1);
    const mask = this.slots.length - 1;
    for (const [id, hash] of this.hashes.entries()) {
      let slot = (hash ^ (hash >>> 17)) & mask;
      while ((this.slots[slot] as number) >= 0) slot = (slot + 1) & mask;
      this.slots[slot] = id;
    }
  }
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
