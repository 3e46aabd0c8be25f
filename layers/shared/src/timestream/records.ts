/**
 * Maps decoded lines to multi-measure records. A record is a row of numbers (its series, its time, where its measures stand in
 * one buffer of JSON, its line), so that a request of any size makes a handful of objects; values are copied from the lines.
 */
import { RequestTooLargeError } from '../errors';
import { escapesInString, NEWLINE, RETURN } from '../line-protocol/bytes';
import {
  BOOLEAN,
  END,
  ERROR,
  FLOAT,
  LineDecoder,
  type Reading,
  STRING,
  TOKEN,
  UNSIGNED,
} from '../line-protocol/decoder';
import { INVALID, integerForm } from '../line-protocol/number-syntax';
import type { Precision } from '../line-protocol/precision';
import { Words } from '../line-protocol/words';
import { ByteWriter } from './byte-writer';
import type { DimensionTable } from './dimensions';
import { BOOLEAN_BYTES, MAX_MEASURES_PER_RECORD, NUMBER_BYTES } from './limits';
import type { LinePlace, LineReport } from './line-report';
import { MeasureMerge, type MeasureTotals, measuresProblem } from './measures';
import { type Series, type SeriesMapping, SeriesTable } from './series';
import type { Field } from './shape';

/** A line with more fields is rejected without a look at the others. */
const MAX_FIELDS_READ = 4 * MAX_MEASURES_PER_RECORD;

/** What follows a value, by its field's kind. */
const VALUE_TAIL: readonly Words[] = ['DOUBLE', 'BIGINT', 'BIGINT', 'BOOLEAN', 'VARCHAR'].map((type) =>
  Words.of(`","Type":"${type}"},`),
);
const TRUE = Words.of('true');
const COMMA = Words.of(',');
const FALSE = Words.of('false');

export interface MappingOptions extends SeriesMapping {
  readonly precision: Precision;
  /** Time of points without timestamp, ms since 1970; cut to the precision. */
  readonly requestTime: number;
  /** Longest line, in bytes. */
  readonly maxLineBytes: number;
  /** Most distinct tags and fields of all lines together. */
  readonly maxTagsAndFields: number;
  /** Most bytes of the records' measures as JSON, of which short fields and control characters make up to seven times the body. */
  readonly maxJsonBytes: number;
}

/** Where a record came from and where its parts are; index n of each list is record n. */
export class RecordSet {
  length = 0;
  /** Index into `series`. */
  seriesOf = new Int32Array(FIRST_RECORDS);
  /** Time: seconds since 1970, and nanoseconds above them. */
  seconds = new Float64Array(FIRST_RECORDS);
  nanos = new Int32Array(FIRST_RECORDS);
  /** Measures: JSON objects separated by commas, `json[start, end)`. */
  measuresStart = new Int32Array(FIRST_RECORDS);
  measuresEnd = new Int32Array(FIRST_RECORDS);
  /** Line number, from 1. */
  line = new Int32Array(FIRST_RECORDS);
  /** The line's bytes in the source, with what ends it. */
  lineStart = new Int32Array(FIRST_RECORDS);
  lineEnd = new Int32Array(FIRST_RECORDS);
  /** Empty strings, which were left out of their records. */
  emptyStrings = 0;
  /** The time that lines without a timestamp got; -1 where each line has one. */
  requestSeconds = -1;
  requestNanos = -1;

  constructor(
    private readonly seriesTable: SeriesTable,
    readonly json: ByteWriter,
  ) {}

  /** Adds the decoder's current line, with its measures from `measuresStart` to the end of `json`. */
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

  /** Gives the memory of the JSON back; the records cannot be sent after it. */
  release(): void {
    this.json.release();
    this.seriesTable.dimensions.json.release();
  }

  get series(): readonly Series[] {
    return this.seriesTable.series;
  }

  /** What the series have between them. */
  get dimensions(): DimensionTable {
    return this.seriesTable.dimensions;
  }

  /** The line that a record was made of. */
  place(record: number): LinePlace {
    return { line: this.line[record], start: this.lineStart[record], end: this.lineEnd[record] };
  }
}

const FIRST_RECORDS = 1024;

