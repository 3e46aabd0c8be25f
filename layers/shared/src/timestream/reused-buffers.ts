/** Buffers that the next request reuses. Fresh memory from the kernel takes longer than writing the bytes. */

/** Maximum total size of the unused buffers: enough for a request of 15,000 wide lines. */
const MAX_IDLE_BYTES = 16 * 1024 * 1024;

let idle: Buffer[] = [];

/** Returns the smallest unused buffer with at least this capacity, or a new one. Its content is not defined. Its memory is its own. */
export function borrowBuffer(capacity: number): Buffer {
  let best: Buffer | undefined;
  for (const each of idle) {
    if (each.length >= capacity && (best === undefined || each.length < best.length)) best = each;
  }
  if (best === undefined) return Buffer.allocUnsafeSlow(capacity);
  idle = idle.filter((each) => each !== best);
  return best;
}

/** Returns a buffer for the next `borrowBuffer`. The caller must not use its bytes afterwards. */
export function returnBuffer(buffer: Buffer): void {
  const bytes = idle.reduce((sum, { length }) => sum + length, buffer.length);
  if (bytes <= MAX_IDLE_BYTES) idle.push(buffer);
}
