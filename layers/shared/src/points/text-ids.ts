/** Text columns as small integers: each distinct value of a column has a number, 0 where there is none. */
import { type ArrowColumn, isValid } from '../parquet/c-data';
import type { ColumnInfo } from '../parquet/metadata';
import { cellText } from './cell-text';
import { integersOf } from './cells';
import { Interner } from './interner';
import { isNumberColumn } from './numbers';
import { emptySpans, isTextFormat, spansOf } from './spans';

/** Whether a column can be a tag or a string field: text, numbers or booleans, but nothing nested and no times. */
export function isTextColumn(column: ColumnInfo): boolean {
  return isTextFormat(column.dictionary ?? column.format) || isNumberColumn(column);
}

export class TextIds {
  private interner = new Interner();
  private spans = emptySpans(0);

  /** The bytes and the number of values remembered so far; `forget` when they become too many. */
  get bytes(): number {
    return this.interner.bytes;
  }

  get distinct(): number {
    return this.interner.values.length;
  }

  /** The text behind a number; undefined behind 0, null for bytes that are not UTF-8. */
  valueOf(id: number): string | null | undefined {
    return id === 0 ? undefined : (this.interner.values[id - 1] ?? null);
  }

  forget(): void {
    this.interner = new Interner();
  }

  /** Writes each row's number to `ids`. */
  read(column: ArrowColumn, ids: Int32Array): void {
    if (column.format === 'n') ids.fill(0, 0, column.length);
    else if (column.dictionary) this.readDictionary(column, column.dictionary, ids);
    else if (isTextFormat(column.format)) this.readText(column, ids);
    else {
      const textAt = cellText(column);
      for (let row = 0; row < column.length; row++) {
        const text = textAt(row);
        ids[row] = text === null ? 0 : 1 + this.interner.idOfText(text);
      }
    }
  }

  private readText(column: ArrowColumn, ids: Int32Array): void {
    this.spans = spansOf(column, this.spans);
    const { starts, ends } = this.spans;
    const bytes = new Uint8Array(column.memory);
    const { interner } = this;
    for (let row = 0; row < column.length; row++) {
      ids[row] = isValid(column, row) ? 1 + interner.idOf(bytes, starts[row] as number, ends[row] as number) : 0;
    }
  }

  private readDictionary(column: ArrowColumn, dictionary: ArrowColumn, ids: Int32Array): void {
    const entryIds = new Int32Array(dictionary.length);
    this.read(dictionary, entryIds);
    const indices = integersOf({ ...column, dictionary: undefined });
    for (let row = 0; indices && row < column.length; row++) {
      ids[row] = isValid(column, row) ? (entryIds[indices(row)] as number) : 0;
    }
  }
}
