/**
 * The records of one request as columns of numbers: series, time, position of the measures in one JSON buffer, and line. So a
 * request of any size needs only a few objects.
 */
import type { LineDecoder } from '../line-protocol/decoder';
import { type Precision, precisionDoubt } from '../line-protocol/precision';
import type { LinePlace } from '../line-report';
import type { ByteWriter } from './byte-writer';
import type { DimensionTable } from './dimensions';
import type { Series, SeriesTable } from './series';

const FIRST_RECORDS = 1024;

/** Index n of each column is record n. */
export class RecordSet {
  length = 0;
  /** Indices into `series`. */
  seriesOf = new Int32Array(FIRST_RECORDS);
  /** Time: seconds since 1970, and the remaining nanoseconds. */
  seconds = new Float64Array(FIRST_RECORDS);
  nanos = new Int32Array(FIRST_RECORDS);
  /** Measures: `json[start, end)`, JSON objects separated by commas. */
  measuresStart = new Int32Array(FIRST_RECORDS);
  measuresEnd = new Int32Array(FIRST_RECORDS);
  /** Line number, from 1. */
  line = new Int32Array(FIRST_RECORDS);
  /** Position of the line in the source, including its line break. */
  lineStart = new Int32Array(FIRST_RECORDS);
  lineEnd = new Int32Array(FIRST_RECORDS);
  /** Number of empty strings, which are left out of their records because Timestream cannot store them. */
  emptyStrings = 0;
  /** The time of lines without a timestamp; -1 if there are none. */
  requestSeconds = -1;
  requestNanos = -1;

  constructor(
    private readonly seriesTable: SeriesTable,
    readonly json: ByteWriter,
    private readonly precision: Precision,
  ) {}

  /** Adds the decoder's current line. Its measures are from `measuresStart` to the end of `json`, which is a comma. */
  add(series: Series, measuresStart: number, decoder: LineDecoder): void {
    if (this.length === this.line.length) this.grow();
    const record = this.length++;
    this.seriesOf[record] = series.index;
    this.seconds[record] = decoder.seconds;
    this.nanos[record] = decoder.nanos;
    this.measuresStart[record] = measuresStart;
    this.measuresEnd[record] = this.json.length - 1;
    this.line[record] = decoder.line;
    this.lineStart[record] = decoder.lineStart;
    this.lineEnd[record] = decoder.nextToken;
  }

  private grow(): void {
    this.seriesOf = grown(this.seriesOf);
    this.seconds = grown(this.seconds);
    this.nanos = grown(this.nanos);
    this.measuresStart = grown(this.measuresStart);
    this.measuresEnd = grown(this.measuresEnd);
    this.line = grown(this.line);
    this.lineStart = grown(this.lineStart);
    this.lineEnd = grown(this.lineEnd);
  }

  /** Releases the JSON buffers. The records cannot be sent afterwards. */
  release(): void {
    this.json.release();
    this.seriesTable.dimensions.json.release();
  }

  get series(): readonly Series[] {
    return this.seriesTable.series;
  }

  /** The dimensions of all series. */
  get dimensions(): DimensionTable {
    return this.seriesTable.dimensions;
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

/** A copy of twice the length. */
function grown<Numbers extends Int32Array | Float64Array>(numbers: Numbers): Numbers {
  const longer = new (numbers.constructor as new (length: number) => Numbers)(numbers.length * 2);
  longer.set(numbers);
  return longer;
}
