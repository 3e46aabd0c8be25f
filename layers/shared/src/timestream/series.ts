/**
 * The series of one request: what measurement and tags of a line become in Timestream, worked out once for each distinct text.
 * Series are found by the bytes of their lines; lines that write the same tags in another order share one.
 */

import { ByteMap, FNV_BASIS, FNV_PRIME, hashBytes } from '../line-protocol/byte-map';
import { escapesInMeasurement, unescapeText } from '../line-protocol/bytes';
import { ERROR, type LineDecoder, TOKEN } from '../line-protocol/decoder';
import { Words } from '../line-protocol/words';
import { type Dimension, DimensionTable } from './dimensions';
import { MAX_DIMENSIONS_PER_RECORD, MAX_SERIES_BYTES, recordNameProblem, tableNameProblem } from './limits';
import { escapeColumnName, escapeTableName, storedName } from './names';
import { type FieldCount, type FieldNaming, Shape } from './shape';

/** Of how many tags a measurement has the memory, with its table, call and fields. */
const MEASUREMENT_WEIGHT = 4;

/** How points map to tables, as configured. */
export interface SeriesMapping {
  /** The table of every point; undefined where each measurement is a table. */
  readonly singleTable: string | undefined;
  /** The measure name of every record where each measurement is a table. */
  readonly measureName: string;
  /** Given to points without tags. */
  readonly defaultDimension: { readonly name: string; readonly value: string } | undefined;
  /** The tag that every point must have: an enforced partition key. */
  readonly requiredDimension: string | undefined;
  /** Whether names that Timestream does not take are escaped; otherwise their points cannot be stored. */
  readonly escapeNames: boolean;
  /** Fields that are tags of other points of their measurement. */
  readonly suffixedFields: readonly SuffixedField[];
}

/** A field whose measure gets the suffix `_field` in each point. */
export interface SuffixedField {
  /** Undefined for every measurement. */
  readonly measurement: string | undefined;
  readonly field: string;
}

/** A table of the request. */
export interface Table {
  readonly name: string;
}

export interface Measurement {
  readonly table: Table;
  /** As a JSON string. */
  readonly measureName: Words;
  readonly naming: FieldNaming;
  /** By the names of the tags, and the one found last. */
  readonly shapes: Map<string, Shape>;
  lastShape: Shape | undefined;
  /** Why its points cannot be stored. */
  readonly problem: string | undefined;
  readonly id: number;
}

export interface Series {
  /** Rank of arrival in the request. */
  readonly index: number;
  readonly measurement: Measurement;
  /** Sorted by name. */
  readonly dimensions: readonly Dimension[];
  /** Names and values of its dimensions. */
  readonly bytes: number;
  readonly shape: Shape;
}

/** Either the series of a line, or why its points cannot be stored. */
export type SeriesOrProblem = Series | string;

/** Measurement and tags as a line wrote them. */
interface SeriesText {
  readonly start: number;
  readonly end: number;
  readonly series: SeriesOrProblem;
  /** What the next line had after it: batches often repeat their series in the same order. */
  next: SeriesText | undefined;
}

export class SeriesTable {
  readonly series: Series[] = [];
  readonly dimensions: DimensionTable;
  private readonly byText = new ByteMap<SeriesText>(1024);
  private last: SeriesText | undefined;
  private readonly count: FieldCount = { fields: 0 };
  private readonly measurements = new Map<string, Measurement>();
  private readonly measurementsByText = new ByteMap<Measurement>();
  private readonly byIdentity = new ByteMap<Series>(1024);
  /** Keys of `byIdentity`: the ids of a series' measurement and dimensions, one after the other. */
  private identities = new DataView(new ArrayBuffer(16_384));
  private identitiesEnd = 0;
  /** The tags of the line being read. */
  private readonly tags: Dimension[] = [];

  private readonly singleTable: Table | undefined;

