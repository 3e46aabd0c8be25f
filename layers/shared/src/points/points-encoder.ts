/** Record batches to line protocol: validates each row and writes it, without an object per row or value. */
import { NO_PARTITIONS, type PartitionColumns } from '../datasets/partitions';
import type { ConcreteMapping } from '../datasets/resolve';
import type { ArrowColumn } from '../parquet/c-data';
import type { ColumnInfo } from '../parquet/metadata';
import type { BatchBuffer } from './batch-buffer';
import { cellText } from './cell-text';
import { Cell } from './cells';
import { constantColumn, lackingColumns, withConstants } from './constants';
import { emptyCounts } from './counts';
import { LONGEST_NUMBER, TimestampWriter } from './digits';
import { DuplicateCounter } from './duplicates';
import { type Field, ownName, rowFields } from './fields';
import { type Head, Heads } from './heads';
import { DistinctCounter, hashPoint } from './hyperloglog';
import { PointSet } from './point-set';
import { copyText, SPOILT } from './ready-text';
import type { InvalidReason, PointsReport, RejectedRow } from './report';
import { unsuitedColumns, withUselessUnits } from './schema';
import { SeriesCounts } from './series-counts';
import { Tally } from './tally';
import { TimeSpan } from './time-span';
import { TimeReader, type Times } from './times';

const SPACE = 32;
const NEWLINE = 10;
/** By the state of a cell. */
const REASONS: readonly InvalidReason[] = [
  ...(['missing', 'missing', 'nan', 'infinite', 'unreadable'] as const),
  ...(['out-of-range', 'not-an-integer', 'inexact'] as const),
];

/** Bits that are 1, by byte. */
const ONES = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length);

export interface EncoderOptions {
  readonly mapping: ConcreteMapping;
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
  /** Whether rows without any value are counted as empty instead of invalid, and the set of the points is summed. */
  readonly isExport?: boolean;
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
  private readonly fields: readonly Field[];
  /** The fields that may have a value in the current record batch, and required ones. */
  private active: readonly Field[] = [];
  /** By a field's index in the mapping, its states in the current record batch; undefined if it has no value there. */
  private readonly states: (Uint8Array | undefined)[] = [];
  /** Maximum bytes after a head in the current record batch, without those in `sizes`. */
  private longestTail = 0;
  /** Bytes of each row's strings; undefined if there are none. */
  private readonly sizes: Float64Array | undefined;
  private readonly times: Times;
  private readonly ids: Int32Array;
  /** The current record batch. */
  private batch: readonly ArrowColumn[] = [];
  private firstRow = 0;
  private readonly cells = new Map<string, (row: number) => string | null>();
  private rows = 0;
  private points = 0;
  private empty = 0;
  private readonly pointSet = new PointSet();
  private readonly distinct = new DistinctCounter();

