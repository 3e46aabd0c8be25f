/** Collects lines in large buffers and cuts them into batches, so that a batch is a view and never a copy. */

export interface BatchLimits {
  /** Maximum lines per batch. */
  readonly lines: number;
  /** Maximum bytes per batch; only a batch of one longer line exceeds it. */
  readonly bytes: number;
}

/** Lines of line protocol, each with its line break: one or more points. */
export interface LineBatch {
  readonly bytes: Uint8Array;
  readonly lines: number;
  /**
   * Returns the bytes for reuse. Call it once; do not touch the bytes afterwards. Without the call, the garbage collector frees them.
   */
  readonly release?: () => void;
}

/** Several consecutive batches in one buffer, which changes its owner as a whole. */
export interface Chunk {
  readonly buffer: ArrayBuffer;
  readonly batches: readonly { readonly end: number; readonly lines: number }[];
}

/** A buffer is emitted once its batches have this many bytes: few messages between threads, little memory in each. */
const CHUNK_BYTES = 1024 * 1024;
/** A buffer has room for a chunk and the beginning of the next batch, and grows for longer batches. */
const BUFFER_BYTES = CHUNK_BYTES + CHUNK_BYTES / 4;

export class BatchBuffer {
  /** Where the next line begins. */
  position = 0;
  /** Bytes of all lines so far. */
  total = 0;
  /** The whole buffer to write to; `room` and `endLine` may replace it. */
  bytes = new Uint8Array(BUFFER_BYTES);
  view = new DataView(this.bytes.buffer);
  private batches: { end: number; lines: number }[] = [];
  private begun = 0;
  private lines = 0;

  /**
   * @param emit takes a full buffer; without it the lines are counted and dropped.
   * @param spare returns a buffer that was emitted and is no longer in use, if there is one.
   */
  constructor(
    private readonly limits: BatchLimits,
    private readonly emit?: (chunk: Chunk) => void,
    private readonly spare: () => ArrayBuffer | undefined = () => undefined,
  ) {}

  /** Makes room for a line of up to `size` bytes at `position`. */
  room(size: number): void {
    if (this.position + size > this.bytes.length) {
      if (this.batches.length > 0) this.handOver();
      if (this.position + size > this.bytes.length) this.renew(Math.max(this.bytes.length * 2, this.position + size));
    }
  }

  /** The line that began at `position` ends before `end`. */
  endLine(end: number): void {
    this.total += end - this.position;
    if (end - this.begun > this.limits.bytes && this.lines > 0) this.cut();
    this.position = end;
    this.lines++;
    if (this.lines >= this.limits.lines) this.cut();
    if (this.begun >= CHUNK_BYTES) this.handOver();
  }

  /** Makes a batch of the last lines, however few, and emits everything. */
  flush(): void {
    if (this.lines > 0) this.cut();
    if (this.batches.length > 0) this.handOver();
  }

  private cut(): void {
    this.batches.push({ end: this.position, lines: this.lines });
    this.begun = this.position;
    this.lines = 0;
  }

  private handOver(): void {
    const { bytes, batches, begun } = this;
    this.batches = [];
    if (this.emit) {
      // Not as large as this one, which may have grown for one long line.
      this.renew(Math.max(BUFFER_BYTES, this.position - begun));
      this.emit({ buffer: bytes.buffer, batches });
    } else {
      bytes.copyWithin(0, begun, this.position);
      this.position -= begun;
      this.begun = 0;
    }
  }

  /** Replaces the buffer. The new one begins with the unfinished batch. */
  private renew(size: number): void {
    const spare = this.spare();
    const isUseful = spare && spare.byteLength >= size && spare.byteLength <= 2 * size;
    const renewed = new Uint8Array(isUseful ? spare : new ArrayBuffer(size));
    renewed.set(this.bytes.subarray(this.begun, this.position));
    this.bytes = renewed;
    this.view = new DataView(renewed.buffer);
    this.position -= this.begun;
    this.begun = 0;
  }
}
