/**
 * Reads Arrow arrays in WebAssembly memory in place: the C data interface with 32-bit pointers, without a copy.
 * The values are those stored in the file, before their logical type is applied: see `physical-footer`.
 * Layout: https://arrow.apache.org/docs/format/CDataInterface.html#structure-definitions
 *
 * Views become invalid when the memory grows: create, use and drop them without an `await` in between.
 */
import type { ColumnType } from './column-type';
import type { ColumnInfo, Storage } from './metadata';

/** A column of one record batch. Row `i` is element `offset + i` of every buffer. */
export interface ArrowColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly stored: Storage;
  readonly length: number;
  readonly offset: number;
  /** One bit per row, 1 for a value; undefined if every row has a value. */
  readonly validity: Uint8Array | undefined;
  /** The whole WebAssembly memory; `buffer(index)` is the address of a buffer in it (0 is the validity). */
  readonly memory: ArrayBuffer;
  buffer(index: number): number;
  /** If the column has codes (32 bits per row, in buffer 1), its distinct values, which may repeat; the code is the value's row in it. */
  readonly dictionary?: ArrowColumn | undefined;
}

/**
 * The columns with a value in a record batch: an ArrowArray struct of type struct, whose children are `columns`. A column without a value
 * in any of the rows is left out.
 */
export function columnsOfBatch(memory: ArrayBuffer, array: number, columns: readonly ColumnInfo[]): ArrowColumn[] {
  return children(memory, array).flatMap((child, index) => {
    const column = columns[index];
    if (!column) throw new Error(`record batch has more columns than its schema: ${columns.length}`);
    return columnAt(memory, child, column) ?? [];
  });
}

export function rowsOfBatch(memory: ArrayBuffer, array: number): number {
  return Number(new DataView(memory).getBigInt64(array, true));
}

/** Whether a row has a value. */
export function isValid(column: ArrowColumn, row: number): boolean {
  if (!column.validity) return true;
  const bit = column.offset + row;
  return ((column.validity[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
}

const ARRAY = { nullCount: 8, offset: 16, childCount: 32, buffers: 40, children: 44, dictionary: 48 };

function columnAt(memory: ArrayBuffer, outermost: number, column: ColumnInfo): ArrowColumn | undefined {
  const { name, type, stored } = column;
  const view = new DataView(memory);
  let array = outermost;
  let offset = Number(view.getBigInt64(array + ARRAY.offset, true));
  // Below a null struct there are only nulls, so that the validity of the structs is not needed.
  for (let level = 0; level < (stored.depth ?? 0); level++) {
    const [child] = children(memory, array);
    if (child === undefined) throw new Error('a struct of a record batch has no column');
    array = child;
    offset += Number(view.getBigInt64(array + ARRAY.offset, true));
  }
  const length = rowsOfBatch(memory, outermost);
  const nulls = Number(view.getBigInt64(array + ARRAY.nullCount, true));
  if (nulls === length) return undefined;
  const buffers = view.getUint32(array + ARRAY.buffers, true);
  const buffer = (index: number) => view.getUint32(buffers + 4 * index, true);
  const dictionary = view.getUint32(array + ARRAY.dictionary, true);
  // -1 means that the nulls were not counted.
  const hasNulls = nulls !== 0 && buffer(0) !== 0;
  return {
    name,
    type,
    stored,
    length,
    offset,
    validity: hasNulls ? new Uint8Array(memory, buffer(0), (offset + length + 7) >> 3) : undefined,
    memory,
    buffer,
    dictionary: dictionary === 0 ? undefined : dictionaryAt(memory, dictionary, column),
  };
}

function dictionaryAt(memory: ArrayBuffer, array: number, { stored, ...column }: ColumnInfo): ArrowColumn {
  const dictionary = columnAt(memory, array, { ...column, stored: { ...stored, depth: 0 } });
  if (!dictionary) throw new Error(`the dictionary of column ${column.name} is empty`);
  return dictionary;
}

function children(memory: ArrayBuffer, struct: number): number[] {
  const view = new DataView(memory);
  const count = Number(view.getBigInt64(struct + ARRAY.childCount, true));
  const first = view.getUint32(struct + ARRAY.children, true);
  return Array.from({ length: count }, (_, index) => view.getUint32(first + 4 * index, true));
}
