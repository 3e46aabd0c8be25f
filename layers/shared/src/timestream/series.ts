/**
 * The series of one request: maps measurement and tags of a line to table, measure name and dimensions, once per distinct text.
 * Series are looked up by the bytes of the line. Lines with the same tags in a different order share one series.
 */

import { ByteMap, hashBytes } from '../line-protocol/byte-map';
import { escapesInMeasurement, unescapeText } from '../line-protocol/bytes';
import { ERROR, type LineDecoder, TOKEN } from '../line-protocol/decoder';
import { viewOf, Words } from '../line-protocol/words';
import { type Dimension, DimensionTable } from './dimensions';
import { MAX_DIMENSIONS_PER_RECORD, MAX_SERIES_BYTES, recordNameProblem, tableNameProblem } from './limits';
import type { MeasureColumn } from './measure-json';
import { escapeColumnName, escapeTableName, storedName } from './names';
import { Refusal } from './refusal';
import { type FieldCount, type FieldNaming, Shape } from './shape';

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

export interface Measurement {
  readonly table: Table;
  /** The measure name as a JSON string. */
  readonly measureName: Words;
  readonly naming: FieldNaming;
  /** Shapes by the names of their tags. */
  readonly shapes: Map<string, Shape>;
  lastShape: Shape | undefined;
  /** Why points of the measurement cannot be stored; undefined if they can. */
  readonly refusal: Refusal | undefined;
  readonly id: number;
}

export interface Series {
  /** Number of the series in the request, from 0, in order of appearance. */
  readonly index: number;
  readonly measurement: Measurement;
  /** Sorted by name. */
  readonly dimensions: readonly Dimension[];
  /** Length of all dimension names and values. */
  readonly bytes: number;
  readonly shape: Shape;
}

/** The series of a line, or the reason why its point cannot be stored. */
export type SeriesOrRefusal = Series | Refusal;

const NO_TAGS = new Refusal(
  'no-tags',
  'the point has no tags, but Timestream needs a dimension: add a tag, or set DefaultDimension (--default-dimension)',
);
const TOO_MANY_TAGS = new Refusal(
  'sizes',
  `more than ${MAX_DIMENSIONS_PER_RECORD} tags: a record can have at most ${MAX_DIMENSIONS_PER_RECORD}`,
);

/** Measurement and tags as the text of a line. */
interface SeriesText {
  readonly start: number;
  readonly end: number;
  readonly series: SeriesOrRefusal;
  /** The text of the following line. Batches often repeat their series in the same order. */
  next: SeriesText | undefined;
}

export class SeriesTable {
  readonly series: Series[] = [];
  readonly dimensions: DimensionTable;
  private readonly byText = new ByteMap<SeriesText>(1024);
  private last: SeriesText | undefined;
  private readonly count: FieldCount = { fields: 0, columns: [] };
  private readonly measurements = new Map<string, Measurement>();
  private readonly measurementsByText = new ByteMap<Measurement>();
  private readonly byIdentity = new ByteMap<Series>(1024);
  /** Keys of `byIdentity`: for each series the id of its measurement, then the ids of its dimensions. */
  private identityBytes = new Uint8Array(16_384);
  private identities = viewOf(this.identityBytes);
  private identitiesEnd = 0;
  /** Tags of the current line. */
  private readonly tags: Dimension[] = [];

  private readonly singleTable: Table | undefined;

  constructor(private readonly mapping: SeriesMapping) {
    const { defaultDimension, singleTable } = mapping;
    this.dimensions = new DimensionTable(defaultDimension, mapping.escapeNames);
    this.singleTable = singleTable === undefined ? undefined : { name: singleTable };
  }

  /**
   * Reads measurement and tags of the decoder's current line and moves the decoder to the fields. Undefined if measurement or tags
   * are invalid; the decoder has the error.
   */
  read(decoder: LineDecoder): SeriesOrRefusal | undefined {
    const expected = this.last?.next;
    if (expected !== undefined && decoder.readSeriesIf(expected.start, expected.end)) {
      this.last = expected;
      return expected.series;
    }
    const { lineStart, view } = decoder;
    const end = decoder.findSeriesEnd();
    const hash = decoder.seriesHash;
    let text = this.byText.get(view, lineStart, end, hash);
    if (text !== undefined) decoder.beginFields(end);
    else {
      const series = this.parse(decoder);
      if (series === undefined) return undefined;
      text = { start: lineStart, end, series, next: undefined };
      this.byText.add(lineStart, end, hash, text);
    }
    if (this.last !== undefined) this.last.next = text;
    this.last = text;
    return text.series;
  }

