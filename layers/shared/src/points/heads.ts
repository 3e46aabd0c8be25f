/**
 * The part of a line that depends on text columns: measurement, sorted tags and string fields. It is built once for each distinct
 * combination of values and copied for each row.
 */
import type { DatasetMapping, FieldMapping } from '../datasets/mapping';
import type { PartitionColumns } from '../datasets/partitions';
import type { ArrowColumn } from '../parquet/c-data';
import { escapeKey, escapeMeasurement, quote, storedTag } from './escape';
import { hashPair, hashText } from './hyperloglog';
import { fieldKey, fieldName, type NumberField, ownName } from './number-fields';
import { type ReadyText, readyText } from './ready-text';
import type { InvalidReason } from './report';
import type { ColumnKind, SeriesCounts } from './series-counts';
import type { Tally } from './tally';
import { TextIds } from './text-ids';
import { TupleTable } from './tuples';

/** Maxima, checked between record batches. Beyond them all heads are dropped and built again. */
const MAX_HEADS = 1 << 16;
const MAX_BYTES = 16 * 1024 * 1024;

/** Text that stands for a missing value in an optional tag. */
const NO_TAG = /^(nan|none|null)?$/i;

export interface HeadFault {
  readonly reason: InvalidReason;
  readonly column: string;
}

export interface Head {
  /** `measurement,tags strings`, without a space if there are no strings. */
  readonly text: ReadyText;
  /** Number of measurement, tags and named fields: heads that differ only in strings share it. */
  readonly series: number;
  /** Hash of measurement and tags. */
  readonly hash: number;
  /** Why no row with this head can be a point. */
  readonly fault: HeadFault | undefined;
  readonly hasStrings: boolean;
  /** A text field that is not UTF-8: the reason if a row has no field at all. */
  readonly unreadable: string | undefined;
  /** Names and keys of the fields whose name is the text of a column, in the mapping's order. */
  readonly names: readonly string[];
  readonly keys: readonly ReadyText[];
  readonly warnings: readonly (readonly [
    'unknown-value' | 'trailing-backslash' | 'left-out',
    column: string,
    value: string,
  ])[];
  /** Rows that became points. */
  rows: number;
}

/** A tag or field that a point may have. */
interface PointColumn {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly hash: number;
  /** Its index among the fields whose name is the text of a column, or -1. */
  readonly named: number;
}

export class Heads {
  /** Tags, then string fields, then number fields: a bit of `seen` for each. */
  private readonly parts: readonly PointColumn[];
  /** Words of `seen` per head. */
  readonly width: number;
  /** The bit of the first number field. */
  readonly firstNumber: number;
  /** By head: the columns that its points have. */
  seen: Uint32Array;
  /** The columns that any head had. */
  private readonly known: Uint32Array;
  /** Bytes of all heads' text. */
  private used = 0;
  private heads: Head[] = [];
  private readonly series = new Map<string, number>();
  private readonly tags: readonly {
    name: string;
    key: string;
    required: boolean;
    known: ReadonlySet<string> | undefined;
  }[];
  private readonly strings: readonly FieldMapping[];
  private readonly named: readonly FieldMapping[];
  private readonly columns: readonly { name: string; texts: TextIds }[];
  private readonly members: Int32Array;
  private tuples: TupleTable;

  /**
   * @param unreadable columns of a type that cannot be text.
   * @param taken names that the unit's fields use in this file.
   * @param constants columns with one value for all rows: part of each head, and not needed to distinguish heads.
   * @param numbers number fields, in the order of their bits in `seen`.
   * @param counts counts the series of the points.
   * @param capacity rows of the largest record batch.
   */
  constructor(
    private readonly mapping: DatasetMapping,
    private readonly unreadable: ReadonlySet<string>,
    private readonly taken: readonly string[],
    private readonly constants: PartitionColumns,
    private readonly tally: Tally,
    numbers: readonly NumberField[],
    private readonly counts: SeriesCounts,
    capacity: number,
  ) {
    const { required, optional } = mapping.tags;
    this.tags = [...required, ...optional]
      .map((name) => {
        const known = mapping.checks.known[name];
        return { name, key: escapeKey(name), required: required.includes(name), known: known && new Set(known) };
      })
      // By bytes, as InfluxDB sorts them.
      .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
    this.strings = mapping.fields.filter(({ type }) => type === 'text');
    this.named = mapping.fields.filter(({ named }) => named);
    const names = new Set([
      ...this.tags.map(({ name }) => name),
      ...this.strings.map(({ column }) => column),
      ...this.named.map(({ named }) => named?.by ?? ''),
    ]);
    this.columns = [...names].filter((name) => !constants.has(name)).map((name) => ({ name, texts: new TextIds() }));
    this.members = new Int32Array(this.columns.length * capacity);
    this.tuples = new TupleTable(this.columns.length);
    const part = (name: string, kind: ColumnKind, named = -1) => ({ name, kind, hash: hashText(name), named });
    this.parts = [
      ...this.tags.map(({ name }) => part(name, 'tag')),
      ...this.strings.map((field) => part(ownName(field, taken), 'string')),
      ...numbers.map(({ name, named: index }) => part(name, 'float', index)),
    ];
    this.firstNumber = this.tags.length + this.strings.length;
    this.width = Math.ceil(this.parts.length / 32);
    this.seen = new Uint32Array(64 * this.width);
    this.known = new Uint32Array(this.width);
  }

