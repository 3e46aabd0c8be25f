/** The values of a field in a record batch, ready to be written: one class per type of a field. */
import type { ConcreteField } from '../datasets/resolve';
import { type ArrowColumn, isValid } from '../parquet/c-data';
import type { ColumnType } from '../parquet/column-type';
import { Cell, fixedBytes, integersOf, markMissing } from './cells';
import { type Counts, emptyCounts, isSigned64 } from './counts';
import { FloatWriter, LONGEST_NUMBER, writeCount } from './digits';
import { readIntegers } from './integer-columns';
import { floatBits, type Numbers, readNumbers } from './number-cells';
import { isRfc3339, Rfc3339Writer } from './rfc-3339';
import { emptySpans, spansOf } from './spans';
import { StringCells } from './string-cells';
import { TimeReader } from './times';
import { FAR } from './zone';

export interface FieldCells {
  /** Of each row of the record batch. Only a value whose state is ok may be written. */
  readonly states: Uint8Array;
  /** Maximum bytes of a value, without those that `addSizes` adds. */
  readonly longest: number;
  /** Reads the column of a record batch. Its memory must stay as it is until the last value is written. */
  read(column: ArrowColumn): void;
  /** Writes a row's value and returns the position after it. Three bytes after it may be overwritten, and LONGEST_NUMBER from `at` on. */
  write(out: DataView, at: number, row: number): number;
  /** The nearest double of a row's value, for a check of its range. */
  numberAt?(row: number): number;
  /** Adds the bytes of each row's value, if values differ much in length. */
  addSizes?(sizes: Float64Array, rows: number): void;
}

/**
 * The cells of a field.
 * @param type of its column; undefined if the file has none
 * @param capacity rows of the largest record batch
 */
export function fieldCells(field: ConcreteField, type: ColumnType | undefined, capacity: number): FieldCells {
  switch (field.type) {
    case 'number':
    case 'float':
      return new FloatCells(type, field.type === 'float', capacity);
    case 'integer':
    case 'unsigned':
      return new IntegerCells(field.type === 'integer', capacity);
    case 'boolean':
      return new BooleanCells(capacity);
    case 'timestamp':
      return new TimestampCells(field, capacity);
    case 'string':
    case 'text':
      return new StringCells(field.encoding, capacity);
  }
}

class FloatCells implements FieldCells, Numbers {
  readonly longest = LONGEST_NUMBER;
  readonly values: Float64Array;
  readonly states: Uint8Array;
  private readonly writer: FloatWriter;

  /** @param isExact whether an integer that no double is gets a state of its own, instead of the nearest double */
  constructor(
    type: ColumnType | undefined,
    private readonly isExact: boolean,
    capacity: number,
  ) {
    this.values = new Float64Array(capacity);
    this.states = new Uint8Array(capacity);
    this.writer = new FloatWriter(floatBits(type));
  }

  read(column: ArrowColumn): void {
    readNumbers(column, this);
    if (this.isExact && column.type.kind === 'integer' && column.type.bits === 64) this.checkIntegers(column);
  }

  write(out: DataView, at: number, row: number): number {
    return this.writer.write(out, at, this.values[row]);
  }

  numberAt(row: number): number {
    return this.values[row];
  }

  private checkIntegers(column: ArrowColumn): void {
    const isSigned = column.type.kind === 'integer' && column.type.isSigned;
    const view = fixedBytes(column, 8);
    for (let row = 0; row < column.length; row++) {
      const value = this.values[row];
      if (Number.isSafeInteger(value) || this.states[row] !== Cell.ok) continue;
      const exact = isSigned ? view.getBigInt64(8 * row, true) : view.getBigUint64(8 * row, true);
      if (BigInt(value) !== exact) this.states[row] = Cell.inexact;
    }
  }
}

const LETTER_I = 105;
const LETTER_U = 117;

class IntegerCells implements FieldCells {
  readonly longest = LONGEST_NUMBER;
  private readonly counts: Counts;
  private readonly suffix: number;

  constructor(
    private readonly isSigned: boolean,
    capacity: number,
  ) {
    this.counts = emptyCounts(capacity);
    this.suffix = isSigned ? LETTER_I : LETTER_U;
  }

  get states(): Uint8Array {
    return this.counts.states;
  }

