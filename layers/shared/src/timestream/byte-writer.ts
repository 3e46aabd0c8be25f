/** A growing buffer for JSON. */
import { BACKSLASH, QUOTE } from '../line-protocol/bytes';
import { LITTLE_ENDIAN, viewOf, type Words } from '../line-protocol/words';
import { borrowBuffer, returnBuffer } from '../reused-buffers';

const HEX = Buffer.from('0123456789abcdef');
/** 1 for each byte that must be escaped inside a JSON string. Source: RFC 8259, section 7. */
const ESCAPED_IN_JSON = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < 0x20 || byte === QUOTE || byte === BACKSLASH ? 1 : 0,
);
const BILLION = 1_000_000_000;
const POWERS_OF_TEN = Array.from({ length: 10 }, (_, exponent) => 10 ** exponent);
/** The two digits of each number below 100. */
const TWO_DIGITS = new Uint16Array(100);
new Uint8Array(TWO_DIGITS.buffer).set(
  Buffer.from(Array.from({ length: 100 }, (_, number) => String(number).padStart(2, '0')).join('')),
);
/** Up to this length, copying by words is faster than a native copy, which needs a call and a new view. */
const WORD_COPY_BYTES = 128;

/** Up to this length, `wordsAndCopy` copies without a loop. */
const SHORT_BYTES = 16;

export class ByteWriter {
  length = 0;
  /** `buffer`, to read and write by word. */
  view: DataView;

  constructor(public buffer: Buffer) {
    this.view = viewOf(buffer);
  }

  /** Returns an empty writer with a reused buffer. */
  static borrow(capacity: number): ByteWriter {
    return new ByteWriter(borrowBuffer(capacity));
  }

  /** Returns the buffer for reuse. The caller must not use the writer or its bytes afterwards. */
  release(): void {
    returnBuffer(this.buffer);
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    if (this.length + count <= this.buffer.length) return;
    const grown = borrowBuffer(Math.max(this.buffer.length * 2, this.length + count));
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

  /** Appends `from[start, end)`, which is valid UTF-8; `from` may be this writer's own view. */
  copy(from: DataView, start: number, end: number): void {
    const count = end - start;
    if (this.length + count + 3 > this.buffer.length) this.reserve(count + 3);
    const to = this.length;
    if (count > WORD_COPY_BYTES || start + count + 3 > from.byteLength) {
      this.buffer.set(new Uint8Array(from.buffer, from.byteOffset + start, count), to);
    } else {
      const { view } = this;
      let i = 0;
      // Valid UTF-8 is never a NaN: see `Words`.
      for (; i + 8 <= count; i += 8) view.setFloat64(to + i, from.getFloat64(start + i, LITTLE_ENDIAN), LITTLE_ENDIAN);
      // The last word may write up to three extra bytes. The next write replaces them.
      for (; i < count; i += 4) view.setInt32(to + i, from.getInt32(start + i, LITTLE_ENDIAN), LITTLE_ENDIAN);
    }
    this.length = to + count;
  }

  /** Appends prepared bytes. */
  words({ doubles, length }: Words): void {
    const padded = doubles.length * 8;
    if (this.length + padded > this.buffer.length) this.reserve(padded);
    const { view, length: start } = this;
    for (let i = 0; i < doubles.length; i++) view.setFloat64(start + i * 8, doubles[i], LITTLE_ENDIAN);
    this.length = start + length;
  }

  /** Appends prepared bytes and then `from[start, end)`, as `words` and `copy` do, in two thirds of their time for a short value. */
  wordsAndCopy(words: Words, from: DataView, start: number, end: number): void {
    const { doubles, length } = words;
    const count = end - start;
    const textStart = this.length;
    const to = textStart + length;
    if (count > SHORT_BYTES || start + SHORT_BYTES > from.byteLength || to + SHORT_BYTES > this.buffer.length) {
      this.words(words);
      this.copy(from, start, end);
      return;
    }
    const { view } = this;
    for (let i = 0; i < doubles.length; i++) view.setFloat64(textStart + i * 8, doubles[i], LITTLE_ENDIAN);
    view.setInt32(to, from.getInt32(start, LITTLE_ENDIAN), LITTLE_ENDIAN);
    if (count > 4) {
      view.setInt32(to + 4, from.getInt32(start + 4, LITTLE_ENDIAN), LITTLE_ENDIAN);
      if (count > 8) {
        view.setInt32(to + 8, from.getInt32(start + 8, LITTLE_ENDIAN), LITTLE_ENDIAN);
        if (count > 12) view.setInt32(to + 12, from.getInt32(start + 12, LITTLE_ENDIAN), LITTLE_ENDIAN);
      }
    }
    this.length = to + count;
  }

  /** Appends prepared bytes and then the first `count` bytes (at most 8) of two words. */
  wordsAndShort({ doubles, length }: Words, first: number, second: number, count: number): void {
    const start = this.length;
    const to = start + length;
    // A prepared text is padded to up to 7 bytes more than its length.
    if (to + 8 > this.buffer.length) this.reserve(length + 8);
    const { view } = this;
    for (let i = 0; i < doubles.length; i++) view.setFloat64(start + i * 8, doubles[i], LITTLE_ENDIAN);
    view.setInt32(to, first, LITTLE_ENDIAN);
    view.setInt32(to + 4, second, LITTLE_ENDIAN);
    this.length = to + count;
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

  /** Appends a number below 10^9, two digits at a time. A 32-bit division takes half the time of a double division. */
  private smallDigits(value: number, width: number): void {
    let count = width;
    for (let bound = POWERS_OF_TEN[width]; value >= bound; bound *= 10) count++;
    if (this.length + count > this.buffer.length) this.reserve(count);
    const { buffer, length, view } = this;
    let rest = value | 0;
    let at = length + count;
    for (; at > length + 1; at -= 2) {
      const next = (rest / 100) | 0;
      view.setUint16(at - 2, TWO_DIGITS[rest - next * 100], LITTLE_ENDIAN);
      rest = next;
    }
    if (at > length) buffer[length] = 0x30 + rest;
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

/** The number of bytes that `jsonText` appends for the same parameters. */
export function jsonTextBytes(
  bytes: Uint8Array,
  start: number,
  end: number,
  escapes: (byte: number) => boolean,
): number {
  let count = 0;
  for (let at = start; at < end; at++) {
    let byte = bytes[at];
    if (byte === BACKSLASH && at + 1 < end && escapes(bytes[at + 1])) byte = bytes[++at];
    count += ESCAPED_IN_JSON[byte] === 0 ? 1 : byte >= 0x20 ? 2 : 6;
  }
  return count;
}
