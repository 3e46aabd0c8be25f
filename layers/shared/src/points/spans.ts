/** Where the bytes of a text column's values lie in WebAssembly memory, whichever of Arrow's layouts holds them. */
import type { ArrowColumn } from '../parquet/c-data';

/** Addresses by row; what they hold for a missing value means nothing. */
export interface Spans {
  starts: Uint32Array;
  ends: Uint32Array;
}

/** Text, and bytes without a declared type, which old writers use for text. */
export function isTextFormat(format: string): boolean {
  return ['u', 'U', 'vu', 'z', 'Z', 'vz'].includes(format);
}

export function spansOf(column: ArrowColumn, spans: Spans): Spans {
  const sized = spans.starts.length >= column.length ? spans : emptySpans(column.length);
  if (column.format.startsWith('v')) viewSpans(column, sized);
  else offsetSpans(column, sized, column.format === 'U' || column.format === 'Z' ? 2 : 1);
  return sized;
}

export function emptySpans(rows: number): Spans {
  return { starts: new Uint32Array(rows), ends: new Uint32Array(rows) };
}

/** Offsets of 32 or 64 bits; of the latter the low word is all that 32-bit memory needs. */
function offsetSpans(
  { memory, buffer, offset, length }: ArrowColumn,
  { starts, ends }: Spans,
  wordsPerOffset: number,
): void {
  if (length === 0) return;
  const offsets = new Uint32Array(memory, buffer(1) + offset * wordsPerOffset * 4, (length + 1) * wordsPerOffset);
  const base = buffer(2);
  let start = base + (offsets[0] as number);
  for (let row = 0; row < length; row++) {
    const end = base + (offsets[(row + 1) * wordsPerOffset] as number);
    starts[row] = start;
    ends[row] = end;
    start = end;
  }
}

/** Views of 16 bytes: the length, then the bytes themselves (up to 12), or a prefix, the number of a buffer and an offset in it. */
function viewSpans({ memory, buffer, offset, length }: ArrowColumn, { starts, ends }: Spans): void {
  const base = buffer(1) + offset * 16;
  const views = new Int32Array(memory, base, length * 4);
  for (let row = 0; row < length; row++) {
    const bytes = views[4 * row] as number;
    const isInline = bytes <= 12;
    starts[row] = isInline
      ? base + 16 * row + 4
      : buffer(2 + (views[4 * row + 2] as number)) + (views[4 * row + 3] as number);
    ends[row] = (starts[row] as number) + bytes;
  }
}
