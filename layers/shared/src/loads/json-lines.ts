/** Collects objects as JSON Lines. Keeps bytes in memory, because strings take twice as much. */

const CHUNK_CHARACTERS = 64 * 1024;

export class JsonLines {
  count = 0;
  /** Approximate: counts characters. */
  bytes = 0;
  private readonly chunks: Uint8Array[] = [];
  private pending = '';

  add(value: unknown): void {
    const line = `${JSON.stringify(value)}\n`;
    this.count += 1;
    this.bytes += line.length;
    this.pending += line;
    if (this.pending.length >= CHUNK_CHARACTERS) this.encode();
  }

  text(): Uint8Array {
    this.encode();
    return Buffer.concat(this.chunks);
  }

  private encode(): void {
    this.chunks.push(Buffer.from(this.pending));
    this.pending = '';
  }
}