  /** @param capacity rows of the largest record batch. */
  constructor(
    private readonly options: EncoderOptions,
    capacity: number,
  ) {
    const { mapping, columns, taken, partitions = NO_PARTITIONS } = options;
    const mapped = new Set(mapping.columns);
    this.constants = new Map([...lackingColumns(columns, partitions)].filter(([name]) => mapped.has(name)));
    const unsuited = unsuitedColumns(columns, mapping);
    this.unsuited = new Set(unsuited.map(({ name }) => name));
    this.duplicates = new DuplicateCounter();
    this.span = new TimeSpan(options.keepFrom);
    this.heads = new Heads(
      mapping,
      this.unsuited,
      taken,
      this.constants,
      this.tally,
      this.counts,
      options.isExport ?? false,
      capacity,
    );
    this.timeReader = new TimeReader(mapping.time);
    this.fields = rowFields(mapping, withConstants(columns, this.constants), taken, capacity);
    this.times = emptyCounts(capacity);
    this.ids = new Int32Array(capacity);
    this.sizes = this.fields.some(({ cells }) => cells.addSizes) ? new Float64Array(capacity) : undefined;
    for (const [name, value] of this.constants) {
      const column = constantColumn(name, value, capacity);
      if (name === mapping.time.column) this.timeReader.read(column, this.times);
      for (const field of this.fields) if (field.column === name) field.cells.read(column);
    }

    for (const { name, declared } of unsuited) this.tally.warn('ignored', name, declared, 1);
    for (const column of withUselessUnits(withConstants(columns, this.constants), mapping))
      this.tally.warn('unit-ignored', column, undefined, 1);
    const present = new Set(withConstants(columns, this.constants).map(({ name }) => name));
    for (const field of mapping.fields) {
      if (!field.named && taken.includes(field.key) && present.has(field.column))
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
    const present = new Map(batch.map((column) => [column.name, countPresent(column)]));
    for (const [name, count] of present) this.tally.addPresent(name, count);
    for (const [name, value] of this.constants) this.tally.addPresent(name, value === null ? 0 : rows);
    if (this.heads.trim()) this.duplicates.forget();

    const { column: timeColumn } = this.options.mapping.time;
    const times = columns.get(timeColumn);
    if (times) this.timeReader.read(times, this.times);
    else if (!this.constants.has(timeColumn)) this.times.states.fill(this.stateWithout(timeColumn), 0, rows);
    this.heads.read(columns, rows, this.ids);
    this.readFields(columns, present, rows);
    for (let row = 0; row < rows; row++) this.encodeRow(row);
    this.rows += rows;
  }

  private readFields(
    columns: ReadonlyMap<string, ArrowColumn>,
    present: ReadonlyMap<string, number>,
    rows: number,
  ): void {
    const { sizes } = this;
    sizes?.fill(0);
    this.active = this.fields.filter((field) => {
      const { column: name, cells, required } = field;
      const column = columns.get(name);
      const isConstant = this.constants.has(name);
      const isActive = required || isConstant || this.unsuited.has(name) || (present.get(name) ?? 0) > 0;
      this.states[field.index] = isActive ? cells.states : undefined;
      if (!isActive) return false;
      if (column) cells.read(column);
      else if (!isConstant) cells.states.fill(this.stateWithout(name), 0, rows);
      if (sizes) cells.addSizes?.(sizes, rows);
      return true;
    });
    this.longestTail = this.active.reduce(
      (sum, { key, cells }) => sum + key.length + cells.longest,
      LONGEST_NUMBER + SPOILT + 2,
    );
  }

  /** The counts of all rows so far. Call it last: it frees memory that `encode` needs. */
  report(): PointsReport {
    this.heads.settle();
    this.duplicates.free();
    for (const { column, leftOut, examples, beyond } of this.fields) {
      for (const [state, count] of leftOut.entries()) {
        if (count > 0) this.tally.warn('left-out', column, REASONS[state], count, examples[state]);
      }
      if (beyond > 0) this.tally.warn('out-of-range', column, undefined, beyond);
    }
    return {
      rows: this.rows,
      points: this.points,
      bytes: this.options.buffer.total,
      invalid: this.tally.invalid,
      ...(this.options.isExport && { empty: this.empty, pointSet: this.pointSet.sum }),
      duplicates: this.duplicates.count,
      distinct: this.distinct.toBytes(),
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
    buffer.room(head.text.length + head.keyBytes + this.longestTail + (this.sizes?.[row] ?? 0));
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
    this.distinct.add(hashPoint(head.identityHash, seconds, nanos));
    this.span.add(seconds, nanos);
    if (this.options.isExport) this.pointSet.add(head.pointsHash, seconds, nanos);
  }

  /** Returns the position after the fields, or -1 if the row was rejected because of them. */
  private writeFields(row: number, head: Head, out: DataView, start: number): number {
    const { active } = this;
    const { bits, width, tags } = this.heads.pointColumns;
    const firstWord = this.ids[row] * width;
    const taken = this.takenName(row, head);
    if (taken !== undefined) {
      this.reject(row, 'name-taken', taken);
      return -1;
    }
    let at = start;
    for (let index = 0; index < active.length; index++) {
      const field = active[index];
      const { cells, range } = field;
      const state = cells.states[row];
      if (state !== Cell.ok) {
        if (field.required) {
          this.reject(row, REASONS[state], field.column);
          return -1;
        }
        if (state !== Cell.missing && field.leftOut[state]++ === 0)
          field.examples[state] = { row: this.firstRow + row, value: this.cell(field.column, row) };
        continue;
      }
      const key = field.named < 0 ? field.key : head.keys[field.named];
      if ('reason' in key) {
        this.reject(row, key.reason, key.column);
        return -1;
      }
      const bit = tags + field.index;
      bits[firstWord + (bit >> 5)] |= 1 << (bit & 31);
      at = cells.write(out, copyText(out, at, key), row);
      if (range) {
        const value = cells.numberAt?.(row) ?? 0;
        if (value < range.min || value > range.max) field.beyond++;
      }
    }
    if (head.hasStrings) return at;
    if (at === start) {
      const isEmpty = head.unreadable === undefined && active.every(({ cells }) => cells.states[row] === Cell.missing);
      if (this.options.isExport && isEmpty) this.empty++;
      else if (head.unreadable !== undefined) this.reject(row, 'unreadable', head.unreadable);
      else this.reject(row, 'no-fields', this.options.mapping.fields[0]?.column ?? '');
      return -1;
    }
    // The comma before the first field is the space that ends the tags.
    out.setUint8(start, SPACE);
    return at;
  }

  /** The column of a field that has a value in this row under a name that another field or a tag of the row has. */
  private takenName(row: number, { shared }: Head): string | undefined {
    for (const { fields, others } of shared) {
      const found = fields.filter((index) => this.states[index]?.[row] === Cell.ok);
      if (found.length + others > 1) return this.options.mapping.fields[found.at(-1) ?? fields[0] ?? 0]?.column;
    }
    return undefined;
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
    const textAt =
      this.cells.get(name) ??
      (column
        ? cellText(column, column.type.kind === 'bytes' ? 'hex' : undefined)
        : () => this.constants.get(name) ?? null);
    this.cells.set(name, textAt);
    return textAt(row);
  }

  private stateWithout(column: string): number {
    return this.unsuited.has(column) ? Cell.unreadable : Cell.missing;
  }
}

function countPresent({ type, validity, offset, length }: ArrowColumn): number {
  if (type.kind === 'null') return 0;
  if (!validity) return length;
  let rows = 0;
  for (let bit = offset; bit < offset + length; ) {
    // A byte of eight rows at once.
    if ((bit & 7) === 0 && bit + 8 <= offset + length) {
      rows += ONES[validity[bit >> 3]];
      bit += 8;
    } else {
      rows += (validity[bit >> 3] >> (bit & 7)) & 1;
      bit++;
    }
  }
  return rows;
}
