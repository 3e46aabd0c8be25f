/**
 * The part of a line that depends on text columns: measurement, sorted tags and string fields. It is built once for each distinct
 * combination of values and copied for each row.
 */
import { isMeasurement } from '../datasets/names';
import type { PartitionColumns } from '../datasets/partitions';
import type { ConcreteMapping } from '../datasets/resolve';
import type { ArrowColumn } from '../parquet/c-data';
import { escapeMeasurement } from './escape';
import { ownName } from './fields';
import { HeadColumns } from './head-columns';
import { type FieldTexts, HeadFields } from './head-fields';
import { hashText } from './hyperloglog';
import { type SeriesHash, seriesHash } from './point-set';
import { type ReadyText, readyText } from './ready-text';
import { type SeriesCounts, storedType } from './series-counts';
import { type HeadFault, type HeadWarning, Tags } from './tags';
import type { Tally } from './tally';
import { type TextColumn, type TextOf, TextSources } from './text-sources';

/** Maxima, checked between record batches. Beyond them all heads are dropped and built again. */
const MAX_HEADS = 1 << 16;
const MAX_BYTES = 16 * 1024 * 1024;

const NO_SERIES: SeriesHash = { a: 0, b: 0 };

export interface Head extends Pick<FieldTexts, 'unreadable' | 'names' | 'keys' | 'nameFaults' | 'keyBytes' | 'shared'> {
  /** `measurement,tags strings`, without a space if there are no strings. */
  readonly text: ReadyText;
  readonly measurement: string;
  /** Number of measurement, tags and names of fields: heads that differ only in strings share it. */
  readonly series: number;
  /** Hash of measurement and tags. */
  readonly hash: number;
  /** Hash of measurement, tags and names of fields: two points with the same one and the same time overwrite each other. */
  readonly identityHash: number;
  /** For an export: the same, as a hash that does not depend on the file. */
  readonly pointsHash: SeriesHash;
  /** Why no row with this head can be a point. */
  readonly fault: HeadFault | undefined;
  readonly hasStrings: boolean;
  readonly warnings: readonly HeadWarning[];
  /** Rows that became points. */
  rows: number;
}

export class Heads {
  /** The columns that the points of each head have. */
  readonly pointColumns: HeadColumns;
  /** Bytes of all heads' text. */
  private used = 0;
  private heads: Head[] = [];
  private readonly series = new Map<string, number>();
  private readonly tags: Tags;
  private readonly fields: HeadFields;
  private readonly sources: TextSources;

  /**
   * @param unreadable columns of a type that cannot be text.
   * @param taken names that the unit's fields use in this file.
   * @param constants columns with one value for all rows: part of each head, and not needed to distinguish heads.
   * @param counts counts the series of the points.
   * @param isExport whether points with the same tags and time are one, whatever the names of their fields.
   * @param capacity rows of the largest record batch.
   */
  constructor(
    private readonly mapping: ConcreteMapping,
    private readonly unreadable: ReadonlySet<string>,
    taken: readonly string[],
    constants: PartitionColumns,
    private readonly tally: Tally,
    private readonly counts: SeriesCounts,
    private readonly isExport: boolean,
    capacity: number,
  ) {
    this.tags = new Tags(mapping, unreadable);
    this.fields = new HeadFields(mapping, this.tags.names, unreadable, taken);
    this.sources = new TextSources(textColumns(mapping), constants, capacity);
    const { named } = this.fields;
    const tagColumns = this.tags.names.map((name) => ({ name, kind: 'tag' as const, named: -1 }));
    const fieldColumns = mapping.fields.map((field) => {
      return { name: ownName(field, taken), kind: storedType(field), named: named.indexOf(field) };
    });
    this.pointColumns = new HeadColumns([...tagColumns, ...fieldColumns], tagColumns.length, counts);
  }

  get(id: number): Head {
    return this.heads[id];
  }

  /** Writes the number of each row's head to `ids`. Columns that the file lacks are missing in every row. */
  read(columns: ReadonlyMap<string, ArrowColumn>, rows: number, ids: Int32Array): void {
    this.sources.read(columns, rows, ids);
    for (let id = this.heads.length; id < this.sources.size; id++) this.heads[id] = this.make(id);
  }

