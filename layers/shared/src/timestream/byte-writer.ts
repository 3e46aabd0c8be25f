/** A growing buffer that JSON is written into, byte by byte; made once and used again. */
import { CLASS, ESCAPED_IN_JSON } from '../line-protocol/bytes';
import { LITTLE_ENDIAN, viewOf, type Words } from '../line-protocol/words';

const HEX = Buffer.from('0123456789abcdef');
const BACKSLASH = 0x5c;
/** Up to this length a loop beats the call of a native copy (measured on Node 20 and 24). */
const LOOP_BYTES = 48;

/** Buffers kept from one request to the next: fresh memory costs the kernel more time than the bytes written to it. */
const idle: ByteWriter[] = [];
const MAX_IDLE = 11;
const MAX_IDLE_BYTES = 8 * 1024 * 1024;

export class ByteWriter {
  buffer: Buffer;
  length = 0;
  private view: DataView;

  constructor(capacity: number) {
    this.buffer = Buffer.allocUnsafeSlow(capacity);
    this.view = viewOf(this.buffer);
  }

  /** An empty writer, used before where there is one. */
  static borrow(capacity: number): ByteWriter {
    const writer = idle.pop() ?? new ByteWriter(capacity);
    writer.reserve(capacity);
    return writer;
  }

  /** Gives the writer back for the next `borrow`; nobody may use it, or what it returned, any more. */
  release(): void {
    this.length = 0;
    if (idle.length < MAX_IDLE && this.buffer.length <= MAX_IDLE_BYTES) idle.push(this);
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    if (this.length + count <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.length + count));
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
    this.view = viewOf(grown);
  }

  /** Appends `bytes[start, end)` as they are. */
  append(bytes: Uint8Array, start = 0, end = bytes.length): void {
    const count = end - start;
    this.reserve(count);
    const { buffer, length } = this;
    if (count <= LOOP_BYTES) for (let i = 0; i < count; i++) buffer[length + i] = bytes[start + i];
    else buffer.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), length);
    this.length = length + count;
  }

  /** Appends bytes that are known beforehand. */
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

  /** Appends a whole number from 0 on, with at least `width` digits. */
  digits(value: number, width = 1): void {
    this.reserve(20);
    let count = width;
    for (let bound = 10 ** width; value >= bound; bound *= 10) count++;
    let rest = value;
    for (let i = this.length + count - 1; i >= this.length; i--) {
      const next = Math.floor(rest / 10);
      this.buffer[i] = 0x30 + (rest - next * 10);
      rest = next;
    }
    this.length += count;
  }

  /**
   * Appends `bytes[start, end)` as the inside of a JSON string and returns how many bytes the text has itself. With
   * `quoted`, a backslash before a quote or a backslash is an escape, as in a line protocol string.
   */
  jsonText(bytes: Uint8Array, start: number, end: number, quoted: boolean): number {
    this.reserve((end - start) * 6);
    const { buffer } = this;
    let to = this.length;
    let textBytes = 0;
    for (let at = start; at < end; at++) {
      let byte = bytes[at];
      if (quoted && byte === BACKSLASH && at + 1 < end && (bytes[at + 1] === BACKSLASH || bytes[at + 1] === 0x22)) {
        byte = bytes[++at];
      }
      textBytes++;
      if ((CLASS[byte] & ESCAPED_IN_JSON) === 0) {
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

  /** What was written since the last reset; valid until the next one. */
  get written(): Buffer {
    return this.buffer.subarray(0, this.length);
  }
}