  constructor(private readonly mapping: SeriesMapping) {
    const { defaultDimension, singleTable } = mapping;
    this.dimensions = new DimensionTable(defaultDimension, mapping.escapeNames);
    this.singleTable = singleTable === undefined ? undefined : { name: singleTable };
  }

  /**
   * The series of the decoder's current line, with the decoder left at its fields; undefined where measurement or tags are
   * faulty (the decoder has the fault).
   */
  read(decoder: LineDecoder): SeriesOrProblem | undefined {
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

  /** Distinct tags and fields read so far, and measurements, each but the first as several: what memory grows with, beside the lines. */
  get tagsAndFields(): number {
    return this.dimensions.size + this.count.fields + MEASUREMENT_WEIGHT * Math.max(0, this.measurements.size - 1);
  }

  private parse(decoder: LineDecoder): SeriesOrProblem | undefined {
    if (decoder.readMeasurement() === ERROR) return undefined;
    const measurement = this.measurement(decoder);
    const { tags } = this;
    tags.length = 0;
    let sorted = true;
    let reading = decoder.readTag();
    for (; reading === TOKEN; reading = decoder.readTag()) {
      // More are rejected in any case, and need not be remembered.
      if (tags.length > MAX_DIMENSIONS_PER_RECORD) continue;
      const tag = this.dimensions.read(decoder);
      sorted &&= tags.length === 0 || tags[tags.length - 1].name < tag.name;
      tags.push(tag);
    }
    if (reading === ERROR) return undefined;
    if (!sorted && !this.sortTags(decoder)) return undefined;
    if (tags.length === 0 && this.dimensions.default !== undefined) tags.push(this.dimensions.default);
    return measurement.problem ?? this.tagsProblem() ?? this.intern(measurement);
  }

  /** Sorts the tags by name; false where one comes twice, which is then the decoder's fault. */
  private sortTags(decoder: LineDecoder): boolean {
    const { tags } = this;
    // More are rejected anyway; of as many, sorting by insertion takes no time.
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
      problem: own.problem,
    };
    this.measurements.set(name, measurement);
    return measurement;
  }

  /** Why no point may have these tags. */
  private tagsProblem(): string | undefined {
    const { tags } = this;
    const { requiredDimension } = this.mapping;
    if (tags.length === 0) {
      return 'the point has no tags, and Timestream needs a dimension (the parameter DefaultDimension, or default_dimension in the environment, can give one)';
    }
    if (tags.length > MAX_DIMENSIONS_PER_RECORD)
      return `more than ${MAX_DIMENSIONS_PER_RECORD} tags: a record has at most as many`;
    if (requiredDimension !== undefined && !tags.some((tag) => tag.name === requiredDimension)) {
      return `the tag '${requiredDimension}' is missing, which CustomPartitionKeyDimension enforces`;
    }
    let bytes = 0;
    for (const tag of tags) {
      if (tag.problem !== undefined) return tag.problem;
      bytes += tag.bytes;
    }
    if (bytes > MAX_SERIES_BYTES)
      return `tags of ${bytes} bytes: names and values have at most ${MAX_SERIES_BYTES} together`;
    return undefined;
  }

  /** The series of these tags, which are sorted, in whatever way its lines write them. */
  private intern(measurement: Measurement): Series {
    const start = this.identitiesEnd;
    const end = start + 4 * (1 + this.tags.length);
    if (end > this.identities.byteLength) {
      const grown = new ArrayBuffer(end * 2);
      new Uint8Array(grown).set(new Uint8Array(this.identities.buffer));
      this.identities = new DataView(grown);
    }
    this.identities.setInt32(start, measurement.id);
    let hash = FNV_BASIS ^ measurement.id;
    for (let i = 0, at = start + 4; at < end; i++, at += 4) {
      this.identities.setInt32(at, this.tags[i].id);
      hash = Math.imul(hash, FNV_PRIME) ^ this.tags[i].id;
    }
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
