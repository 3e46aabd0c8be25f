/** Maps decoded lines to multi-measure records: finds their series, their measures and their time, and checks their limits. */
import { RequestTooLargeError } from '../errors';
import { END, ERROR, LineDecoder, type Reading, STRING, TOKEN, UNSIGNED } from '../line-protocol/decoder';
import { INVALID, integerForm } from '../line-protocol/number-syntax';
import type { Precision } from '../line-protocol/precision';
import { type LineReport, lineTooLong } from '../line-report';
import { MAX_MEASURES_PER_RECORD } from './limits';
import { MeasureList } from './measure-list';
import { MeasureMerge, type MeasureTotals, measuresProblem } from './measures';
import { RecordSet } from './record-set';
import { Refusal } from './refusal';
import { INVALID as INVALID_SERIES, REFUSED, type SeriesMapping, SeriesTable } from './series';
import type { Field, Shape } from './shape';

/** A line with more fields is rejected without reading the rest. */
const MAX_FIELDS_READ = 4 * MAX_MEASURES_PER_RECORD;

const TOO_MANY_FIELDS = new Refusal(
  'sizes',
  `more than ${MAX_FIELDS_READ} fields: a record has at most ${MAX_MEASURES_PER_RECORD}`,
);
/** A number with up to this many digits is within 64 bits. */
const SAFE_DIGITS = 18;
const BEFORE_1970 = new Refusal('before-1970', 'the timestamp is before 1970, which Timestream cannot store');

export interface MappingOptions extends SeriesMapping {
  readonly precision: Precision;
  /** Time of points without a timestamp, ms since 1970; truncated to the precision. */
  readonly requestTime: number;
  /** Maximum bytes of a line. */
  readonly maxLineBytes: number;
  /** Maximum number of distinct tags and fields in all lines. */
  readonly maxTagsAndFields: number;
  /** Maximum bytes of all measures as JSON. With short fields or control characters this is up to seven times the body. */
  readonly maxJsonBytes: number;
}

/**
 * Decodes `source` and maps each valid line to a record. Invalid lines and lines above a limit of Timestream go to `report`.
 * @throws RequestTooLargeError above `maxTagsAndFields` or `maxJsonBytes`; lines within all other limits may exceed these two
 */
export function mapLines(source: Uint8Array, options: MappingOptions, report: LineReport): RecordSet {
  const mapper = new LineMapper(source, options);
  const { decoder, records } = mapper;
  const { measures } = records;
  while (decoder.nextLine()) {
    const { length, jsonBytes } = measures;
    const problem = mapper.mapLine();
    const excess = mapper.excess();
    if (excess !== undefined) {
      records.release();
      throw new RequestTooLargeError(excess);
    }
    if (problem === undefined) continue;
    measures.replace(length, jsonBytes, []);
    if (problem === ERROR) report.faulty(decoder);
    else {
      const place = { line: decoder.line, start: decoder.lineStart, end: decoder.nextToken };
      report.rejected(place, problem.reason, problem.limit);
    }
  }
  return records;
}

class LineMapper {
  readonly decoder: LineDecoder;
  readonly records: RecordSet;
  private readonly seriesTable: SeriesTable;
  private readonly measures: MeasureList;
  /** Totals of the current line. */
  private readonly totals: MeasureTotals = { count: 0, valueBytes: 0 };
  private problem: Refusal | undefined;
  private repeats = false;

  constructor(
    private readonly source: Uint8Array,
    private readonly options: MappingOptions,
  ) {
    this.decoder = new LineDecoder(source);
    this.seriesTable = new SeriesTable(options);
    this.measures = new MeasureList(source, this.seriesTable.measureColumns);
    this.records = new RecordSet(this.seriesTable, this.measures, options.precision);
  }

  /** Which limit of the request the lines so far exceed; undefined if they exceed none. */
  excess(): string | undefined {
    const { maxJsonBytes, maxTagsAndFields } = this.options;
    if (this.seriesTable.tagsAndFields > maxTagsAndFields)
      return `more than ${maxTagsAndFields} distinct tags and fields`;
    if (this.measures.jsonBytes > maxJsonBytes)
      return `fields that need more than ${maxJsonBytes} bytes as Timestream records`;
    return undefined;
  }

