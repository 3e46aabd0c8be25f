/**
 * The part of a line that text columns decide: measurement, sorted tags and string fields. It is made once per distinct combination
 * of their values and copied for each row.
 */
import type { DatasetMapping, FieldMapping } from '../datasets/mapping';
import type { ArrowColumn } from '../parquet/c-data';
import { escapeKey, escapeMeasurement, quote } from './escape';
import { PairTable } from './pairs';
import type { InvalidReason } from './report';
import type { Tally } from './tally';
import { TextIds } from './text-ids';

/** Remembered at most, counted between record batches: beyond, everything is forgotten and begins anew. */
const MOST_HEADS = 1 << 16;
const MOST_BYTES = 16 * 1024 * 1024;

/** Text that stands for a missing value in an optional tag. */
const NO_TAG = /^(nan|none|null)?$/i;

export interface HeadFault {
  readonly reason: InvalidReason;
  readonly column: string;
}

export interface Head {
  /** Where its text lies in `Heads.bytes`: `measurement,tags strings,` or, without strings, `measurement,tags `. */
  readonly start: number;
  readonly end: number;
  /** The same for heads of the same measurement and tags. */
  readonly series: number;
  /** Why no row with this head can be a point. */
  readonly fault: HeadFault | undefined;
  readonly hasStrings: boolean;
  /** The keys, with `=`, of the fields that are named by a column's text, in the mapping's order. */
  readonly keys: readonly Uint8Array[];
  readonly warnings: readonly (readonly [
    'unknown-value' | 'trailing-backslash' | 'left-out',
    column: string,
    value: string,
  ])[];
  /** Rows that became points. */
  rows: number;
}

export class Heads {
  /** The text of all heads. */
  bytes = new Uint8Array(64 * 1024);
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
  private pairs: PairTable[] = [];

  /** @param unreadable columns of a type that cannot be text. */
  constructor(
    private readonly mapping: DatasetMapping,
    private readonly unreadable: ReadonlySet<string>,
    private readonly tally: Tally,
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
    this.columns = [...names].map((name) => ({ name, texts: new TextIds() }));
  }

  /** The columns that heads are made of. */
  get columnNames(): string[] {
    return this.columns.map(({ name }) => name);
  }

  get(id: number): Head {
    return this.heads[id] as Head;
  }

  /** Writes the number of each row's head to `ids`. `scratch` is as long. Columns that the file lacks are missing in every row. */
  read(columns: ReadonlyMap<string, ArrowColumn>, rows: number, ids: Int32Array, scratch: Int32Array): void {
    for (const [level, { name, texts }] of this.columns.entries()) {
      const column = columns.get(name);
      const target = level === 0 ? ids : scratch;
      if (column) texts.read(column, target);
      else target.fill(0, 0, rows);
      if (level === 0) continue;
      const pairs = (this.pairs[level] ??= new PairTable());
      for (let row = 0; row < rows; row++) ids[row] = pairs.idOf(ids[row] as number, scratch[row] as number);
    }
    if (this.columns.length === 0) ids.fill(0, 0, rows);
    for (let row = 0; row < rows; row++) {
      const id = ids[row] as number;
      if (this.heads[id] === undefined) this.heads[id] = this.make(id);
    }
  }

  /** Forgets everything once it has become too much; true where it did, after which series begin anew. */
  trim(): boolean {
    const bytes = this.columns.reduce((sum, { texts }) => sum + texts.bytes, this.used);
    if (this.heads.length < MOST_HEADS && bytes < MOST_BYTES) return false;
    this.settle();
    for (const { texts } of this.columns) texts.forget();
    this.pairs = [];
    this.series.clear();
    this.used = 0;
    return true;
  }

  /** Hands the warnings of all heads, times their points, to the tally. */
  settle(): void {
    for (const head of this.heads) {
      if (head?.rows)
        for (const [kind, column, value] of head.warnings) this.tally.warn(kind, column, value, head.rows);
    }
    this.heads = [];
  }

  private make(id: number): Head {
    const valueOf = this.valuesOf(id);
    const warnings: Head['warnings'][number][] = [];
    let fault: HeadFault | undefined;
    let tagSet = escapeMeasurement(this.mapping.measurement);
    for (const { name, key, required, known } of this.tags) {
      const raw = this.unreadable.has(name) ? null : valueOf(name);
      const value = raw?.trim() ?? '';
      if (required ? value === '' : NO_TAG.test(value)) {
        if (required) fault ??= { column: name, reason: raw === null ? 'unreadable' : 'missing' };
        continue;
      }
      if (known && !known.has(value)) warnings.push(['unknown-value', name, value]);
      const held = value.replace(/\\+$/, '');
      if (held !== value) warnings.push(['trailing-backslash', name, value]);
      if (held !== '') tagSet += `,${key}=${escapeKey(held)}`;
    }

    let text = `${tagSet} `;
    let hasStrings = false;
    for (const { column, name } of this.strings) {
      const value = valueOf(column);
      if (value === null) warnings.push(['left-out', column, '']);
      if (value === undefined || value === null) continue;
      text += `${escapeKey(name ?? column)}=${quote(value)},`;
      hasStrings = true;
    }
    const series = this.series.get(tagSet) ?? this.series.size;
    this.series.set(tagSet, series);
    const start = this.append(text);
    const keys = this.named.map(({ named }) => {
      const unit = valueOf(named?.by ?? '')?.trim() ?? '';
      return Buffer.from(`${escapeKey(named?.names[unit] ?? named?.otherwise ?? '')}=`);
    });
    return { start, end: this.used, series, fault, hasStrings, keys, warnings, rows: 0 };
  }

  /** The text of each column in the combination `id`. */
  private valuesOf(id: number): (column: string) => string | null | undefined {
    const values = new Map<string, string | null | undefined>();
    let rest = id;
    for (let level = this.columns.length - 1; level >= 0; level--) {
      const { name, texts } = this.columns[level] as { name: string; texts: TextIds };
      const pairs = this.pairs[level];
      values.set(name, texts.valueOf((level === 0 ? rest : pairs?.second[rest]) as number));
      if (level > 0) rest = pairs?.first[rest] as number;
    }
    return (column) => values.get(column);
  }

  private append(text: string): number {
    const encoded = Buffer.from(text);
    const start = this.used;
    this.used += encoded.length;
    if (this.used > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.used, this.bytes.length * 2));
      larger.set(this.bytes);
      this.bytes = larger;
    }
    this.bytes.set(encoded, start);
    return start;
  }
}
