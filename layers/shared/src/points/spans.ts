/** Where the bytes of a column's values lie in WebAssembly memory. */
import type { ArrowColumn } from '../parquet/c-data';

/** Addresses by row; undefined for a missing value. */
export interface Spans {
  starts: Uint32Array;
  ends: Uint32Array;
}

/** The spans of a column that is stored as bytes, of a fixed length or any length. */
export function spansOf(column: ArrowColumn, spans: Spans): Spans {
  const sized = spans.starts.length >= column.length ? spans : emptySpans(column.length);
  if (column.dictionary) codedSpans(column, column.dictionary, sized);
  else if (column.stored.type === 'FIXED_LEN_BYTE_ARRAY') fixedSpans(column, column.stored.length ?? 0, sized);
  else offsetSpans(column, sized);
  return sized;
}

export function emptySpans(rows: number): Spans {
  return { starts: new Uint32Array(rows), ends: new Uint32Array(rows) };
}

/** The codes of a column with a dictionary. A missing value may have any code. */
export function codesOf({ memory, buffer, offset, length }: ArrowColumn): Int32Array {
  return new Int32Array(memory, buffer(1) + offset * 4, length);
}

function codedSpans(column: ArrowColumn, dictionary: ArrowColumn, { starts, ends }: Spans): void {
  const values = spansOf(dictionary, emptySpans(dictionary.length));
  const codes = codesOf(column);
  for (let row = 0; row < codes.length; row++) {
    starts[row] = values.starts[codes[row]];
    ends[row] = values.ends[codes[row]];
  }
}

function offsetSpans({ memory, buffer, offset, length }: ArrowColumn, { starts, ends }: Spans): void {
  if (length === 0) return;
  const offsets = new Uint32Array(memory, buffer(1) + offset * 4, length + 1);
  const base = buffer(2);
  let start = base + offsets[0];
  for (let row = 0; row < length; row++) {
    const end = base + offsets[row + 1];
    starts[row] = start;
    ends[row] = end;
    start = end;
  }
}

function fixedSpans({ buffer, offset, length }: ArrowColumn, size: number, { starts, ends }: Spans): void {
  const base = buffer(1) + offset * size;
  for (let row = 0; row < length; row++) {
    starts[row] = base + row * size;
    ends[row] = base + (row + 1) * size;
  }
}
