/**
 * The part of a line that depends on text columns: measurement, sorted tags and string fields. It is built once for each distinct
 * combination of values and copied for each row.
 */

import type { Encoding } from '../datasets/mapping';
import { isKey, isMeasurement } from '../datasets/names';
import type { PartitionColumns } from '../datasets/partitions';
import type { ConcreteField, ConcreteMapping } from '../datasets/resolve';
import { own } from '../own';
import type { ArrowColumn } from '../parquet/c-data';
import { escapeKey, escapeMeasurement, quote, storedTag, withoutLastBackslashes } from './escape';
import { fieldKey, fieldName, ownName } from './fields';
import { HeadColumns } from './head-columns';
import { hashText } from './hyperloglog';
import { type SeriesHash, seriesHash } from './point-set';
import { type ReadyText, readyText } from './ready-text';
import type { InvalidReason } from './report';
import { type SeriesCounts, storedType } from './series-counts';
import type { Tally } from './tally';
import { TextIds } from './text-ids';
import { TupleTable } from './tuples';

/** Maxima, checked between record batches. Beyond them all heads are dropped and built again. */
const MAX_HEADS = 1 << 16;
const MAX_BYTES = 16 * 1024 * 1024;

/** Text that stands for a missing value in an optional tag. */
const NO_TAG = /^(nan|none|null)?$/i;

/** The text of a column: undefined without a value, null if it is not UTF-8. */
type TextOf = (column: string, encoding?: Encoding) => string | null | undefined;

interface TextSource {
  readonly column: string;
  readonly encoding: Encoding | undefined;
  readonly texts: TextIds;
}

/** The indices in the mapping of the fields with one name, and the number of tags and string fields of the head with this name. */
interface SharedName {
  readonly fields: readonly number[];
  readonly others: number;
}

interface ColumnTag {
  readonly column: string;
  readonly encoding: Encoding | undefined;
  readonly name: string;
  readonly key: string;
  readonly required: boolean;
  readonly known: ReadonlySet<string> | undefined;
}

interface ConstantTag {
  readonly name: string;
  readonly key: string;
  readonly constant: string;
}

export interface HeadFault {
  readonly reason: InvalidReason;
  readonly column: string;
}

