/** Compares and copies bytes four at a time, as 32-bit words. For short texts this takes a third of the time of a loop over bytes. */

/** Byte order of this machine. */
export const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** Bytes that are often searched for or written, as 32-bit words. The last word is padded with zeros. */
export class Words {
  readonly length: number;
  readonly words: Int32Array;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.length = bytes.length;
    this.words = new Int32Array((bytes.length + 3) >> 2);
    this.bytes = new Uint8Array(this.words.buffer, 0, bytes.length);
    this.bytes.set(bytes);
  }

  static of(text: string): Words {
    return new Words(Buffer.from(text));
  }

  /** Whether `view` contains these bytes at `at`. */
  standAt(view: DataView, at: number): boolean {
    const { bytes, length, words } = this;
    if (at + length > view.byteLength) return false;
    let i = 0;
    for (; i + 4 <= length; i += 4) if (view.getInt32(at + i, LITTLE_ENDIAN) !== words[i >> 2]) return false;
    for (; i < length; i++) if (view.getUint8(at + i) !== bytes[i]) return false;
    return true;
  }
}

/** Whether the `length` bytes at `a` equal those at `b`, in the same buffer. */
export function sameBytesWithin(view: DataView, a: number, b: number, length: number): boolean {
  let i = 0;
  for (; i + 4 <= length; i += 4)
    if (view.getInt32(a + i, LITTLE_ENDIAN) !== view.getInt32(b + i, LITTLE_ENDIAN)) return false;
  for (; i < length; i++) if (view.getUint8(a + i) !== view.getUint8(b + i)) return false;
  return true;
}

/** A view of all bytes of a buffer, to read it by word. */
export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
