/**
 * The part of a line that depends on text columns: measurement, sorted tags and string fields. It is built once for each distinct
 * combination of values and copied for each row.
 */
import { isKey, isMeasurement } from '../datasets/names';
import type { PartitionColumns } from '../datasets/partitions';
import type { ConcreteField, ConcreteMapping } from '../datasets/resolve';
import type { ArrowColumn } from '../parquet/c-data';
import { escapeKey, escapeMeasurement, quote, storedTag } from './escape';
import { fieldKey, fieldName, ownName } from './number-fields';
import { type ReadyText, readyText } from './ready-text';
import type { InvalidReason } from './report';
import type { Tally } from './tally';
import { TextIds } from './text-ids';
import { TupleTable } from './tuples';

/** Maxima, checked between record batches. Beyond them all heads are dropped and built again. */
const MAX_HEADS = 1 << 16;
const MAX_BYTES = 16 * 1024 * 1024;

/** Text that stands for a missing value in an optional tag. */
const NO_TAG = /^(nan|none|null)?$/i;

/** The text of a column: undefined without a value, null if it is not UTF-8. */
type TextOf = (column: string) => string | null | undefined;

interface ColumnTag {
  readonly column: string;
  readonly key: string;
  readonly required: boolean;
  readonly known: ReadonlySet<string> | undefined;
}

interface ConstantTag {
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
  /** Number of the measurement and tags: heads that differ only in strings share it. */
  readonly series: number;
  /** Why no row with this head can be a point. */
  readonly fault: HeadFault | undefined;
  readonly hasStrings: boolean;
  /** A text field that is not UTF-8: the reason if a row has no field at all. */
  readonly unreadable: string | undefined;
  /** Keys of the fields whose name is the text of a column, in the mapping's order; a fault if the text cannot be a key. */
  readonly keys: readonly (ReadyText | HeadFault)[];
  /** Bytes of all `keys`. */
  readonly keyBytes: number;
  readonly warnings: readonly (readonly [
    'unknown-value' | 'trailing-backslash' | 'left-out',
    column: string,
    value: string,
  ])[];
  /** Rows that became points. */
  rows: number;
}

export class Heads {
  /** Bytes of all heads' text. */
  private used = 0;
  private heads: Head[] = [];
  private readonly series = new Map<string, number>();
  private readonly tags: readonly (ColumnTag | ConstantTag)[];
  private readonly strings: readonly ConcreteField[];
  private readonly named: readonly ConcreteField[];
  private readonly columns: readonly { name: string; texts: TextIds }[];
  private readonly members: Int32Array;
  private tuples: TupleTable;

  /**
   * @param unreadable columns of a type that cannot be text.
   * @param taken names that the unit's fields use in this file.
   * @param constants columns with one value for all rows: part of each head, and not needed to distinguish heads.
   * @param capacity rows of the largest record batch.
   */
  constructor(
    private readonly mapping: ConcreteMapping,
    private readonly unreadable: ReadonlySet<string>,
    private readonly taken: readonly string[],
    private readonly constants: PartitionColumns,
    private readonly tally: Tally,
    capacity: number,
  ) {
    const columnTags = mapping.tags.map(({ column, key, required }) => {
      const known = mapping.checks.known[column];
      return { column, key: escapeKey(key), required, known: known && new Set(known) };
    });
    const constantTags = Object.entries(mapping.constantTags).map(([key, value]) => {
      return { key: escapeKey(key), constant: escapeKey(storedTag(value)) };
    });
    this.tags = [...columnTags, ...constantTags]
      // By bytes, as InfluxDB sorts them.
      .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
    this.strings = mapping.fields.filter(({ type }) => type === 'text');
    this.named = mapping.fields.filter(({ named }) => named);
    const names = new Set([
      ...(typeof mapping.measurement === 'string' ? [] : [mapping.measurement.column]),
      ...columnTags.map(({ column }) => column),
      ...this.strings.map(({ column }) => column),
      ...this.named.map(({ named }) => named?.by ?? ''),
    ]);
    this.columns = [...names].filter((name) => !constants.has(name)).map((name) => ({ name, texts: new TextIds() }));
    this.members = new Int32Array(this.columns.length * capacity);
    this.tuples = new TupleTable(this.columns.length);
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

  /** Adds the warnings of all heads to the tally, each counted once per point. */
  settle(): void {
    for (const head of this.heads) {
      if (head?.rows)
        for (const [kind, column, value] of head.warnings) this.tally.warn(kind, column, value, head.rows);
    }
    this.heads = [];
  }

  private make(id: number): Head {
    const textOf = this.valuesOf(id);
    const warnings: Head['warnings'][number][] = [];
    const measurement = this.measurementOf(textOf);
    let fault = typeof measurement === 'string' ? undefined : measurement;
    let tagSet = typeof measurement === 'string' ? escapeMeasurement(measurement) : '';
    for (const tag of this.tags) {
      if ('constant' in tag) {
        tagSet += `,${tag.key}=${tag.constant}`;
        continue;
      }
      const { column: name, key, required, known } = tag;
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
      if (stored !== '') tagSet += `,${key}=${escapeKey(stored)}`;
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
      if (typeof value === 'string') strings.push(`${escapeKey(ownName(field, this.taken))}=${quote(value)}`);
    }
    const series = this.series.get(tagSet) ?? this.series.size;
    this.series.set(tagSet, series);
    const text = readyText(strings.length > 0 ? `${tagSet} ${strings.join()}` : tagSet);
    this.used += text.length;
    const keys = this.named.map((field) => this.keyOf(field, textOf));
    const keyBytes = keys.reduce((sum, key) => sum + ('words' in key ? key.length : 0), 0);
    return { text, series, fault, hasStrings: strings.length > 0, unreadable, keys, keyBytes, warnings, rows: 0 };
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

  private keyOf({ named }: ConcreteField, textOf: TextOf): ReadyText | HeadFault {
    const column = named?.by ?? '';
    const text = textOf(column);
    const name = named && fieldName(named, text);
    if (name === undefined) return { column, reason: text === null ? 'unreadable' : 'missing' };
    return isKey(name) ? fieldKey(name) : { column, reason: 'not-a-name' };
  }

  /** Text by column in the combination `id`. */
  private valuesOf(id: number): TextOf {
    const values = new Map<string, string | null | undefined>();
    for (const [name, value] of this.constants) values.set(name, value ?? undefined);
    for (const [index, { name, texts }] of this.columns.entries()) {
      values.set(name, texts.valueOf(this.tuples.member(id, index)));
    }
    return (column) => values.get(column);
  }
}