  /** Distinct tags and fields so far. Each measurement after the first counts as several tags. Memory grows with this number. */
  get tagsAndFields(): number {
    return this.dimensions.size + this.count.fields + MEASUREMENT_WEIGHT * Math.max(0, this.measurements.size - 1);
  }

  /** The measures of all shapes, by id. */
  get measureColumns(): readonly MeasureColumn[] {
    return this.count.columns;
  }

  private parse(decoder: LineDecoder): SeriesOrRefusal | undefined {
    if (decoder.readMeasurement() === ERROR) return undefined;
    const measurement = this.measurement(decoder);
    const { tags } = this;
    tags.length = 0;
    let sorted = true;
    let reading = decoder.readTag();
    for (; reading === TOKEN; reading = decoder.readTag()) {
      // A line with more tags is rejected in any case.
      if (tags.length > MAX_DIMENSIONS_PER_RECORD) continue;
      const tag = this.dimensions.read(decoder);
      sorted &&= tags.length === 0 || tags[tags.length - 1].name < tag.name;
      tags.push(tag);
    }
    if (reading === ERROR) return undefined;
    if (!sorted && !this.sortTags(decoder)) return undefined;
    if (tags.length === 0 && this.dimensions.default !== undefined) tags.push(this.dimensions.default);
    return measurement.refusal ?? this.refuseTags() ?? this.intern(measurement);
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

  private measurement(decoder: LineDecoder): Measurement {
    const { bytes, view, keyStart, keyEnd } = decoder;
    const hash = hashBytes(bytes, keyStart, keyEnd);
    let measurement = this.measurementsByText.get(view, keyStart, keyEnd, hash);
    if (measurement === undefined) {
      const name = unescapeText(bytes, keyStart, keyEnd, escapesInMeasurement);
      measurement = this.measurements.get(name) ?? this.addMeasurement(name);
      this.measurementsByText.add(keyStart, keyEnd, hash, measurement);
    }
    return measurement;
  }

  private addMeasurement(name: string): Measurement {
    const { singleTable } = this;
    const { escapeNames, measureName, suffixedFields } = this.mapping;
    const own =
      singleTable === undefined
        ? storedName(name, escapeNames, escapeTableName, tableNameProblem)
        : storedName(name, escapeNames, escapeColumnName, recordNameProblem);
    const suffixed = suffixedFields.filter(({ measurement = name }) => measurement === name);
    const measurement: Measurement = {
      id: this.measurements.size,
      table: singleTable ?? { name: own.name },
      measureName: Words.of(JSON.stringify(singleTable === undefined ? measureName : own.name)),
      naming: { escapeNames, suffixed: new Set(suffixed.map(({ field }) => field)) },
      shapes: new Map<string, Shape>(),
      lastShape: undefined,
      refusal: own.problem === undefined ? undefined : new Refusal('names', own.problem),
    };
    this.measurements.set(name, measurement);
    return measurement;
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
  private intern(measurement: Measurement): Series {
    const start = this.identitiesEnd;
    const end = start + 4 * (1 + this.tags.length);
    if (end > this.identities.byteLength) {
      const grown = new Uint8Array(end * 2);
      grown.set(this.identityBytes);
      this.identityBytes = grown;
      this.identities = viewOf(grown);
    }
    this.identities.setInt32(start, measurement.id);
    for (let i = 0, at = start + 4; at < end; i++, at += 4) {
      this.identities.setInt32(at, this.tags[i].id);
    }
    const hash = hashBytes(this.identityBytes, start, end);
    let series = this.byIdentity.get(this.identities, start, end, hash);
    if (series === undefined) {
      this.identitiesEnd = end;
      series = this.add(measurement);
      this.byIdentity.add(start, end, hash, series);
    }
    return series;
  }

  private add(measurement: Measurement): Series {
    const dimensions = this.tags.slice();
    let bytes = 0;
    for (const dimension of dimensions) bytes += dimension.bytes;
    const shape = this.shapeOf(measurement, dimensions);
    const series = { index: this.series.length, measurement, dimensions, bytes, shape };
    this.series.push(series);
    return series;
  }

  private shapeOf(measurement: Measurement, dimensions: readonly Dimension[]): Shape {
    if (measurement.lastShape?.fits(dimensions)) return measurement.lastShape;
    const names = JSON.stringify(dimensions.map(({ name }) => name));
    let shape = measurement.shapes.get(names);
    if (shape === undefined) {
      shape = new Shape(dimensions, measurement.naming, this.count);
      measurement.shapes.set(names, shape);
    }
    measurement.lastShape = shape;
    return shape;
  }
}
