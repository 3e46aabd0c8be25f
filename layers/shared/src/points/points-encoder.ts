/** Record batches to line protocol: validates each row and writes it, without an object per row or value. */
import { NO_PARTITIONS, type PartitionColumns } from '../datasets/partitions';
import type { ConcreteMapping } from '../datasets/resolve';
import type { ArrowColumn } from '../parquet/c-data';
import type { ColumnInfo } from '../parquet/metadata';
import type { BatchBuffer } from './batch-buffer';
import { Cell } from './cells';
import { constantColumn, lackingColumns, withConstants } from './constants';
import { emptyCounts } from './counts';
import { TimestampWriter } from './digits';
import { DuplicateCounter } from './duplicates';
import { ownName } from './fields';
import { type Head, Heads } from './heads';
import { DistinctCounter, hashPoint } from './hyperloglog';
import { InvalidRows } from './invalid-rows';
import { PointSet } from './point-set';
import { copyText } from './ready-text';
import { NO_POINTS, type PointsReport, type RejectedRow } from './report';
import { REASONS, RowFields } from './row-fields';
import { unsuitedColumns, withUselessUnits } from './schema';
import { SeriesCounts } from './series-counts';
import { Tally } from './tally';
import { TimeSpan } from './time-span';
import { TimeReader, type Times } from './times';

const SPACE = 32;
const NEWLINE = 10;

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
  /** Whether distinct points are counted: 20 ns a row. Not by default. */
  readonly countDistinct?: boolean;
  /** Called for each invalid row, with a function that renders it: that takes ten times as long as to count it. */
  readonly onReject?: ((render: () => RejectedRow) => void) | undefined;
  /** Whether rows without any value are counted as empty instead of invalid, and the set of the points is summed. */
  readonly isExport?: boolean;
}

export class PointsEncoder {
  private readonly tally = new Tally();
  private readonly duplicates = new DuplicateCounter();
  private readonly counts = new SeriesCounts();
  private readonly span: TimeSpan;
  /** Columns of an unusable type: their cells count as unreadable. */
  private readonly unsuited: ReadonlySet<string>;
  /** The mapped columns that have one value in all rows. */
  private readonly constants: PartitionColumns;
  private readonly heads: Heads;
  private readonly fields: RowFields;
  private readonly invalid: InvalidRows;
  private readonly timeReader: TimeReader;
  private readonly timestamps = new TimestampWriter();
  private readonly times: Times;
  private readonly ids: Int32Array;
  private rows = 0;
  private points = 0;
  private empty = 0;
  private readonly pointSet = new PointSet();
  private readonly distinct: DistinctCounter | undefined;

  /** @param capacity rows of the largest record batch. */
  constructor(
    private readonly options: EncoderOptions,
    capacity: number,
  ) {
    const { mapping, columns, taken, partitions = NO_PARTITIONS, isExport = false } = options;
    const mapped = new Set(mapping.columns);
    this.constants = new Map([...lackingColumns(columns, partitions)].filter(([name]) => mapped.has(name)));
    const { constants, tally } = this;
    const unsuited = unsuitedColumns(columns, mapping);
    this.unsuited = new Set(unsuited.map(({ name }) => name));
    this.span = new TimeSpan(options.keepFrom);
    this.distinct = options.countDistinct ? new DistinctCounter() : undefined;
    this.heads = new Heads(mapping, this.unsuited, taken, constants, tally, this.counts, isExport, capacity);
    const { pointColumns } = this.heads;
    this.invalid = new InvalidRows(constants, tally, options.onReject);
    this.fields = new RowFields(
      mapping,
      columns,
      constants,
      this.unsuited,
      taken,
      pointColumns,
      this.invalid,
      capacity,
    );
    this.timeReader = new TimeReader(mapping.time);
    this.times = emptyCounts(capacity);
    this.ids = new Int32Array(capacity);
    const time = constants.get(mapping.time.column);
    if (time !== undefined) this.timeReader.read(constantColumn(mapping.time.column, time, capacity), this.times);

    for (const { name, declared } of unsuited) tally.warn('ignored', name, declared, 1);
    for (const column of withUselessUnits(withConstants(columns, constants), mapping))
      tally.warn('unit-ignored', column, undefined, 1);
    const present = new Set(withConstants(columns, constants).map(({ name }) => name));
    for (const field of mapping.fields) {
      if (!field.named && taken.includes(field.key) && present.has(field.column))
        tally.warn('renamed', field.column, ownName(field, taken), 1);
    }
  }

