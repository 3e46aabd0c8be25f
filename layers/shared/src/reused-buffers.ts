/** Buffers that the next request reuses. Fresh memory from the kernel takes longer than writing the bytes. */

/** Maximum total size of the unused buffers: enough for a request of 15,000 wide lines. */
const MAX_IDLE_BYTES = 16 * 1024 * 1024;

/** Smaller buffers are not kept: there may be thousands of them, and new ones are cheap. */
const MIN_IDLE_BYTES = 16 * 1024;

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
  if (buffer.length < MIN_IDLE_BYTES) return;
  const bytes = idle.reduce((sum, { length }) => sum + length, buffer.length);
  if (bytes <= MAX_IDLE_BYTES) idle.push(buffer);
}

/** `borrowBuffer` for at least this number of integers. */
export function borrowIntegers(length: number): Int32Array<ArrayBuffer> {
  if (length * 4 < MIN_IDLE_BYTES) return new Int32Array(length);
  const { buffer, byteLength } = borrowBuffer(length * 4);
  return new Int32Array(buffer as ArrayBuffer, 0, byteLength >> 2);
}

export function returnIntegers(integers: Int32Array<ArrayBuffer>): void {
  if (integers.byteLength >= MIN_IDLE_BYTES) returnBuffer(Buffer.from(integers.buffer));
}

/** The integers; if `length` does not fit, in a longer array, which replaces them. */
export function withRoom(integers: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  if (length <= integers.length) return integers;
  const longer = borrowIntegers(Math.max(integers.length * 2, length));
  longer.set(integers);
  returnIntegers(integers);
  return longer;
}