export interface Head {
  /** `measurement,tags strings`, without a space if there are no strings. */
  readonly text: ReadyText;
  readonly measurement: string;
  /** Number of measurement, tags and names of fields: heads that differ only in strings share it. */
  readonly series: number;
  /** Hash of measurement and tags. */
  readonly hash: number;
  /** The same, as a hash that does not depend on the file. */
  readonly pointsHash: SeriesHash;
  /** Why no row with this head can be a point. */
  readonly fault: HeadFault | undefined;
  readonly hasStrings: boolean;
  /** A text field that is not UTF-8: the reason if a row has no field at all. */
  readonly unreadable: string | undefined;
  /** Names and keys of the fields whose name is the text of a column, in the mapping's order; a fault if the text cannot be a key. */
  readonly names: readonly (string | HeadFault)[];
  readonly keys: readonly (ReadyText | HeadFault)[];
  /** Bytes of all `keys`. */
  readonly keyBytes: number;
  /** Names that several fields of a row with this head would have, if they have values: only if any text may name a field. */
  readonly shared: readonly SharedName[];
  readonly warnings: readonly (readonly [
    'unknown-value' | 'trailing-backslash' | 'left-out',
    column: string,
    value: string,
  ])[];
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
  private readonly tags: readonly (ColumnTag | ConstantTag)[];
  private readonly strings: readonly ConcreteField[];
  private readonly named: readonly ConcreteField[];
  private readonly columns: readonly TextSource[];
  /** Whether any text may name a field. */
  private readonly hasPivots: boolean;
  private readonly members: Int32Array;
  private tuples: TupleTable;

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
    private readonly taken: readonly string[],
    private readonly constants: PartitionColumns,
    private readonly tally: Tally,
    private readonly counts: SeriesCounts,
    private readonly isExport: boolean,
    capacity: number,
  ) {
    const columnTags = mapping.tags.map(({ column, key, required, encoding }) => {
      const known = own(mapping.checks.known, column);
      return { column, encoding, name: key, key: escapeKey(key), required, known: known && new Set(known) };
    });
    const constantTags = Object.entries(mapping.constantTags).map(([key, value]) => {
      return { name: key, key: escapeKey(key), constant: escapeKey(storedTag(value)) };
    });
    this.tags = [...columnTags, ...constantTags]
      // By bytes, as InfluxDB sorts them.
      .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
    this.strings = mapping.fields.filter(({ type }) => type === 'text');
    this.named = mapping.fields.filter(({ named }) => named);
    const sources = new Map<string, TextSource>();
    const use = (column: string, encoding?: Encoding) => {
      if (!constants.has(column)) sources.set(sourceId(column, encoding), { column, encoding, texts: new TextIds() });
    };
    if (typeof mapping.measurement !== 'string') use(mapping.measurement.column);
    for (const { column, encoding } of columnTags) use(column, encoding);
    for (const { column } of this.strings) use(column);
    for (const { named } of this.named) if (named) use(named.by);
    for (const column of Object.keys(mapping.expect)) use(column);
    this.columns = [...sources.values()];
    this.hasPivots = this.named.some(({ named }) => named?.otherwise === undefined);
    this.members = new Int32Array(this.columns.length * capacity);
    this.tuples = new TupleTable(this.columns.length);
    const tagColumns = this.tags.map(({ name }) => ({ name, kind: 'tag' as const, named: -1 }));
    const fieldColumns = mapping.fields.map((field) => {
      return { name: ownName(field, taken), kind: storedType(field), named: this.named.indexOf(field) };
    });
    this.pointColumns = new HeadColumns([...tagColumns, ...fieldColumns], tagColumns.length, counts);
  }

  get(id: number): Head {
    return this.heads[id];
  }

  /** Writes the number of each row's head to `ids`. Columns that the file lacks are missing in every row. */
  read(columns: ReadonlyMap<string, ArrowColumn>, rows: number, ids: Int32Array): void {
    const { members, tuples } = this;
    const width = this.columns.length;
    if (this.columns.some(({ column }) => !columns.has(column))) members.fill(0);
    for (const [index, { column: name, encoding, texts }] of this.columns.entries()) {
      const column = columns.get(name);
      if (column) texts.read(column, members, index, width, encoding);
    }
    for (let row = 0; row < rows; row++) {
      const id = tuples.idOf(members, row * width);
      if (this.heads[id] === undefined) this.heads[id] = this.make(id);
      ids[row] = id;
    }
  }

  /** Drops all heads once they exceed a maximum. Returns whether it did: the numbers of series then begin again at 0. */
  trim(): boolean {
    const bytes = this.columns.reduce((sum, { texts }) => sum + texts.bytes, this.used);
    if (this.heads.length < MAX_HEADS && bytes < MAX_BYTES) return false;
    this.settle();
    for (const { texts } of this.columns) texts.forget();
    this.tuples = new TupleTable(this.columns.length);
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
    this.countTagValues();
    this.heads = [];
    this.pointColumns.clear();
  }

  private countTagValues(): void {
    for (const tag of this.tags) {
      if ('constant' in tag) continue;
      const { column, encoding, name, required } = tag;
      const constant = this.constants.get(column);
      const source = this.columns.find((each) => each.column === column && each.encoding === encoding);
      const values = constant === undefined ? (source?.texts.values ?? []) : [constantText(constant, encoding)];
      const counter = this.counts.tag(name);
      for (const value of values) {
        const stored = storedTag(value?.trim() ?? '');
        if (required ? stored !== '' : !NO_TAG.test(stored)) counter.add(hashText(stored));
      }
    }
  }

  private make(id: number): Head {
    const textOf = this.valuesOf(id);
    const warnings: Head['warnings'][number][] = [];
    this.pointColumns.add(id);
    const measurement = this.measurementOf(textOf);
    let fault = typeof measurement === 'string' ? undefined : measurement;
    let tagSet = typeof measurement === 'string' ? escapeMeasurement(measurement) : '';
    for (const [index, tag] of this.tags.entries()) {
      if ('constant' in tag) {
        tagSet += `,${tag.key}=${tag.constant}`;
        this.pointColumns.markTag(id, index);
        continue;
      }
      const { column: name, encoding, key, required, known } = tag;
      const isUnreadable = this.unreadable.has(name);
      const raw = isUnreadable ? null : textOf(name, encoding);
      const value = (this.mapping.verbatim ? raw : raw?.trim()) ?? '';
      const stored = this.mapping.verbatim ? withoutLastBackslashes(value) : storedTag(value);
      const isMissing = this.mapping.verbatim ? value === '' : NO_TAG.test(value);
      if (required ? stored === '' : isMissing) {
        // Without a tag that the file has, different series would merge: a cell is left out with a warning, a column never.
        if (required || isUnreadable) fault ??= { column: name, reason: raw === null ? 'unreadable' : 'missing' };
        else if (raw === null) warnings.push(['left-out', name, '']);
        continue;
      }
      if (known && !known.has(value)) warnings.push(['unknown-value', name, value]);
      if (stored !== value) warnings.push(['trailing-backslash', name, value]);
      if (stored === '') continue;
      tagSet += `,${key}=${escapeKey(stored)}`;
      this.pointColumns.markTag(id, index);
    }

    const strings: string[] = [];
    let unreadable: string | undefined;
    for (const field of this.strings) {
      const { column, required } = field;
      const value = this.unreadable.has(column) ? null : textOf(column);
      if (typeof value !== 'string' && required)
        fault ??= { column, reason: value === null ? 'unreadable' : 'missing' };
      if (value === null) {
        unreadable ??= column;
        warnings.push(['left-out', column, '']);
      }
      if (typeof value !== 'string') continue;
      const name = this.nameOf(field, textOf);
      if (typeof name === 'string') strings.push(`${escapeKey(name)}=${quote(value)}`);
      else fault ??= name;
      this.pointColumns.markField(id, this.mapping.fields.indexOf(field));
    }
    for (const [column, expected] of Object.entries(this.mapping.expect)) {
      if (textOf(column) !== expected) fault ??= { column, reason: 'unexpected' };
    }
    const names = this.named.map((field) => this.nameOf(field, textOf));
    // Points with the same tags and time, but with other names of fields, do not overwrite each other. The account of an export counts them
    // all the same, because they are one point in InfluxDB.
    const identity = names.length === 0 || this.isExport ? tagSet : JSON.stringify([tagSet, names]);
    const series = this.series.get(identity) ?? this.series.size;
    this.series.set(identity, series);
    const text = readyText(strings.length > 0 ? `${tagSet} ${strings.join()}` : tagSet);
    this.used += text.length;
    const keys = names.map((name) => (typeof name === 'string' ? fieldKey(name) : name));
    const keyBytes = keys.reduce((sum, key) => sum + ('words' in key ? key.length : 0), 0);
    const shared = this.hasPivots ? this.sharedNames(textOf) : [];
    const hasStrings = strings.length > 0;
    const named = typeof measurement === 'string' ? measurement : '';
    const hash = hashText(tagSet);
    const pointsHash = seriesHash(tagSet);
    // Written out, because a spread makes objects whose members are slow to read.
    return {
      text,
      measurement: named,
      series,
      hash,
      pointsHash,
      fault,
      hasStrings,
      unreadable,
      names,
      keys,
      keyBytes,
      shared,
      warnings,
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

  private nameOf(field: ConcreteField, textOf: TextOf): string | HeadFault {
    const { named } = field;
    if (!named) return ownName(field, this.taken);
    const column = named.by;
    const text = textOf(column);
    const name = fieldName(named, text);
    if (name === undefined) return { column, reason: text === null ? 'unreadable' : 'missing' };
    return isKey(name) ? name : { column, reason: 'not-a-name' };
  }

  private sharedNames(textOf: TextOf): SharedName[] {
    const names = new Map<string, { fields: number[]; others: number }>();
    for (const { name } of this.tags) names.set(name, { fields: [], others: 1 });
    for (const [index, field] of this.mapping.fields.entries()) {
      const name = this.nameOf(field, textOf);
      if (typeof name !== 'string') continue;
      const known = names.get(name) ?? { fields: [], others: 0 };
      names.set(name, known);
      if (field.type !== 'text') known.fields.push(index);
      else if (typeof textOf(field.column) === 'string') known.others++;
    }
    return [...names.values()].filter(({ fields, others }) => fields.length + others > 1);
  }

  /** Text by column in the combination `id`. */
  private valuesOf(id: number): TextOf {
    const values = new Map<string, string | null | undefined>();
    for (const [index, { column, encoding, texts }] of this.columns.entries()) {
      values.set(sourceId(column, encoding), texts.valueOf(this.tuples.member(id, index)));
    }
    return (column, encoding) => {
      const constant = this.constants.get(column);
      if (constant === undefined) return values.get(sourceId(column, encoding));
      return constantText(constant, encoding);
    };
  }
}

const sourceId = (column: string, encoding: Encoding | undefined): string => `${encoding ?? ''} ${column}`;

function constantText(text: string | null, encoding: Encoding | undefined): string | undefined {
  if (text === null || encoding === undefined) return text ?? undefined;
  return Buffer.from(text).toString(encoding);
}
