/** Record batches to line protocol: validates each row and writes it, without an object per row or value. */
import { mappedColumns } from '../datasets/columns';
import type { DatasetMapping } from '../datasets/mapping';
import { NO_PARTITIONS, type PartitionColumns } from '../datasets/partitions';
import { type ArrowColumn, isValid } from '../parquet/c-data';
import type { ColumnInfo } from '../parquet/metadata';
import type { BatchBuffer } from './batch-buffer';
import { cellText } from './cell-text';
import { Cell } from './cells';
import { fillNumbers, fillTimes, lackingColumns, withConstants } from './constants';
import { LONGEST_NUMBER, TimestampWriter } from './digits';
import { DuplicateCounter } from './duplicates';
import { type Head, Heads } from './heads';
import { readNumbers } from './number-cells';
import { type NumberField, numberFields, ownName } from './number-fields';
import { copyText, SPOILT } from './ready-text';
import type { InvalidReason, PointsReport, RejectedRow } from './report';
import { unsuitedColumns } from './schema';
import { SeriesCounts } from './series-counts';
import { Tally } from './tally';
import { TimeSpan } from './time-span';
import { TimeReader, type Times } from './times';

const SPACE = 32;
const NEWLINE = 10;
/** By the state of a cell. */
const REASONS: readonly InvalidReason[] = ['missing', 'missing', 'nan', 'infinite', 'unreadable', 'out-of-range'];

export interface EncoderOptions {
  readonly mapping: DatasetMapping;
  /** The file's columns. */
  readonly columns: readonly ColumnInfo[];
  /** Columns that the file's key supplies; empty by default. */
  readonly partitions?: PartitionColumns;
  /** Names that the unit's fields use in this file: a column's own field of such a name is written as `nominal_NAME`. */
  readonly taken: readonly string[];
  readonly buffer: BatchBuffer;
  /** s since 1970: earlier points are counted. */
  readonly keepFrom?: number | undefined;
  /** Called for each invalid row, with a function that renders it: that takes ten times as long as to count it. */
  readonly onReject?: ((render: () => RejectedRow) => void) | undefined;
}

export class PointsEncoder {
  private readonly tally = new Tally();
  private readonly duplicates: DuplicateCounter;
  private readonly counts = new SeriesCounts();
  private readonly span: TimeSpan;
  /** Columns of an unusable type: their cells count as unreadable. */
  private readonly unsuited: ReadonlySet<string>;
  /** The mapped columns that have one value in all rows. */
  private readonly constants: PartitionColumns;
  private readonly heads: Heads;
  private readonly timeReader: TimeReader;
  private readonly timestamps = new TimestampWriter();
  private readonly fields: readonly NumberField[];
  /** Maximum bytes after a head. */
  private readonly longestTail: number;
  private readonly times: Times;
  private readonly ids: Int32Array;
  /** The current record batch. */
  private batch: readonly ArrowColumn[] = [];
  private firstRow = 0;
  private readonly cells = new Map<string, (row: number) => string | null>();
  private rows = 0;
  private points = 0;

  /** @param capacity rows of the largest record batch. */
  constructor(
    private readonly options: EncoderOptions,
    capacity: number,
  ) {
    const { mapping, columns, taken, partitions = NO_PARTITIONS } = options;
    const mapped = new Set(mappedColumns(mapping));
    this.constants = new Map([...lackingColumns(columns, partitions)].filter(([name]) => mapped.has(name)));
    const unsuited = unsuitedColumns(columns, mapping);
    this.unsuited = new Set(unsuited.map(({ name }) => name));
    this.duplicates = new DuplicateCounter();
    this.span = new TimeSpan(options.keepFrom);
    this.fields = numberFields(mapping, withConstants(columns, this.constants), taken, capacity);
    this.heads = new Heads(
      mapping,
      this.unsuited,
      taken,
      this.constants,
      this.tally,
      this.fields,
      this.counts,
      capacity,
    );
    this.timeReader = new TimeReader(mapping.time);
    this.longestTail = this.fields.reduce(
      (sum, { key }) => sum + key.length + LONGEST_NUMBER,
      LONGEST_NUMBER + SPOILT + 2,
    );
    this.times = {
      seconds: new Float64Array(capacity),
      nanos: new Int32Array(capacity),
      states: new Uint8Array(capacity),
    };
    this.ids = new Int32Array(capacity);
    for (const [name, value] of this.constants) {
      if (name === mapping.time.column) fillTimes(name, value, mapping, this.times);
      for (const field of this.fields) if (field.column === name) fillNumbers(name, value, field);
    }

    for (const { name, declared } of unsuited) this.tally.warn('ignored', name, declared, 1);
    const present = new Set(withConstants(columns, this.constants).map(({ name }) => name));
    for (const field of mapping.fields) {
      const { name = field.column, named } = field;
      if (!named && taken.includes(name) && present.has(field.column))
        this.tally.warn('renamed', field.column, ownName(field, taken), 1);
    }
  }