  /** Maps the decoder's current line and adds its record. If that fails, returns ERROR or the reason why it cannot be stored. */
  mapLine(): typeof ERROR | Refusal | undefined {
    const { decoder, measures, records, seriesTable } = this;
    const { length: measuresStart, jsonBytes } = measures;
    const series = seriesTable.read(decoder);
    if (series === INVALID_SERIES) return ERROR;
    this.problem = series === REFUSED ? seriesTable.refusal : undefined;
    if (this.readFields(series === REFUSED ? undefined : seriesTable.shapeOf(series)) === ERROR) return ERROR;
    const time = decoder.readTime(this.options.precision);
    if (time === ERROR) return ERROR;
    if (time === END) this.useRequestTime();
    this.checkLine();
    if (this.problem !== undefined) return this.problem;
    const seriesBytes = seriesTable.bytesOf(series);
    const problem = this.repeats
      ? this.keepLastOfEach(measuresStart, jsonBytes, seriesBytes)
      : measuresProblem(this.totals, seriesBytes);
    if (problem !== undefined) return problem;

    records.add(series, measuresStart, decoder);
    return undefined;
  }

  /** Reads the fields of the line. Adds them as measures if the line has a shape. */
  private readFields(shape: Shape | undefined): Reading {
    const { decoder, totals } = this;
    totals.count = 0;
    totals.valueBytes = 0;
    this.repeats = false;
    if (shape === undefined) return this.skipFields();
    const { layout } = shape;
    const limit = decoder.lineStart + this.options.maxLineBytes;
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
        this.problem ??= TOO_MANY_FIELDS;
        return this.skipFields();
      }
      // The line is too long, up to this field: `checkLine` rejects it.
      if (decoder.valueEnd > limit) return this.skipFields();
      if (field !== undefined) this.addMeasure(field);
    }
  }

  private skipFields(): Reading {
    let reading: Reading;
    do reading = this.decoder.readField();
    while (reading === TOKEN);
    return reading;
  }

  /** Adds the current field as a measure. */
  private addMeasure(field: Field): void {
    const { decoder, measures, records, source, totals } = this;
    const { kind, valueStart, valueEnd } = decoder;
    if (field.problem !== undefined) this.problem ??= new Refusal('names', field.problem);
    if (kind === STRING && valueStart === valueEnd) {
      records.emptyStrings++;
      return;
    }
    const { measure } = field;
    if (measure.line === decoder.line) this.noteRepeat(field);
    measure.line = decoder.line;
    // Stored only if it differs: storing a pointer takes longer than comparing it.
    if (measure.field !== field) measure.field = field;
    if (
      kind === UNSIGNED &&
      valueEnd - valueStart > SAFE_DIGITS &&
      integerForm(source, valueStart, valueEnd) === INVALID
    ) {
      this.problem ??= new Refusal(
        'unsigned',
        `field '${measure.name}': Timestream cannot store unsigned values above 9223372036854775807`,
      );
    }
    totals.count++;
    totals.valueBytes += measures.add(measure, decoder);
  }

  private noteRepeat(field: Field): void {
    const { measure } = field;
    this.repeats = true;
    if (measure.field === field) return;
    this.problem ??= new Refusal('names', `two fields of the point would become the measure '${measure.name}'`);
  }

  /**
   * Keeps the last of several measures with the same name. Returns the reason if the record cannot be stored.
   * @param jsonBytes length of the JSON of the measures before this line
   */
  private keepLastOfEach(measuresStart: number, jsonBytes: number, seriesBytes: number): Refusal | undefined {
    const { measures } = this;
    const merge = new MeasureMerge(measures);
    const problem = merge.add(measuresStart, measures.length, seriesBytes);
    measures.replace(measuresStart, jsonBytes, merge.merged);
    return problem;
  }

  private checkLine(): void {
    const { decoder } = this;
    const bytes = decoder.lineBytes;
    const { maxLineBytes } = this.options;
    if (bytes > maxLineBytes) this.problem = new Refusal(undefined, lineTooLong(bytes, maxLineBytes));
    else if (decoder.seconds < 0) this.problem ??= BEFORE_1970;
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
