/**
 * The series of one request: maps measurement and tags of a line to table, measure name and dimensions, once per distinct text.
 * Series are looked up by the bytes of the line. Lines with the same tags in a different order share one series.
 */

import { ByteMap, HASH_BASIS, HashSlots, hashWord } from '../line-protocol/byte-map';
import { ERROR, type LineDecoder, TOKEN } from '../line-protocol/decoder';
import { borrowIntegers, returnIntegers, withRoom } from '../reused-buffers';
import { type Dimension, DimensionTable } from './dimensions';
import { MAX_DIMENSIONS_PER_RECORD, MAX_SERIES_BYTES } from './limits';
import type { MeasureColumn } from './measure-json';
import { type Measurement, MeasurementTable } from './measurements';
import { Refusal } from './refusal';
import { type FieldCount, Shape } from './shape';

/** A measurement, with its table, call and fields, needs as much memory as this number of tags. */
const MEASUREMENT_WEIGHT = 4;

/** How points map to tables: the configuration. */
export interface SeriesMapping {
  /** The table of every point; undefined for one table per measurement. */
  readonly singleTable: string | undefined;
  /** The measure name of every record if each measurement has its own table. */
  readonly measureName: string;
  /** The dimension of points without tags; undefined to reject them. */
  readonly defaultDimension: { readonly name: string; readonly value: string } | undefined;
  /** The tag that every point must have, because it is the enforced partition key. */
  readonly requiredDimension: string | undefined;
  /** Whether to escape names that Timestream does not accept; if false, their points are rejected. */
  readonly escapeNames: boolean;
  /** Fields with the name of a tag in other points of their measurement. */
  readonly suffixedFields: readonly SuffixedField[];
}

/** A field that is always stored with the suffix `_field`. */
export interface SuffixedField {
  /** Undefined means every measurement. */
  readonly measurement: string | undefined;
  readonly field: string;
}

/** A table of the request. */
export interface Table {
  readonly name: string;
}

/** What `SeriesTable.read` returns for a line without a series. */
export const INVALID = -1;
export const REFUSED = -2;

const NO_TAGS = new Refusal(
  'no-tags',
  'the point has no tags, but Timestream needs a dimension: add a tag, or set DefaultDimension (--default-dimension)',
);
const TOO_MANY_TAGS = new Refusal(
  'sizes',
  `more than ${MAX_DIMENSIONS_PER_RECORD} tags: a record can have at most ${MAX_DIMENSIONS_PER_RECORD}`,
);

/** Numbers per series: its hash, measurement and shape; its dimensions, `start..end` of `dimensionIds`; length of their names and values. */
const WIDTH = 6;
const [HASH, MEASUREMENT, SHAPE, DIMENSIONS_START, DIMENSIONS_END, BYTES] = [0, 1, 2, 3, 4, 5];
/** Expected number of series. */
const CAPACITY = 512;

export class SeriesTable {
  /** Number of series. They are numbered from 0 in order of appearance. */
  length = 0;
  readonly dimensions: DimensionTable;
  /** The dimensions of all series, each sorted by name. */
  dimensionIds = borrowIntegers(4 * CAPACITY);
  /** Why the line of the last `read` is refused. */
  refusal: Refusal = NO_TAGS;
  private rows = borrowIntegers(WIDTH * CAPACITY);
  private readonly identities = new HashSlots(CAPACITY);
  private idsEnd = 0;
  /** Measurement and tags as in the lines, and what `read` returns for each text; refusals are below REFUSED. */
  private readonly texts = new ByteMap(CAPACITY);
  private seriesOfText = borrowIntegers(CAPACITY);
  /** The text of the line after this text, plus one; 0 for none. Batches often repeat their series in the same order. */
  private textAfter = borrowIntegers(CAPACITY);
  private lastText = -1;
  private readonly refusals: Refusal[] = [];
  private readonly count: FieldCount = { fields: 0, columns: [] };
  private readonly measurements: MeasurementTable;
  private readonly shapes: Shape[] = [];
  /** Tags of the current line. */
  private readonly tags: Dimension[] = [];

  constructor(private readonly mapping: SeriesMapping) {
    this.dimensions = new DimensionTable(mapping.defaultDimension, mapping.escapeNames);
    this.measurements = new MeasurementTable(mapping);
  }

