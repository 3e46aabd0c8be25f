/** Compares lines of different implementations, which may have different orders. */
import { createHash } from 'node:crypto';

/** A checksum of lines that does not depend on their order: the sum of their hashes, truncated to 64 bits. */
export class LineSet {
  lines = 0;
  bytes = 0;
  private sum = 0n;

  add(line: string): void {
    this.lines++;
    this.bytes += Buffer.byteLength(line);
    const hash = createHash('sha256').update(line).digest().readBigUInt64LE();
    this.sum = BigInt.asUintN(64, this.sum + hash);
  }

  toString(): string {
    return `${this.lines} lines, ${this.bytes} bytes, hash ${this.sum.toString(16)}`;
  }
}
