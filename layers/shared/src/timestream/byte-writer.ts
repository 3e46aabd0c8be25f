/** A growing buffer for JSON. Buffers are reused from one request to the next. */
import { BACKSLASH, QUOTE } from '../line-protocol/bytes';
import { LITTLE_ENDIAN, viewOf, type Words } from '../line-protocol/words';

const HEX = Buffer.from('0123456789abcdef');
/** 1 for each byte that must be escaped inside a JSON string. Source: RFC 8259, section 7. */
const ESCAPED_IN_JSON = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < 0x20 || byte === QUOTE || byte === BACKSLASH ? 1 : 0,
);
const BILLION = 1_000_000_000;
const POWERS_OF_TEN = Array.from({ length: 10 }, (_, exponent) => 10 ** exponent);
/** Up to this length, copying by words is faster than a native copy, which needs a call and a new view. */
const WORD_COPY_BYTES = 128;

/** Unused buffers. Getting fresh memory from the kernel takes longer than writing the bytes. */
let idle: ByteWriter[] = [];
/** Maximum total size of the unused buffers: enough for a request of 15,000 wide lines. */
const MAX_IDLE_BYTES = 16 * 1024 * 1024;

export class ByteWriter {
  buffer: Buffer;
  length = 0;
  /** `buffer`, to read and write by word. */
  view: DataView;

  constructor(capacity: number) {
    this.buffer = Buffer.allocUnsafeSlow(capacity);
    this.view = viewOf(this.buffer);
  }

  /** Returns an empty writer: the smallest unused one with enough capacity, or a new one. */
  static borrow(capacity: number): ByteWriter {
    let best: ByteWriter | undefined;
    for (const each of idle) {
      const fits = each.buffer.length >= capacity;
      if (fits && (best === undefined || each.buffer.length < best.buffer.length)) best = each;
    }
    if (best === undefined) return new ByteWriter(capacity);
    idle = idle.filter((each) => each !== best);
    return best;
  }

  /** Returns the writer for the next `borrow`. The caller must not use the writer or its bytes afterwards. */
  release(): void {
    this.length = 0;
    const bytes = idle.reduce((sum, { buffer }) => sum + buffer.length, this.buffer.length);
    if (bytes <= MAX_IDLE_BYTES) idle.push(this);
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    if (this.length + count <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.length + count));
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
    this.view = viewOf(grown);
  }

  /** Appends bytes unchanged. */
  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Appends `from[start, end)`; `from` may be this writer's own view. */
  copy(from: DataView, start: number, end: number): void {
    const count = end - start;
    if (this.length + count + 3 > this.buffer.length) this.reserve(count + 3);
    const to = this.length;
    if (count > WORD_COPY_BYTES || start + count + 3 > from.byteLength) {
      this.buffer.set(new Uint8Array(from.buffer, from.byteOffset + start, count), to);
    } else {
      // The last word may write up to three extra bytes. The next write replaces them.
      const { view } = this;
      for (let i = 0; i < count; i += 4) view.setInt32(to + i, from.getInt32(start + i, LITTLE_ENDIAN), LITTLE_ENDIAN);
    }
    this.length = to + count;
  }

  /** Appends prepared bytes. */
  words({ words, length }: Words): void {
    const padded = words.length * 4;
    if (this.length + padded > this.buffer.length) this.reserve(padded);
    const { view, length: start } = this;
    for (let i = 0; i < words.length; i++) view.setInt32(start + i * 4, words[i], LITTLE_ENDIAN);
    this.length = start + length;
  }

  /** Appends ASCII text. */
  ascii(text: string): void {
    this.reserve(text.length);
    this.length += this.buffer.write(text, this.length, 'latin1');
  }

  /** Appends a whole number below 10^18, padded with zeros to `width` digits (at most 9). */
  digits(value: number, width = 1): void {
    if (value < BILLION) this.smallDigits(value, width);
    else {
      const high = Math.floor(value / BILLION);
      this.smallDigits(high, 1);
      this.smallDigits(value - high * BILLION, 9);
    }
  }

  /** Appends a number below 10^9. Its 32-bit division takes half the time of a double division. */
  private smallDigits(value: number, width: number): void {
    let count = width;
    for (let bound = POWERS_OF_TEN[width]; value >= bound; bound *= 10) count++;
    if (this.length + count > this.buffer.length) this.reserve(count);
    const { buffer } = this;
    let rest = value | 0;
    for (let i = this.length + count - 1; i >= this.length; i--) {
      const next = (rest / 10) | 0;
      buffer[i] = 0x30 + (rest - next * 10);
      rest = next;
    }
    this.length += count;
  }

  /**
   * Appends `bytes[start, end)` as the content of a JSON string. Returns the length of the unescaped text in bytes.
   * @param escapes whether a backslash before this byte is an escape of line protocol, which is removed; undefined to keep all
   */
  jsonText(bytes: Uint8Array, start: number, end: number, escapes?: (byte: number) => boolean): number {
    if (this.length + (end - start) * 6 > this.buffer.length) this.reserve((end - start) * 6);
    const { buffer } = this;
    let to = this.length;
    let textBytes = 0;
    for (let at = start; at < end; at++) {
      let byte = bytes[at];
      if (byte === BACKSLASH && escapes !== undefined && at + 1 < end && escapes(bytes[at + 1])) byte = bytes[++at];
      textBytes++;
      if (ESCAPED_IN_JSON[byte] === 0) {
        buffer[to++] = byte;
      } else if (byte >= 0x20) {
        buffer[to++] = BACKSLASH;
        buffer[to++] = byte;
      } else {
        buffer[to++] = BACKSLASH;
        buffer[to++] = 0x75; // u
        buffer[to++] = 0x30;
        buffer[to++] = 0x30;
        buffer[to++] = HEX[byte >> 4];
        buffer[to++] = HEX[byte & 15];
      }
    }
    this.length = to;
    return textBytes;
  }

  /** The bytes written since the last reset; valid until the next reset. */
  get written(): Buffer {
    return this.buffer.subarray(0, this.length);
  }
}
