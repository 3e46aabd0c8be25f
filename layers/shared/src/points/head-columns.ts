/** The columns that the points of each head have, as bits, and the series that follow from them. */
import { hashPair, hashText } from './hyperloglog';
import type { ColumnKind, MeasurementCounts, SeriesCounts } from './series-counts';

/** A tag or field that a point may have. */
export interface PointColumn {
  readonly name: string;
  readonly kind: ColumnKind;
  /** Its index among the fields whose name is the text of a column, or -1. */
  readonly named: number;
}

export class HeadColumns {
  private readonly columns: readonly (PointColumn & { readonly hash: number })[];
  /** Words per head. */
  readonly width: number;
  /** Public for the loop over values, where a call of `markField` costs more than to write the value. */
  bits: Uint32Array;
  /** The columns of earlier heads, by their measurement. */
  private readonly known = new Map<MeasurementCounts, Uint32Array>();

  /**
   * @param columns tags, then fields in the mapping's order
   * @param tags number of tags
   */
  constructor(
    columns: readonly PointColumn[],
    readonly tags: number,
    private readonly counts: SeriesCounts,
  ) {
    this.columns = columns.map((column) => ({ ...column, hash: hashText(column.name) }));
    this.width = Math.ceil(columns.length / 32);
    this.bits = new Uint32Array(64 * this.width);
  }

  get bytesPerHead(): number {
    return this.width * this.bits.BYTES_PER_ELEMENT;
  }

  /** Makes room for a new head. */
  add(head: number): void {
    const end = (head + 1) * this.width;
    if (end <= this.bits.length) return;
    const larger = new Uint32Array(Math.max(2 * this.bits.length, end));
    larger.set(this.bits);
    this.bits = larger;
  }

  markTag(head: number, tag: number): void {
    this.bits[head * this.width + (tag >> 5)] |= 1 << (tag & 31);
  }

  /** @param field its index in the mapping */
  markField(head: number, field: number): void {
    this.markTag(head, this.tags + field);
  }

  /**
   * Adds the series of a head whose rows became points.
   * @param hash of measurement and tags
   * @param names of the fields whose name is the text of a column
   */
  count(head: number, measurement: string, hash: number, names: readonly string[]): void {
    const counts = this.counts.measurement(measurement);
    const known = this.known.get(counts) ?? new Uint32Array(this.width);
    this.known.set(counts, known);
    counts.series.add(hash);
    for (let word = 0; word < this.width; word++) {
      const bits = this.bits[head * this.width + word];
      const before = known[word];
      known[word] |= bits;
      for (let rest = bits; rest !== 0; rest &= rest - 1) {
        const bit = rest & -rest;
        const column = this.columns[32 * word + 31 - Math.clz32(bit)];
        const isNamed = column.named >= 0;
        const name = isNamed ? (names[column.named] ?? '') : column.name;
        if (isNamed || (before & bit) === 0) counts.addColumn(name, column.kind);
        if (column.kind !== 'tag') counts.fieldSeries.add(hashPair(hash, isNamed ? hashText(name) : column.hash));
      }
    }
  }

  clear(): void {
    this.bits.fill(0);
  }
}
