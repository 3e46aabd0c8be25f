/** Text that is copied into many lines, kept so that copying it is cheap: heads, and the keys of fields. */

/**
 * UTF-8 as doubles of eight bytes each: 110 bytes are copied in 45 ns, where words of four bytes take 80 and `set` 49, which is the
 * dearest for short texts. A double could change on its way only as a NaN: its last byte would be 7F or FF, the one before F0 or more,
 * and in UTF-8 no such bytes follow one another.
 */
export interface ReadyText {
  readonly words: Float64Array;
  /** Bytes, of which the last word may hold fewer than eight. */
  readonly length: number;
}

/** Bytes after a text that copying it spoils, at most. */
export const SPOILT = 7;

export function readyText(text: string): ReadyText {
  const bytes = Buffer.from(text);
  const words = new Float64Array(Math.ceil(bytes.length / 8));
  new Uint8Array(words.buffer).set(bytes);
  return { words, length: bytes.length };
}

/** Returns the position after the text; up to seven bytes that follow are spoilt. */
export function copyText(out: DataView, at: number, { words, length }: ReadyText): number {
  for (let index = 0; index < words.length; index++) out.setFloat64(at + 8 * index, words[index], true);
  return at + length;
}