  read(column: ArrowColumn): void {
    readIntegers(column, this.isSigned, this.counts);
  }

  write(out: DataView, at: number, row: number): number {
    const end = writeCount(out, at, this.counts.seconds[row], this.counts.nanos[row], 9);
    out.setUint8(end, this.suffix);
    return end + 1;
  }

  numberAt(row: number): number {
    return this.counts.seconds[row] * 1e9 + this.counts.nanos[row];
  }
}

const TRUE = Int8Array.from(Buffer.from('true'));
const FALSE = Int8Array.from(Buffer.from('false'));
/** The spellings of line protocol, in any case, and the integers. */
const BOOLEANS = new Map([
  ...['true', 't', '1'].map((text) => [text, 1] as const),
  ...['false', 'f', '0'].map((text) => [text, 0] as const),
]);
const decoder = new TextDecoder();

class BooleanCells implements FieldCells, Numbers {
  readonly longest = 8;
  readonly states: Uint8Array;
  readonly values: Float64Array;

  constructor(capacity: number) {
    this.states = new Uint8Array(capacity);
    this.values = new Float64Array(capacity);
  }

  read(column: ArrowColumn): void {
    const { kind } = column.type;
    if (kind === 'boolean' || kind === 'null') {
      readNumbers(column, this);
      return;
    }
    markMissing(column, this.states);
    const integers = integersOf(column);
    const textAt = integers ? undefined : textsOf(column);
    for (let row = 0; row < column.length; row++) {
      if (this.states[row] !== Cell.ok) continue;
      if (integers) this.set(row, integers(row), Cell.outOfRange);
      else {
        const text = textAt?.(row) ?? '';
        this.set(row, BOOLEANS.get(text.toLowerCase()) ?? -1, text === '' ? Cell.missing : Cell.unreadable);
      }
    }
  }

  write(out: DataView, at: number, row: number): number {
    const text = this.values[row] === 1 ? TRUE : FALSE;
    for (let index = 0; index < text.length; index++) out.setInt8(at + index, text[index]);
    return at + text.length;
  }

  private set(row: number, value: number, otherwise: number): void {
    this.values[row] = value;
    if (value !== 0 && value !== 1) this.states[row] = otherwise;
  }
}

function textsOf(column: ArrowColumn): (row: number) => string {
  const { starts, ends } = spansOf(column, emptySpans(column.length));
  const bytes = new Uint8Array(column.memory);
  return (row) => (isValid(column, row) ? decoder.decode(bytes.subarray(starts[row], ends[row])).trim() : '');
}

const DIGITS = { s: 0, ms: 3, us: 6, ns: 9 } as const;

class TimestampCells implements FieldCells {
  readonly longest = 40;
  private readonly times: Counts;
  private readonly reader: TimeReader;
  /** Digits of a second, or -1 for text. */
  private readonly digits: number;
  private readonly text = new Rfc3339Writer();

  constructor({ unit, zone, as }: ConcreteField, capacity: number) {
    this.times = emptyCounts(capacity);
    this.digits = as === 'rfc3339' ? -1 : DIGITS[as];
    const fits = as === 'rfc3339' ? isRfc3339 : as === 'ns' ? isSigned64 : (seconds: number) => Math.abs(seconds) < FAR;
    this.reader = new TimeReader({ unit, zone }, fits);
  }

  get states(): Uint8Array {
    return this.times.states;
  }

  read(column: ArrowColumn): void {
    this.reader.read(column, this.times);
    if (this.digits < 0 || this.digits === 9 || column.type.kind === 'null') return;
    const { nanos, states } = this.times;
    const unit = 10 ** (9 - this.digits);
    for (let row = 0; row < column.length; row++) {
      if (states[row] !== Cell.ok) continue;
      const count = nanos[row] / unit;
      if (Number.isInteger(count)) nanos[row] = count;
      else states[row] = Cell.inexact;
    }
  }

  write(out: DataView, at: number, row: number): number {
    const seconds = this.times.seconds[row];
    const rest = this.times.nanos[row];
    if (this.digits < 0) return this.text.write(out, at, seconds, rest);
    const end = writeCount(out, at, seconds, rest, this.digits);
    out.setUint8(end, LETTER_I);
    return end + 1;
  }
}
