/** The fields that are written row by row: which of them a record batch has, whether a row's values can be written, and their text. */
import type { PartitionColumns } from '../datasets/partitions';
import type { ConcreteMapping } from '../datasets/resolve';
import type { ArrowColumn } from '../parquet/c-data';
import type { ColumnInfo } from '../parquet/metadata';
import { Cell } from './cells';
import { constantColumn, withConstants } from './constants';
import { LONGEST_NUMBER } from './digits';
import { type Field, rowFields } from './fields';
import type { HeadColumns } from './head-columns';
import type { Head } from './heads';
import type { InvalidRows } from './invalid-rows';
import { copyText, SPOILT } from './ready-text';
import type { InvalidReason } from './report';
import type { HeadFault } from './tags';
import type { Tally } from './tally';

/** By the state of a cell. */
export const REASONS: readonly InvalidReason[] = [
  ...(['missing', 'missing', 'nan', 'infinite', 'unreadable'] as const),
  ...(['out-of-range', 'not-an-integer', 'inexact'] as const),
];

export class RowFields {
  private readonly fields: readonly Field[];
  /** The fields that may have a value in the current record batch, and required ones. */
  private active: readonly Field[] = [];
  private readonly required: readonly Field[];
  /** By a field's index in the mapping, its states in the current record batch; undefined if it has no value there. */
  private readonly states: (Uint8Array | undefined)[] = [];
  /** Maximum bytes after a head in the current record batch, without those in `sizes`. */
  private longestTail = 0;
  /** Bytes of each row's strings; undefined if there are none. */
  private readonly sizes: Float64Array | undefined;

  /**
   * @param columns the file's columns
   * @param constants the mapped columns that have one value in all rows
   * @param unsuited columns of an unusable type: their cells count as unreadable
   * @param taken names that the unit's fields use in this file
   * @param invalid gives an example of a value that is left out
   * @param capacity rows of the largest record batch
   */
  constructor(
    private readonly mapping: ConcreteMapping,
    columns: readonly ColumnInfo[],
    private readonly constants: PartitionColumns,
    private readonly unsuited: ReadonlySet<string>,
    taken: readonly string[],
    private readonly pointColumns: HeadColumns,
    private readonly invalid: InvalidRows,
    capacity: number,
  ) {
    this.fields = rowFields(mapping, withConstants(columns, constants), taken, capacity);
    this.required = this.fields.filter(({ required }) => required);
    this.sizes = this.fields.some(({ cells }) => cells.addSizes) ? new Float64Array(capacity) : undefined;
    for (const field of this.fields) {
      const value = constants.get(field.column);
      if (value !== undefined) field.cells.read(constantColumn(field.column, value, capacity));
    }
  }

  /**
   * Reads a record batch.
   * @param columns its columns that can be used
   * @param present rows with a value, by column
   */
  read(columns: ReadonlyMap<string, ArrowColumn>, present: ReadonlyMap<string, number>, rows: number): void {
    const { sizes, constants, unsuited } = this;
    sizes?.fill(0);
    this.active = this.fields.filter((field) => {
      const { column: name, cells, required } = field;
      const column = columns.get(name);
      const isConstant = constants.has(name);
      const isActive = required || isConstant || unsuited.has(name) || (present.get(name) ?? 0) > 0;
      this.states[field.index] = isActive ? cells.states : undefined;
      if (!isActive) return false;
      if (column) cells.read(column);
      else if (!isConstant) cells.states.fill(unsuited.has(name) ? Cell.unreadable : Cell.missing, 0, rows);
      if (sizes) cells.addSizes?.(sizes, rows);
      return true;
    });
    this.longestTail = this.active.reduce(
      (sum, { key, cells }) => sum + key.length + cells.longest,
      LONGEST_NUMBER + SPOILT + 2,
    );
  }

  /** Maximum bytes of a row's line after its head, with the time. */
  room(row: number, head: Head): number {
    return head.keyBytes + this.longestTail + (this.sizes?.[row] ?? 0);
  }

  /** Why a row's values cannot be written; undefined if they can. */
  problem(row: number, head: Head): HeadFault | undefined {
    const { required } = this;
    for (let index = 0; index < required.length; index++) {
      const { cells, column } = required[index];
      const state = cells.states[row];
      if (state !== Cell.ok) return { reason: REASONS[state] ?? 'unreadable', column };
    }
    return this.takenName(row, head) ?? this.nameProblem(row, head);
  }

  /** Writes the fields of a row without a problem, each after a comma. Returns the position after them. */
  write(row: number, id: number, head: Head, out: DataView, start: number): number {
    const { active } = this;
    const { bits, width, tags } = this.pointColumns;
    const firstWord = id * width;
    let at = start;
    for (let index = 0; index < active.length; index++) {
      const field = active[index];
      const { cells, range } = field;
      const state = cells.states[row];
      if (state !== Cell.ok) {
        if (state !== Cell.missing && field.leftOut[state]++ === 0)
          field.examples[state] = this.invalid.example(row, field.column);
        continue;
      }
      const bit = tags + field.index;
      bits[firstWord + (bit >> 5)] |= 1 << (bit & 31);
      at = cells.write(out, copyText(out, at, field.named < 0 ? field.key : head.keys[field.named]), row);
      if (range) {
        const value = cells.numberAt?.(row) ?? 0;
        if (value < range.min || value > range.max) field.beyond++;
      }
    }
    return at;
  }

  /** Whether a row has neither a value nor one that cannot be read. */
  isEmpty(row: number): boolean {
    return this.active.every(({ cells }) => cells.states[row] === Cell.missing);
  }

  /** Adds the warnings of all rows so far to the tally. */
  settle(tally: Tally): void {
    for (const { column, leftOut, examples, beyond } of this.fields) {
      for (const [state, count] of leftOut.entries()) {
        if (count > 0) tally.warn('left-out', column, REASONS[state], count, examples[state]);
      }
      if (beyond > 0) tally.warn('out-of-range', column, undefined, beyond);
    }
  }

  /** A field with a value in this row under a name that another field or a tag of the row has. */
  private takenName(row: number, { shared }: Head): HeadFault | undefined {
    for (const { fields, others } of shared) {
      const found = fields.filter((index) => this.states[index]?.[row] === Cell.ok);
      if (found.length + others < 2) continue;
      const column = this.mapping.fields[found.at(-1) ?? fields[0] ?? 0]?.column ?? '';
      return { reason: 'name-taken', column };
    }
    return undefined;
  }

  /** A field with a value in this row and no name. */
  private nameProblem(row: number, { nameFaults }: Head): HeadFault | undefined {
    if (!nameFaults) return undefined;
    for (const { named, cells } of this.active) {
      if (named >= 0 && nameFaults[named] && cells.states[row] === Cell.ok) return nameFaults[named];
    }
    return undefined;
  }
}