  /**
   * Reads measurement and tags of the decoder's current line and moves the decoder to the fields. Returns the number of the series;
   * INVALID if measurement or tags are invalid, and the decoder has the error; REFUSED for the reason in `refusal`.
   */
  read(decoder: LineDecoder): number {
    const { lastText, texts } = this;
    const expected = lastText < 0 ? -1 : this.textAfter[lastText] - 1;
    if (expected >= 0 && decoder.readSeriesIf(texts.startOf(expected), texts.endOf(expected))) {
      this.lastText = expected;
      return this.resultOf(expected);
    }
    const { lineStart, view } = decoder;
    const end = decoder.findSeriesEnd();
    const hash = decoder.seriesHash;
    let text = texts.find(view, lineStart, end, hash);
    if (text >= 0) decoder.beginFields(end);
    else {
      const series = this.parse(decoder);
      if (series === INVALID) return INVALID;
      text = texts.add(lineStart, end, hash);
      this.seriesOfText = withRoom(this.seriesOfText, texts.length);
      this.textAfter = withRoom(this.textAfter, texts.length);
      this.seriesOfText[text] = series;
      this.textAfter[text] = 0;
    }
    if (lastText >= 0) this.textAfter[lastText] = text + 1;
    this.lastText = text;
    return this.resultOf(text);
  }

  private resultOf(text: number): number {
    const series = this.seriesOfText[text];
    if (series >= 0) return series;
    this.refusal = this.refusals[REFUSED - 1 - series];
    return REFUSED;
  }

  /** Returns the memory for reuse. The series cannot be used afterwards. */
  release(): void {
    this.dimensions.release();
    this.texts.release();
    this.identities.release();
    for (const column of [this.dimensionIds, this.rows, this.seriesOfText, this.textAfter]) returnIntegers(column);
  }

  get measurementCount(): number {
    return this.measurements.all.length;
  }

  measurementOf(series: number): Measurement {
    return this.measurements.all[this.rows[series * WIDTH + MEASUREMENT]];
  }

  shapeOf(series: number): Shape {
    return this.shapes[this.rows[series * WIDTH + SHAPE]];
  }

  /** The dimensions of a series are `dimensionIds[start, end)`. */
  dimensionsStart(series: number): number {
    return this.rows[series * WIDTH + DIMENSIONS_START];
  }

  dimensionsEnd(series: number): number {
    return this.rows[series * WIDTH + DIMENSIONS_END];
  }

  dimensionCount(series: number): number {
    return this.dimensionsEnd(series) - this.dimensionsStart(series);
  }

  /** Length of all dimension names and values of a series. */
  bytesOf(series: number): number {
    return this.rows[series * WIDTH + BYTES];
  }

  /** Distinct tags and fields so far. Each measurement after the first counts as several tags. Memory grows with this number. */
  get tagsAndFields(): number {
    return (
      this.dimensions.size + this.count.fields + MEASUREMENT_WEIGHT * Math.max(0, this.measurements.all.length - 1)
    );
  }

  /** The measures of all shapes, by id. */
  get measureColumns(): readonly MeasureColumn[] {
    return this.count.columns;
  }

  /** The number of the series of the current line, INVALID, or a number below REFUSED for a refusal. */
  private parse(decoder: LineDecoder): number {
    if (decoder.readMeasurement() === ERROR) return INVALID;
    const measurement = this.measurements.read(decoder);
    const { tags } = this;
    let count = 0;
    let reading = decoder.readTag();
    for (; reading === TOKEN; reading = decoder.readTag()) {
      // A line with more tags is rejected in any case.
      if (count <= MAX_DIMENSIONS_PER_RECORD) tags[count++] = this.dimensions.read(decoder);
    }
    if (reading === ERROR) return INVALID;
    // V8 allocates the elements again after a change of the length, so this comes only after the tags are known.
    if (tags.length > count) tags.length = count;
    // The tags of a shape are sorted.
    const isUsual = measurement.lastShape?.fits(tags) ?? false;
    if (!isUsual && !this.sortTags(decoder)) return INVALID;
    if (tags.length === 0 && this.dimensions.default !== undefined) tags.push(this.dimensions.default);
    const refusal = measurement.refusal ?? this.refuseTags();
    if (refusal === undefined) return this.intern(measurement);
    return REFUSED - this.refusals.push(refusal);
  }

