/**
 * The series of one request: what measurement and tags of a line become in Timestream, worked out once for each distinct text.
 * Series come from the bytes of the lines by hash; lines that write the same tags in another order share one.
 */
import { escapesInKey, escapesInMeasurement, unescapeText } from '../line-protocol/bytes';
import { FAULT, type LineDecoder, TOKEN } from '../line-protocol/decoder';
import {
  dimensionNameProblem,
  MAX_DIMENSIONS_PER_RECORD,
  MAX_SERIES_BYTES,
  measureNameProblem,
  recordNameProblem,
  tableNameProblem,
} from './limits';

export interface Dimension {
  readonly name: string;
  readonly value: string;
}

/** How points map to tables, as configured. */
export interface SeriesMapping {
  /** The table of every point; undefined where each measurement is a table. */
  readonly singleTable: string | undefined;
  /** The measure name of every record where each measurement is a table. */
  readonly measureName: string;
  /** Given to points without tags. */
  readonly defaultDimension: Dimension | undefined;
  /** The tag that every point must have: an enforced partition key. */
  readonly requiredDimension: string | undefined;
}

/** One field of a shape: its bytes in line protocol, and what its measure begins with in a request. */
export interface Field {
  /** Key and equals sign as they stand in a line. */
  readonly key: Uint8Array;
  /** `{"Name":"...","Value":"` */
  readonly head: Uint8Array;
  readonly measure: Measure;
  readonly nameBytes: number;
  /** Why no record may have it. */
  readonly problem: string | undefined;
}

interface Measure {
  readonly name: string;
  /** The last line that has it, and through which field: to see a measure that comes twice. */
  line: number;
  field: Field | undefined;
}

/** The fields of the series that have the same table and tag keys. */
export class Shape {
  /** The fields of the line read last, in its order: most lines repeat it. */
  readonly layout: Field[] = [];
  private readonly fields = new Map<string, Field>();
  private readonly measures = new Map<string, Measure>();

  constructor(private readonly dimensionNames: ReadonlySet<string>) {}

  /**
   * The field with the escaped key `bytes[start, end)`. Where a tag has its name, its measure is named `<key>_field`, since a
   * dimension and a measure cannot share a name.
   */
  field(bytes: Uint8Array, start: number, end: number): Field {
    const key = Buffer.from(bytes.subarray(start, end)).toString('latin1');
    let field = this.fields.get(key);
    if (field === undefined) {
      const text = unescapeText(bytes, start, end, escapesInKey);
      const name = this.dimensionNames.has(text) ? `${text}_field` : text;
      let measure = this.measures.get(name);
      if (measure === undefined) {
        measure = { name, line: 0, field: undefined };
        this.measures.set(name, measure);
      }
      field = {
        key: Buffer.from(`${key}=`, 'latin1'),
        head: Buffer.from(`{"Name":${JSON.stringify(name)},"Value":"`),
        measure,
        nameBytes: Buffer.byteLength(name),
        problem: measureNameProblem(name),
      };
      this.fields.set(key, field);
    }
    return field;
  }
}

/** A table of the request and the records that go there. */
export interface Table {
  readonly name: string;
  readonly records: number[];
}

export interface Series {
  /** Rank of arrival in the request. */
  readonly index: number;
  readonly table: Table;
  /** Its parts as JSON members, each shared by all series of the request that have it. */
  readonly measureName: string;
  readonly dimensions: readonly string[];
  /** Metered bytes of its dimensions. */
  readonly bytes: number;
  readonly shape: Shape;
}

/** Either the series of a line, or why its points cannot be stored. */
export type SeriesOrProblem = Series | string;

export class SeriesTable {
  readonly tables = new Map<string, Table>();
  readonly series: Series[] = [];
  private readonly byIdentity = new Map<string, Series>();
  private readonly shapes = new Map<string, Shape>();
  /** Open addressing from the hash of a line's measurement and tags to an index into `entries`, plus one. */
  private slots = new Int32Array(256);
  private readonly entries: { start: number; end: number; hash: number; series: SeriesOrProblem }[] = [];

  constructor(
    private readonly bytes: Uint8Array,
    private readonly mapping: SeriesMapping,
  ) {}

  /**
   * The series of the decoder's current line, with the decoder left at its fields; undefined where measurement or tags are
   * faulty (the decoder has the fault).
   */
  read(decoder: LineDecoder): SeriesOrProblem | undefined {
    const start = decoder.lineStart;
    const end = decoder.findSeriesEnd();
    const hash = decoder.seriesHash;
    let slot = hash & (this.slots.length - 1);
    for (let entry = this.slots[slot]; entry !== 0; entry = this.slots[slot]) {
      const known = this.entries[entry - 1];
      if (known.hash === hash && this.sameBytes(known.start, known.end, start, end)) {
        decoder.beginFields(end);
        return known.series;
      }
      slot = (slot + 1) & (this.slots.length - 1);
    }
    const series = this.parse(decoder);
    if (series !== undefined) {
      this.entries.push({ start, end, hash, series });
      this.slots[slot] = this.entries.length;
      if (this.entries.length * 2 > this.slots.length) this.grow();
    }
    return series;
  }