/** Twice as long, with what it has. */
function grown<Numbers extends Int32Array | Float64Array>(numbers: Numbers): Numbers {
  const longer = new (numbers.constructor as new (length: number) => Numbers)(numbers.length * 2);
  longer.set(numbers);
  return longer;
}

/**
 * Decodes `source` and maps each good line to a record. Lines that are faulty, or beyond a limit of Timestream, go to `report`.
 * @throws RequestTooLargeError beyond `maxTagsAndFields` or `maxJsonBytes`, which lines may reach that are within every other limit
 */
export function mapLines(source: Uint8Array, options: MappingOptions, report: LineReport): RecordSet {
  const mapper = new LineMapper(source, options);
  const { decoder, records } = mapper;
  while (decoder.nextLine()) {
    const start = records.json.length;
    const problem = mapper.mapLine();
    const excess = mapper.excess();
    if (excess !== undefined) {
      records.release();
      throw new RequestTooLargeError(excess);
    }
    if (problem === undefined) continue;
    records.json.length = start;
    if (problem === ERROR) report.faulty(decoder);
    else report.rejected({ line: decoder.line, start: decoder.lineStart, end: decoder.nextToken }, problem);
  }
  return records;
}

class LineMapper {
  readonly decoder: LineDecoder;
  readonly records: RecordSet;
  private readonly seriesTable: SeriesTable;
  private readonly json: ByteWriter;
  /** Of the current line. */
  private readonly totals: MeasureTotals = { count: 0, valueBytes: 0 };
  private problem: string | undefined;
  private repeats = false;

  constructor(
    private readonly source: Uint8Array,
    private readonly options: MappingOptions,
  ) {
    this.decoder = new LineDecoder(source);
    this.seriesTable = new SeriesTable(options);
    this.json = ByteWriter.borrow(1024 + source.length * 2);
    this.records = new RecordSet(this.seriesTable, this.json);
  }

  /** Which bound of the request its lines exceed so far; undefined where none. */
  excess(): string | undefined {
    const { maxJsonBytes, maxTagsAndFields } = this.options;
    if (this.seriesTable.tagsAndFields > maxTagsAndFields)
      return `more than ${maxTagsAndFields} distinct tags and fields`;
    if (this.json.length > maxJsonBytes) return `fields of more than ${maxJsonBytes} bytes as records of Timestream`;
    return undefined;
  }

  /** Maps the decoder's current line and adds its record. Returns ERROR, or why it cannot be stored, where it cannot. */
  mapLine(): typeof ERROR | string | undefined {
    const { decoder, json, records, seriesTable } = this;
    const measuresStart = json.length;
    const series = seriesTable.read(decoder);
    if (series === undefined) return ERROR;
    this.problem = typeof series === 'string' ? series : undefined;
    if (this.readFields(typeof series === 'string' ? undefined : series) === ERROR) return ERROR;
    const time = decoder.readTime(this.options.precision);
    if (time === ERROR) return ERROR;
    if (time === END) this.useRequestTime();
    this.checkLine();
    if (typeof series === 'string' || this.problem !== undefined) return this.problem;
    const problem = this.repeats
      ? this.keepLastOfEach(measuresStart, series)
      : measuresProblem(this.totals, series.bytes);
    if (problem !== undefined) return problem;

    records.add(series, measuresStart, decoder);
    return undefined;
  }

  /** Reads the fields of the line, and appends them as measures where it has a series. */
  private readFields(series: Series | undefined): Reading {
    const { decoder, totals } = this;
    totals.count = 0;
    totals.valueBytes = 0;
    this.repeats = false;
    if (series === undefined) return this.skipFields();
    const { shape } = series;
    const { layout } = shape;
    for (let index = 0; ; index++) {
      let field: Field | undefined;
      let reading: Reading = END;
      if (index < layout.length) {
        field = layout[index];
        reading = decoder.readFieldIf(field.key);
      }
      if (reading === END) {
        reading = decoder.readField();
        if (reading !== TOKEN) return reading;
        field = shape.field(decoder);
        layout[index] = field;
      } else if (reading === ERROR) return ERROR;
      if (index >= MAX_FIELDS_READ) {
        this.problem ??= `more than ${MAX_FIELDS_READ} fields: a record has at most ${MAX_MEASURES_PER_RECORD}`;
        return this.skipFields();
      }
      if (this.isTooLong()) return this.skipFields();
      if (field !== undefined) this.addMeasure(field);
    }
  }