  /** Sorts the tags by name. Returns false for a duplicate tag, and sets the decoder's error. */
  private sortTags(decoder: LineDecoder): boolean {
    const { tags } = this;
    // A line with more tags is rejected anyway. For the others insertion sort is fast enough.
    if (tags.length > MAX_DIMENSIONS_PER_RECORD) return true;
    for (let i = 1; i < tags.length; i++) {
      const tag = tags[i];
      let at = i;
      for (; at > 0 && tags[at - 1].name > tag.name; at--) tags[at] = tags[at - 1];
      tags[at] = tag;
      if (at > 0 && tags[at - 1].name === tag.name) {
        decoder.rejectToken(`duplicate tag key '${tag.name}'`);
        return false;
      }
    }
    return true;
  }

  /** Why points with these tags cannot be stored; undefined if they can. */
  private refuseTags(): Refusal | undefined {
    const { tags } = this;
    const { requiredDimension } = this.mapping;
    if (tags.length === 0) return NO_TAGS;
    if (tags.length > MAX_DIMENSIONS_PER_RECORD) return TOO_MANY_TAGS;
    if (requiredDimension !== undefined && !tags.some((tag) => tag.name === requiredDimension)) {
      const reason = `the tag '${requiredDimension}' is missing: EnforceCustomPartitionKey makes it mandatory`;
      return new Refusal('partition-key', reason);
    }
    let bytes = 0;
    for (const tag of tags) {
      if (tag.problem !== undefined) return new Refusal('names', tag.problem);
      bytes += tag.bytes;
    }
    if (bytes > MAX_SERIES_BYTES) {
      const reason = `tags of ${bytes} bytes: names and values can have at most ${MAX_SERIES_BYTES} together`;
      return new Refusal('sizes', reason);
    }
    return undefined;
  }

  /** The series with the current tags, which are sorted, so that the order of tags in the line does not matter. */
  private intern(measurement: Measurement): number {
    const { tags } = this;
    let hash = hashWord(HASH_BASIS, measurement.id);
    for (let i = 0; i < tags.length; i++) hash = hashWord(hash, tags[i].id);
    for (let slot = this.identities.first(hash); ; slot = this.identities.next(slot)) {
      const series = this.identities.at(slot);
      if (series < 0) return this.add(measurement, hash);
      if (this.rows[series * WIDTH + HASH] === hash && this.isCurrent(series, measurement)) return series;
    }
  }

  /** Whether a series has this measurement and the current tags. */
  private isCurrent(series: number, measurement: Measurement): boolean {
    const { dimensionIds, rows, tags } = this;
    const row = series * WIDTH;
    const start = rows[row + DIMENSIONS_START];
    if (rows[row + MEASUREMENT] !== measurement.id || rows[row + DIMENSIONS_END] - start !== tags.length) return false;
    for (let i = 0; i < tags.length; i++) if (dimensionIds[start + i] !== tags[i].id) return false;
    return true;
  }

  private add(measurement: Measurement, hash: number): number {
    const { tags } = this;
    const series = this.length++;
    const start = this.idsEnd;
    this.idsEnd += tags.length;
    this.dimensionIds = withRoom(this.dimensionIds, this.idsEnd);
    let bytes = 0;
    for (let i = 0; i < tags.length; i++) {
      this.dimensionIds[start + i] = tags[i].id;
      bytes += tags[i].bytes;
    }
    this.rows = withRoom(this.rows, this.length * WIDTH);
    const { rows } = this;
    const row = series * WIDTH;
    rows[row + HASH] = hash;
    rows[row + MEASUREMENT] = measurement.id;
    rows[row + SHAPE] = this.shape(measurement).id;
    rows[row + DIMENSIONS_START] = start;
    rows[row + DIMENSIONS_END] = this.idsEnd;
    rows[row + BYTES] = bytes;
    if (!this.identities.add(hash, series)) this.rehash();
    return series;
  }

  private rehash(): void {
    this.identities.double();
    for (let series = 0; series < this.length; series++) this.identities.add(this.rows[series * WIDTH + HASH], series);
  }

  /** The shape of the current tags. */
  private shape(measurement: Measurement): Shape {
    const { tags } = this;
    if (measurement.lastShape?.fits(tags)) return measurement.lastShape;
    const names = JSON.stringify(tags.map(({ name }) => name));
    let shape = measurement.shapes.get(names);
    if (shape === undefined) {
      shape = new Shape(this.shapes.length, [...tags], measurement.naming, this.count);
      this.shapes.push(shape);
      measurement.shapes.set(names, shape);
    }
    measurement.lastShape = shape;
    return shape;
  }
}