  /** Encodes a record batch whose first row is the file's row `firstRow`. */
  encode(batch: readonly ArrowColumn[], rows: number, firstRow: number): void {
    this.batch = batch;
    this.firstRow = firstRow;
    this.cells.clear();
    const columns = new Map(
      batch.filter(({ name }) => !this.unsuited.has(name)).map((column) => [column.name, column]),
    );
    for (const column of batch) this.tally.addPresent(column.name, countPresent(column));
    for (const [name, value] of this.constants) this.tally.addPresent(name, value === null ? 0 : rows);
    if (this.heads.trim()) this.duplicates.forget();

    const { column: timeColumn } = this.options.mapping.time;
    const times = columns.get(timeColumn);
    if (times) this.timeReader.read(times, this.times);
    else if (!this.constants.has(timeColumn)) this.times.states.fill(this.stateWithout(timeColumn), 0, rows);
    this.heads.read(columns, rows, this.ids);
    for (const field of this.fields) {
      const column = columns.get(field.column);
      if (column) readNumbers(column, field);
      else if (!this.constants.has(field.column)) field.states.fill(this.stateWithout(field.column), 0, rows);
    }
    for (let row = 0; row < rows; row++) this.encodeRow(row);
    this.rows += rows;
  }

  /** The counts of all rows so far. Call it last: it frees memory that `encode` needs. */
  report(): PointsReport {
    this.heads.settle();
    this.duplicates.free();
    for (const { column, leftOut, beyond } of this.fields) {
      if (leftOut > 0) this.tally.warn('left-out', column, undefined, leftOut);
      if (beyond > 0) this.tally.warn('out-of-range', column, undefined, beyond);
    }
    return {
      rows: this.rows,
      points: this.points,
      bytes: this.options.buffer.total,
      invalid: this.tally.invalid,
      duplicates: this.duplicates.count,
      warnings: this.tally.warnings,
      present: this.tally.present,
      earliest: this.span.earliest,
      latest: this.span.latest,
      beforeKeepFrom: this.span.before,
      series: this.counts.report(),
    };
  }

  private encodeRow(row: number): void {
    const { mapping, buffer } = this.options;
    const timeState = this.times.states[row];
    if (timeState !== Cell.ok) {
      this.reject(row, REASONS[timeState], mapping.time.column);
      return;
    }
    const head = this.heads.get(this.ids[row]);
    if (head.fault) {
      this.reject(row, head.fault.reason, head.fault.column);
      return;
    }
    buffer.room(head.text.length + this.longestTail);
    let at = this.writeFields(row, head, buffer.view, copyText(buffer.view, buffer.position, head.text));
    if (at < 0) return;

    buffer.view.setUint8(at, SPACE);
    const seconds = this.times.seconds[row];
    const nanos = this.times.nanos[row];
    at = this.timestamps.write(buffer.view, at + 1, seconds, nanos);
    buffer.view.setUint8(at, NEWLINE);
    buffer.endLine(at + 1);
    head.rows++;
    this.points++;
    this.duplicates.add(head.series, seconds, nanos);
    this.span.add(seconds, nanos);
  }

  /** Returns the position after the fields, or -1 if the row was rejected because of them. */
  private writeFields(row: number, head: Head, out: DataView, start: number): number {
    const { fields } = this;
    const { seen, width, firstNumber } = this.heads;
    const seenAt = this.ids[row] * width;
    let at = start;
    for (let index = 0; index < fields.length; index++) {
      const field = fields[index];
      const state = field.states[row];
      if (state !== Cell.ok) {
        if (field.required) {
          this.reject(row, REASONS[state], field.column);
          return -1;
        }
        if (state !== Cell.missing) field.leftOut++;
        continue;
      }
      const key = field.named < 0 ? field.key : head.keys[field.named];
      const bit = firstNumber + index;
      seen[seenAt + (bit >> 5)] |= 1 << (bit & 31);
      const value = field.values[row];
      at = field.writer.write(out, copyText(out, at, key), value);
      if (value < field.min || value > field.max) field.beyond++;
    }
    if (head.hasStrings) return at;
    if (at === start) {
      if (head.unreadable !== undefined) this.reject(row, 'unreadable', head.unreadable);
      else this.reject(row, 'no-fields', this.options.mapping.fields[0]?.column ?? '');
      return -1;
    }
    // The comma before the first field is the space that ends the tags.
    out.setUint8(start, SPACE);
    return at;
  }

  private reject(row: number, reason: InvalidReason = 'unreadable', column = ''): void {
    const inFile = this.firstRow + row;
    this.tally.reject(reason, column, inFile, () => this.cell(column, row));
    this.options.onReject?.(() => ({
      row: inFile,
      reason,
      column,
      value: this.cell(column, row),
      values: {
        ...Object.fromEntries(this.constants),
        ...Object.fromEntries(this.batch.map(({ name }) => [name, this.cell(name, row)])),
      },
    }));
  }

  private cell(name: string, row: number): string | null {
    const column = this.batch.find((candidate) => candidate.name === name);
    const textAt = this.cells.get(name) ?? (column ? cellText(column) : () => this.constants.get(name) ?? null);
    this.cells.set(name, textAt);
    return textAt(row);
  }

  private stateWithout(column: string): number {
    return this.unsuited.has(column) ? Cell.unreadable : Cell.missing;
  }
}

function countPresent(column: ArrowColumn): number {
  if (column.type.kind === 'null') return 0;
  if (!column.validity) return column.length;
  let rows = 0;
  for (let row = 0; row < column.length; row++) if (isValid(column, row)) rows++;
  return rows;
}