  private sameBytes(a: number, aEnd: number, b: number, bEnd: number): boolean {
    if (aEnd - a !== bEnd - b) return false;
    const { bytes } = this;
    for (let i = a, j = b; i < aEnd; i++, j++) if (bytes[i] !== bytes[j]) return false;
    return true;
  }

  private grow(): void {
    this.slots = new Int32Array(this.slots.length * 2);
    for (const [index, { hash }] of this.entries.entries()) {
      let slot = hash & (this.slots.length - 1);
      while (this.slots[slot] !== 0) slot = (slot + 1) & (this.slots.length - 1);
      this.slots[slot] = index + 1;
    }
  }

  private parse(decoder: LineDecoder): SeriesOrProblem | undefined {
    const { bytes } = this;
    if (decoder.readMeasurement() === FAULT) return undefined;
    const measurement = unescapeText(bytes, decoder.keyStart, decoder.keyEnd, escapesInMeasurement);
    const tags = new Map<string, string>();
    let reading = decoder.readTag();
    for (; reading === TOKEN; reading = decoder.readTag()) {
      const key = unescapeText(bytes, decoder.keyStart, decoder.keyEnd, escapesInKey);
      if (tags.has(key)) {
        decoder.rejectToken(`duplicate tag key '${key}'`);
        return undefined;
      }
      tags.set(key, unescapeText(bytes, decoder.valueStart, decoder.valueEnd, escapesInKey));
    }
    if (reading === FAULT) return undefined;
    const { defaultDimension } = this.mapping;
    if (tags.size === 0 && defaultDimension !== undefined) tags.set(defaultDimension.name, defaultDimension.value);
    return this.intern(measurement, tags);
  }

  /** The series with these tags in whatever order. */
  private intern(measurement: string, tags: ReadonlyMap<string, string>): SeriesOrProblem {
    const problem = this.problem(measurement, tags);
    if (problem !== undefined) return problem;
    const names = [...tags.keys()].sort();
    const dimensions = names.map(
      (name) => `{"Name":${JSON.stringify(name)},"Value":${JSON.stringify(tags.get(name))}}`,
    );
    const identity = `${JSON.stringify(measurement)}${dimensions.join()}`;
    let series = this.byIdentity.get(identity);
    if (series === undefined) {
      series = this.add(measurement, names, tags, dimensions);
      this.byIdentity.set(identity, series);
    }
    return series;
  }

  private add(
    measurement: string,
    names: readonly string[],
    tags: ReadonlyMap<string, string>,
    dimensions: readonly string[],
  ): Series {
    const tableName = this.mapping.singleTable ?? measurement;
    let table = this.tables.get(tableName);
    if (table === undefined) {
      table = { name: tableName, records: [] };
      this.tables.set(tableName, table);
    }
    const shapeKey = `${tableName},${JSON.stringify(names)}`;
    let shape = this.shapes.get(shapeKey);
    if (shape === undefined) {
      shape = new Shape(new Set(names));
      this.shapes.set(shapeKey, shape);
    }
    const measureName = this.mapping.singleTable === undefined ? this.mapping.measureName : measurement;
    const series: Series = {
      index: this.series.length,
      table,
      measureName: JSON.stringify(measureName),
      dimensions,
      bytes: dimensionBytes(tags),
      shape,
    };
    this.series.push(series);
    return series;
  }

  private problem(measurement: string, tags: ReadonlyMap<string, string>): string | undefined {
    const { singleTable, requiredDimension } = this.mapping;
    const nameProblem = singleTable === undefined ? tableNameProblem(measurement) : recordNameProblem(measurement);
    if (nameProblem !== undefined) return nameProblem;
    if (tags.size === 0) {
      return 'the point has no tags, and Timestream needs a dimension (the parameter DefaultDimension can give one)';
    }
    if (requiredDimension !== undefined && !tags.has(requiredDimension)) {
      return `the tag '${requiredDimension}' is missing, which CustomPartitionKeyDimension enforces`;
    }
    if (tags.size > MAX_DIMENSIONS_PER_RECORD)
      return `${tags.size} tags: a record has at most ${MAX_DIMENSIONS_PER_RECORD}`;
    for (const name of tags.keys()) {
      const problem = dimensionNameProblem(name);
      if (problem !== undefined) return problem;
    }
    const bytes = dimensionBytes(tags);
    if (bytes > MAX_SERIES_BYTES)
      return `tags of ${bytes} bytes: names and values have at most ${MAX_SERIES_BYTES} together`;
    return undefined;
  }
}

function dimensionBytes(tags: ReadonlyMap<string, string>): number {
  let bytes = 0;
  for (const [name, value] of tags) bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  return bytes;
}
