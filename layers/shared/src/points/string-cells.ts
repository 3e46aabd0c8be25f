/** String fields, written straight from the column: no work per distinct value, so that columns of many different values cost no memory. */
import { isUtf8 } from 'node:buffer';
import type { Encoding } from '../datasets/mapping';
import type { ArrowColumn } from '../parquet/c-data';
import { cellText } from './cell-text';
import { Cell, markMissing } from './cells';
import { writeText } from './digits';
import type { FieldCells } from './field-cells';
import { codesOf, emptySpans, spansOf } from './spans';

const QUOTE = 34;
const BACKSLASH = 92;
/** A word with the given byte four times. */
const repeat = (byte: number): number => Math.imul(byte, 0x01010101);
const QUOTES = repeat(QUOTE);
const BACKSLASHES = repeat(BACKSLASH);

export class StringCells implements FieldCells {
  readonly states: Uint8Array;
  /** The quotes. */
  readonly longest = 2;
  private spans = emptySpans(0);
  private source = new DataView(new ArrayBuffer(0));
  /** The values of a column that is not text; undefined for a column of text. */
  private texts: (string | null)[] | undefined;

  constructor(
    private readonly encoding: Encoding | undefined,
    capacity: number,
  ) {
    this.states = new Uint8Array(capacity);
  }

  read(column: ArrowColumn): void {
    markMissing(column, this.states);
    this.texts = undefined;
    if (column.type.kind === 'null') return;
    if (column.type.kind === 'text' && this.encoding === undefined) this.readText(column);
    else {
      const textAt = cellText(column, this.encoding);
      this.texts = Array.from({ length: column.length }, (_, row) => textAt(row));
    }
  }

  addSizes(sizes: Float64Array, rows: number): void {
    const { texts, spans } = this;
    for (let row = 0; row < rows; row++) {
      if (this.states[row] !== Cell.ok) continue;
      // Each byte may need a backslash.
      sizes[row] += texts ? (texts[row]?.length ?? 0) : 2 * (spans.ends[row] - spans.starts[row]);
    }
  }

  write(out: DataView, at: number, row: number): number {
    out.setUint8(at, QUOTE);
    const end = this.texts
      ? writeText(out, at + 1, this.texts[row] ?? '')
      : copyEscaped(out, at + 1, this.source, this.spans.starts[row], this.spans.ends[row]);
    out.setUint8(end, QUOTE);
    return end + 1;
  }

  private readText(column: ArrowColumn): void {
    this.spans = spansOf(column, this.spans);
    this.source = new DataView(column.memory);
    if (column.dictionary) this.checkCodes(column, column.dictionary);
    else this.checkText(column);
  }

  private checkCodes(column: ArrowColumn, dictionary: ArrowColumn): void {
    const { starts, ends } = spansOf(dictionary, emptySpans(dictionary.length));
    const bytes = new Uint8Array(column.memory);
    const areValid = starts.map((start, index) => (isUtf8(bytes.subarray(start, ends[index])) ? 1 : 0));
    const codes = codesOf(column);
    for (let row = 0; row < column.length; row++) {
      if (this.states[row] === Cell.ok && areValid[codes[row]] === 0) this.states[row] = Cell.unreadable;
    }
  }

  private checkText(column: ArrowColumn): void {
    const { starts, ends } = this.spans;
    const bytes = new Uint8Array(column.memory);
    if (column.length === 0) return;
    // All values at once: they lie one after another, and then none may begin or end within a character.
    const last = ends[column.length - 1];
    const areValid = isUtf8(bytes.subarray(starts[0], last));
    const isWithin = (at: number): boolean => at < last && (bytes[at] & 0xc0) === 0x80;
    for (let row = 0; row < column.length; row++) {
      if (this.states[row] !== Cell.ok || starts[row] === ends[row]) continue;
      const isWhole = areValid && !isWithin(starts[row]) && !isWithin(ends[row]);
      if (!isWhole && !isUtf8(bytes.subarray(starts[row], ends[row]))) this.states[row] = Cell.unreadable;
    }
  }
}

/** Copies text with a backslash before each quote and backslash, four bytes at once: 30 ns for 20 bytes. */
function copyEscaped(out: DataView, start: number, source: DataView, from: number, to: number): number {
  let at = start;
  let position = from;
  for (; position + 4 <= to; position += 4) {
    const word = source.getInt32(position, true);
    if (hasZero(word ^ QUOTES) || hasZero(word ^ BACKSLASHES)) at = copyBytes(out, at, source, position, position + 4);
    else {
      out.setInt32(at, word, true);
      at += 4;
    }
  }
  return copyBytes(out, at, source, position, to);
}

function copyBytes(out: DataView, start: number, source: DataView, from: number, to: number): number {
  let at = start;
  for (let position = from; position < to; position++) {
    const byte = source.getUint8(position);
    if (byte === QUOTE || byte === BACKSLASH) out.setUint8(at++, BACKSLASH);
    out.setUint8(at++, byte);
  }
  return at;
}

/** Whether one of a word's bytes is 0. Source: "Determine if a word has a zero byte", Bit Twiddling Hacks. */
const hasZero = (word: number): boolean => ((word - 0x01010101) & ~word & 0x80808080) !== 0;