  /** Whether the field just read takes the line beyond the bound, as which `checkLine` rejects it. */
  private isTooLong(): boolean {
    return this.decoder.valueEnd - this.decoder.lineStart > this.options.maxLineBytes;
  }

  private skipFields(): Reading {
    let reading: Reading;
    do reading = this.decoder.readField();
    while (reading === TOKEN);
    return reading;
  }

  /** Appends the field just read as a measure, with a comma behind it. */
  private addMeasure(field: Field): void {
    const { decoder, json, records, source, totals } = this;
    const { kind, valueStart, valueEnd } = decoder;
    if (field.problem !== undefined) this.problem ??= field.problem;
    if (kind === STRING && valueStart === valueEnd) {
      records.emptyStrings++;
      return;
    }
    const { measure } = field;
    if (measure.line === decoder.line) this.noteRepeat(field);
    measure.line = decoder.line;
    measure.field = field;
    totals.count++;
    json.words(field.head);
    if (kind === STRING) {
      totals.valueBytes += json.jsonText(
        source,
        valueStart,
        valueEnd,
        decoder.valueEscaped ? escapesInString : undefined,
      );
    } else if (kind === BOOLEAN) {
      totals.valueBytes += BOOLEAN_BYTES;
      json.words((source[valueStart] | 0x20) === 0x74 /* t */ ? TRUE : FALSE);
    } else {
      totals.valueBytes += NUMBER_BYTES;
      if (kind === UNSIGNED && integerForm(source, valueStart, valueEnd) === INVALID) {
        this.problem ??= `field '${measure.name}': Timestream has no unsigned values above 9223372036854775807`;
      }
      if (decoder.isJsonNumber) json.copy(decoder.view, valueStart, valueEnd);
      else json.ascii(canonicalNumber(source, valueStart, valueEnd, kind === FLOAT));
    }
    json.words(VALUE_TAIL[kind]);
  }

  private noteRepeat(field: Field): void {
    const { measure } = field;
    this.repeats = true;
    if (measure.field !== field) this.problem ??= `two fields of the point would become the measure '${measure.name}'`;
  }

  /** Of measures that come twice keeps the last; returns why the record cannot be stored, where it cannot. */
  private keepLastOfEach(measuresStart: number, series: Series): string | undefined {
    const { json } = this;
    const merge = new MeasureMerge();
    const problem = merge.add(json.buffer.subarray(measuresStart, json.length - 1), series.bytes);
    json.length = measuresStart;
    json.append(merge.toJson());
    json.words(COMMA);
    return problem;
  }

  private checkLine(): void {
    const { decoder, source } = this;
    let end = decoder.nextToken;
    if (source[end - 1] === NEWLINE) end--;
    if (source[end - 1] === RETURN) end--;
    const bytes = end - decoder.lineStart;
    const { maxLineBytes } = this.options;
    if (bytes > maxLineBytes) this.problem = `line of ${bytes} bytes: at most ${maxLineBytes} are allowed`;
    else if (decoder.seconds < 0) this.problem ??= 'the timestamp is before 1970, which Timestream cannot store';
  }

  private useRequestTime(): void {
    const { precision, requestTime } = this.options;
    const seconds = Math.floor(requestTime / 1000);
    this.decoder.seconds = seconds - (seconds % precision.secondsPerUnit);
    this.decoder.nanos = precision.fractionDigits === 0 ? 0 : (requestTime - seconds * 1000) * 1_000_000;
    this.records.requestSeconds = this.decoder.seconds;
    this.records.requestNanos = this.decoder.nanos;
  }
}

/** The shortest text of a number that is not written as in JSON: of `05.` `5`, of `-0i` `0`. */
function canonicalNumber(source: Uint8Array, start: number, end: number, float: boolean): string {
  const text = Buffer.from(source.subarray(start, end)).toString('latin1');
  return float ? String(Number(text)) : String(BigInt(text));
}
