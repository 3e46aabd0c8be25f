/** String fields, written straight from the column: no work per distinct value, so that columns of many different values cost no memory. */
import { isUtf8 } from 'node:buffer';
import type { Encoding } from '../datasets/mapping';
import type { ArrowColumn } from '../parquet/c-data';
import { cellText } from './cell-text';
import { Cell, markMissing } from './cells';
import { writeText } from './digits';
import type { FieldCells } from './field-cells';
import { emptySpans, type Spans, spansOf } from './spans';

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
    const { dictionary } = column;
    const areTexts = dictionary
      ? areAllTexts(dictionary, spansOf(dictionary, emptySpans(dictionary.length)))
      : areAllTexts(column, this.spans);
    if (!areTexts) this.checkEach(column);
  }

  private checkEach({ memory, length }: ArrowColumn): void {
    const { starts, ends } = this.spans;
    const bytes = new Uint8Array(memory);
    for (let row = 0; row < length; row++) {
      if (this.states[row] === Cell.ok && !isUtf8(bytes.subarray(starts[row], ends[row]))) {
        this.states[row] = Cell.unreadable;
      }
    }
  }
}

/** Checks the values of a column without a dictionary at once: they lie one after another, and none may begin within a character. */
function areAllTexts({ memory, length }: ArrowColumn, { starts, ends }: Spans): boolean {
  if (length === 0) return true;
  const bytes = new Uint8Array(memory);
  const last = ends[length - 1];
  if (!isUtf8(bytes.subarray(starts[0], last))) return false;
  for (let row = 0; row < length; row++) {
    if (starts[row] < last && (bytes[starts[row]] & 0xc0) === 0x80) return false;
  }
  return true;
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