  /** Encodes a record batch whose first row is the file's row `firstRow`. */
  encode(batch: readonly ArrowColumn[], rows: number, firstRow: number): void {
    this.invalid.begin(batch, firstRow);
    const columns = new Map(
      batch.filter(({ name }) => !this.unsuited.has(name)).map((column) => [column.name, column]),
    );
    const present = new Map(batch.map((column) => [column.name, countPresent(column)]));
    for (const [name, count] of present) this.tally.addPresent(name, count);
    for (const [name, value] of this.constants) this.tally.addPresent(name, value === null ? 0 : rows);
    if (this.heads.trim()) this.duplicates.forget();

    this.readTimes(columns, rows);
    this.heads.read(columns, rows, this.ids);
    this.fields.read(columns, present, rows);
    for (let row = 0; row < rows; row++) this.encodeRow(row);
    this.rows += rows;
  }

  /** The counts of all rows so far. Call it last: it frees memory that `encode` needs. */
  report(): PointsReport {
    this.heads.settle();
    this.duplicates.free();
    this.fields.settle(this.tally);
    return {
      rows: this.rows,
      points: this.points,
      bytes: this.options.buffer.total,
      invalid: this.tally.invalid,
      ...(this.options.isExport && { empty: this.empty, pointSet: this.pointSet.sum }),
      duplicates: this.duplicates.count,
      distinct: this.distinct?.toBytes() ?? NO_POINTS.distinct,
      warnings: this.tally.warnings,
      present: this.tally.present,
      earliest: this.span.earliest,
      latest: this.span.latest,
      beforeKeepFrom: this.span.before,
      series: this.counts.report(),
    };
  }

  private readTimes(columns: ReadonlyMap<string, ArrowColumn>, rows: number): void {
    const name = this.options.mapping.time.column;
    const column = columns.get(name);
    if (column) this.timeReader.read(column, this.times);
    else if (!this.constants.has(name))
      this.times.states.fill(this.unsuited.has(name) ? Cell.unreadable : Cell.missing, 0, rows);
  }

  private encodeRow(row: number): void {
    const { mapping, buffer, isExport } = this.options;
    const timeState = this.times.states[row];
    if (timeState !== Cell.ok) {
      this.invalid.add(row, REASONS[timeState] ?? 'unreadable', mapping.time.column);
      return;
    }
    const id = this.ids[row];
    const head = this.heads.get(id);
    const problem = head.fault ?? this.fields.problem(row, head);
    if (problem) {
      this.invalid.add(row, problem.reason, problem.column);
      return;
    }
    buffer.room(head.text.length + this.fields.room(row, head));
    const { view } = buffer;
    const start = copyText(view, buffer.position, head.text);
    let at = this.fields.write(row, id, head, view, start);
    if (!head.hasStrings) {
      if (at === start) {
        this.addEmpty(row, head);
        return;
      }
      // The comma before the first field is the space that ends the tags.
      view.setUint8(start, SPACE);
    }

    view.setUint8(at, SPACE);
    const seconds = this.times.seconds[row];
    const nanos = this.times.nanos[row];
    at = this.timestamps.write(view, at + 1, this.times, row);
    view.setUint8(at, NEWLINE);
    buffer.endLine(at + 1);
    head.rows++;
    this.points++;
    this.duplicates.add(head.series, seconds, nanos);
    this.distinct?.add(hashPoint(head.identityHash, seconds, nanos));
    this.span.add(seconds, nanos);
    if (isExport) this.pointSet.add(head.pointsHash, seconds, nanos);
  }

  /** Counts a row without any field. */
  private addEmpty(row: number, { unreadable }: Head): void {
    const { isExport, mapping } = this.options;
    if (unreadable !== undefined) this.invalid.add(row, 'unreadable', unreadable);
    else if (isExport && this.fields.isEmpty(row)) this.empty++;
    else this.invalid.add(row, 'no-fields', mapping.fields[0]?.column ?? '');
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
