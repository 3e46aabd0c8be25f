/** One cell as text: for tags of numeric columns, and for the examples of invalid rows. */
import { type ArrowColumn, isValid } from '../parquet/c-data';
import { integersOf } from './cells';
import { decimalOf } from './decimals';
import { shortestSingle } from './digits';
import { isSingle, readNumbers } from './numbers';
import { emptySpans, isTextFormat, spansOf } from './spans';

const decoder = new TextDecoder();

/** A reader of a column's cells: null for a missing value, integers in full, floats as their shortest decimal, times as integers. */
export function cellText(column: ArrowColumn): (row: number) => string | null {
  const textAt = valueText(column);
  return (row) => (column.format !== 'n' && isValid(column, row) ? textAt(row) : null);
}

function valueText(column: ArrowColumn): (row: number) => string | null {
  const { format, memory } = column;
  if (column.dictionary) {
    const entries = cellText(column.dictionary);
    const indices = integersOf({ ...column, dictionary: undefined });
    return (row) => (indices ? entries(indices(row)) : null);
  }
  if (isTextFormat(format)) {
    const { starts, ends } = spansOf(column, emptySpans(column.length));
    return (row) => decoder.decode(new Uint8Array(memory).subarray(starts[row], ends[row]));
  }
  if (/^(l|L|ts.*|tdm)$/.test(format)) {
    const view = new DataView(memory, column.buffer(1) + column.offset * 8);
    return (row) => String(format === 'L' ? view.getBigUint64(row * 8, true) : view.getBigInt64(row * 8, true));
  }
  const isNumber = integersOf(column) || ['b', 'e', 'f', 'g'].includes(format) || decimalOf(format);
  if (!isNumber) return format === 'tdD' ? valueText({ ...column, format: 'i' }) : () => `(${format})`;
  const numbers = { values: new Float64Array(column.length), states: new Uint8Array(column.length) };
  readNumbers(column, numbers);
  return (row) => {
    const value = numbers.values[row] as number;
    if (format === 'b') return value === 1 ? 'true' : 'false';
    return isSingle(column) && Number.isFinite(value) && value !== 0 ? signed(value) : String(value);
  };
}

function signed(value: number): string {
  return value < 0 ? `-${shortestSingle(-value)}` : shortestSingle(value);
}
