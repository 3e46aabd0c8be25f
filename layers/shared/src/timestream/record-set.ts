/**
 * The records of one request as columns of numbers: series, time, measures, and line. So a
 * request of any size needs only a few objects.
 */
import type { LineDecoder } from '../line-protocol/decoder';
import { type Precision, precisionDoubt } from '../line-protocol/precision';
import type { LinePlace } from '../line-report';
import { borrowBuffer, returnBuffer } from '../reused-buffers';
import type { DimensionTable } from './dimensions';
import type { MeasureList } from './measure-list';
import type { SeriesTable } from './series';

const FIRST_RECORDS = 512;
/** Seven columns of 4 bytes and one of 8. */
const BYTES_PER_RECORD = 36;

/** Index n of each column is record n. */
export class RecordSet {
  length = 0;
  /** Indices into `series`. */
  seriesOf = new Int32Array();
  /** Time: seconds since 1970, and the remaining nanoseconds. */
  seconds = new Float64Array();
  nanos = new Int32Array();
  /** Measures: `start..end` of `measures`. */
  measuresStart = new Int32Array();
  measuresEnd = new Int32Array();
  /** Line number, from 1. */
  line = new Int32Array();
  /** Position of the line in the source, including its line break. */
  lineStart = new Int32Array();
  lineEnd = new Int32Array();
  /** The memory of all columns. */
  private buffer: Buffer = Buffer.of();
  /** Number of empty strings, which are left out of their records because Timestream cannot store them. */
  emptyStrings = 0;
  /** The time of lines without a timestamp; -1 if there are none. */
  requestSeconds = -1;
  requestNanos = -1;

  constructor(
    readonly series: SeriesTable,
    readonly measures: MeasureList,
    private readonly precision: Precision,
  ) {
    this.allocate(FIRST_RECORDS);
  }

  /** Adds the decoder's current line. Its measures are those from `measuresStart` on. */
  add(series: number, measuresStart: number, decoder: LineDecoder): void {
    if (this.length === this.line.length) this.allocate(this.length * 2);
    const record = this.length++;
    this.seriesOf[record] = series;
    this.seconds[record] = decoder.seconds;
    this.nanos[record] = decoder.nanos;
    this.measuresStart[record] = measuresStart;
    this.measuresEnd[record] = this.measures.length;
    this.line[record] = decoder.line;
    this.lineStart[record] = decoder.lineStart;
    this.lineEnd[record] = decoder.nextToken;
  }

  /** Moves the columns to memory for `records` records. */
  private allocate(records: number): void {
    const buffer = borrowBuffer(records * BYTES_PER_RECORD);
    const capacity = Math.floor(buffer.length / BYTES_PER_RECORD);
    let end = 0;
    const moved = <Column extends Int32Array | Float64Array>(column: Column): Column => {
      const longer = new (column.constructor as ColumnConstructor<Column>)(buffer.buffer, end, capacity);
      longer.set(column);
      end += longer.byteLength;
      return longer;
    };
    // First, because a Float64Array starts at a multiple of 8 bytes.
    this.seconds = moved(this.seconds);
    this.nanos = moved(this.nanos);
    this.seriesOf = moved(this.seriesOf);
    this.measuresStart = moved(this.measuresStart);
    this.measuresEnd = moved(this.measuresEnd);
    this.line = moved(this.line);
    this.lineStart = moved(this.lineStart);
    this.lineEnd = moved(this.lineEnd);
    returnBuffer(this.buffer);
    this.buffer = buffer;
  }

  /** Returns the buffers for reuse. The records cannot be used afterwards. */
  release(): void {
    returnBuffer(this.buffer);
    this.measures.release();
    this.series.release();
  }

  /** The dimensions of all series. */
  get dimensions(): DimensionTable {
    return this.series.dimensions;
  }

  /** A question to the user if a wrong precision explains the time of a record. */
  precisionDoubt(record: number): string | undefined {
    return precisionDoubt(this.seconds[record], this.nanos[record], this.precision);
  }

  /** The line of a record. */
  place(record: number): LinePlace {
    return { line: this.line[record], start: this.lineStart[record], end: this.lineEnd[record] };
  }
}

type ColumnConstructor<Column> = new (buffer: ArrayBufferLike, start: number, length: number) => Column;