  /** Drops all heads once they exceed a maximum. Returns whether it did: the numbers of series then begin again at 0. */
  trim(): boolean {
    const bytes = this.used + this.sources.bytes + this.heads.length * this.pointColumns.bytesPerHead;
    if (this.heads.length < MAX_HEADS && bytes < MAX_BYTES) return false;
    this.settle();
    this.sources.forget();
    this.series.clear();
    this.used = 0;
    return true;
  }

  /** Adds the warnings of all heads to the tally, each counted once per point, and their series and the values of tags to the counts. */
  settle(): void {
    for (const [id, head] of this.heads.entries()) {
      if (!head?.rows) continue;
      for (const [kind, column, value] of head.warnings) this.tally.warn(kind, column, value, head.rows);
      this.pointColumns.count(id, head.measurement, head.hash, head.names);
    }
    this.tags.countValues(this.sources, this.counts);
    this.heads = [];
    this.pointColumns.clear();
  }

  private make(id: number): Head {
    const textOf = this.sources.textsOf(id);
    const measurement = this.measurementOf(textOf);
    const isNamed = typeof measurement === 'string';
    const tags = this.tags.of(textOf);
    const fields = this.fields.of(textOf);
    this.pointColumns.add(id);
    for (const tag of tags.present) this.pointColumns.markTag(id, tag);
    for (const field of fields.present) this.pointColumns.markField(id, field);

    const tagSet = (isNamed ? escapeMeasurement(measurement) : '') + tags.text;
    const { strings, unreadable, names, keys, nameFaults, keyBytes, shared } = fields;
    // Points with the same tags and time, but with other names of fields, do not overwrite each other. The account of an export counts them
    // all the same, because they are one point in InfluxDB.
    const identity = names.length === 0 || this.isExport ? tagSet : JSON.stringify([tagSet, names]);
    const series = this.series.get(identity) ?? this.series.size;
    this.series.set(identity, series);
    const hasStrings = strings !== '';
    const text = readyText(hasStrings ? `${tagSet} ${strings}` : tagSet);
    this.used += text.length;
    const hash = hashText(tagSet);
    // Written out, because a spread makes objects whose members are slow to read.
    return {
      text,
      measurement: isNamed ? measurement : '',
      series,
      hash,
      // Two points with the same one and the same time overwrite each other.
      identityHash: names.length === 0 ? hash : hashText(JSON.stringify([tagSet, names])),
      pointsHash: this.isExport ? seriesHash(tagSet) : NO_SERIES,
      fault: (isNamed ? undefined : measurement) ?? tags.fault ?? fields.fault ?? this.unexpected(textOf),
      hasStrings,
      unreadable,
      names,
      keys,
      nameFaults,
      keyBytes,
      shared,
      warnings: [...tags.warnings, ...fields.warnings],
      rows: 0,
    };
  }

  private measurementOf(textOf: TextOf): string | HeadFault {
    const { measurement } = this.mapping;
    if (typeof measurement === 'string') return measurement;
    const { column } = measurement;
    const text = this.unreadable.has(column) ? null : textOf(column);
    const name = text?.trim() ?? '';
    if (isMeasurement(name)) return name;
    if (text === null) return { column, reason: 'unreadable' };
    return { column, reason: name === '' ? 'missing' : 'not-a-name' };
  }

  private unexpected(textOf: TextOf): HeadFault | undefined {
    const found = Object.entries(this.mapping.expect).find(([column, expected]) => textOf(column) !== expected);
    return found && { column: found[0], reason: 'unexpected' };
  }
}

function textColumns({ measurement, tags, fields, expect }: ConcreteMapping): TextColumn[] {
  return [
    ...(typeof measurement === 'string' ? [] : [measurement]),
    ...tags,
    ...fields.flatMap(({ type, column }) => (type === 'text' ? [{ column }] : [])),
    ...fields.flatMap(({ named }) => (named ? [{ column: named.by }] : [])),
    ...Object.keys(expect).map((column) => ({ column })),
  ];
}