  get(id: number): Head {
    return this.heads[id];
  }

  /** Writes the number of each row's head to `ids`. Columns that the file lacks are missing in every row. */
  read(columns: ReadonlyMap<string, ArrowColumn>, rows: number, ids: Int32Array): void {
    const { members, tuples } = this;
    const width = this.columns.length;
    if (this.columns.some(({ name }) => !columns.has(name))) members.fill(0);
    for (const [index, { name, texts }] of this.columns.entries()) {
      const column = columns.get(name);
      if (column) texts.read(column, members, index, width);
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
      this.countSeries(id, head);
    }
    this.countTagValues();
    this.heads = [];
    this.seen.fill(0);
  }

  private countSeries(id: number, { hash, names }: Head): void {
    const counts = this.counts.measurement(this.mapping.measurement);
    counts.series.add(hash);
    for (let word = 0; word < this.width; word++) {
      const bits = this.seen[id * this.width + word];
      const known = this.known[word];
      this.known[word] |= bits;
      for (let rest = bits; rest !== 0; rest &= rest - 1) {
        const bit = rest & -rest;
        const part = this.parts[32 * word + 31 - Math.clz32(bit)];
        const isNamed = part.named >= 0;
        const name = isNamed ? names[part.named] : part.name;
        if (isNamed || (known & bit) === 0) counts.addColumn(name, part.kind);
        if (part.kind !== 'tag') counts.fieldSeries.add(hashPair(hash, isNamed ? hashText(name) : part.hash));
      }
    }
  }

  private countTagValues(): void {
    for (const { name, required } of this.tags) {
      const values = this.constants.has(name)
        ? [this.constants.get(name)]
        : (this.columns.find((column) => column.name === name)?.texts.values ?? []);
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
    const seen = this.roomFor(id);
    let fault: HeadFault | undefined;
    let tagSet = escapeMeasurement(this.mapping.measurement);
    for (const [index, { name, key, required, known }] of this.tags.entries()) {
      const isUnreadable = this.unreadable.has(name);
      const raw = isUnreadable ? null : textOf(name);
      const value = raw?.trim() ?? '';
      const stored = storedTag(value);
      if (required ? stored === '' : NO_TAG.test(value)) {
        // Without a tag that the file has, different series would merge: a cell is left out with a warning, a column never.
        if (required || isUnreadable) fault ??= { column: name, reason: raw === null ? 'unreadable' : 'missing' };
        else if (raw === null) warnings.push(['left-out', name, '']);
        continue;
      }
      if (known && !known.has(value)) warnings.push(['unknown-value', name, value]);
      if (stored !== value) warnings.push(['trailing-backslash', name, value]);
      if (stored === '') continue;
      tagSet += `,${key}=${escapeKey(stored)}`;
      this.seen[seen + (index >> 5)] |= 1 << (index & 31);
    }

    const strings: string[] = [];
    let unreadable: string | undefined;
    for (const [index, field] of this.strings.entries()) {
      const { column, required } = field;
      const value = this.unreadable.has(column) ? null : textOf(column);
      if (typeof value !== 'string' && required)
        fault ??= { column, reason: value === null ? 'unreadable' : 'missing' };
      if (value === null) {
        unreadable ??= column;
        warnings.push(['left-out', column, '']);
      }
      if (typeof value !== 'string') continue;
      strings.push(`${escapeKey(ownName(field, this.taken))}=${quote(value)}`);
      const bit = this.tags.length + index;
      this.seen[seen + (bit >> 5)] |= 1 << (bit & 31);
    }
    const names = this.named.map(({ named }) => (named ? fieldName(named, textOf(named.by)) : ''));
    // Points with the same tags and time, but with different names of fields, do not overwrite each other.
    const identity = [tagSet, ...names].join('\n');
    const series = this.series.get(identity) ?? this.series.size;
    this.series.set(identity, series);
    const text = readyText(strings.length > 0 ? `${tagSet} ${strings.join()}` : tagSet);
    this.used += text.length;
    return {
      text,
      series,
      hash: hashText(tagSet),
      fault,
      hasStrings: strings.length > 0,
      unreadable,
      names,
      keys: names.map(fieldKey),
      warnings,
      rows: 0,
    };
  }

  /** The place of a new head in `seen`, which grows if it has none. */
  private roomFor(id: number): number {
    const at = id * this.width;
    if (at + this.width > this.seen.length) {
      const larger = new Uint32Array(Math.max(2 * this.seen.length, at + this.width));
      larger.set(this.seen);
      this.seen = larger;
    }
    return at;
  }

  /** Text by column in the combination `id`. */
  private valuesOf(id: number): (column: string) => string | null | undefined {
    const values = new Map<string, string | null | undefined>();
    for (const [name, value] of this.constants) values.set(name, value ?? undefined);
    for (const [index, { name, texts }] of this.columns.entries()) {
      values.set(name, texts.valueOf(this.tuples.member(id, index)));
    }
    return (column) => values.get(column);
  }
}
