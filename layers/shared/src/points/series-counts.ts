/** What the points need in InfluxDB: their series and columns by measurement, and the distinct values of their tags. */
import type { ConcreteField } from '../datasets/resolve';
import { DistinctCounter } from './hyperloglog';

/** The type in which InfluxDB stores a field. */
export type StoredType = 'float' | 'integer' | 'unsigned' | 'boolean' | 'string';
export type ColumnKind = 'tag' | StoredType;

/** The type in which a field of a mapping is stored. */
export function storedType({
  type,
  as,
}: {
  readonly type: ConcreteField['type'];
  readonly as?: string | undefined;
}): StoredType {
  if (type === 'number') return 'float';
  if (type === 'text') return 'string';
  if (type === 'timestamp') return as === 'rfc3339' ? 'string' : 'integer';
  return type;
}

/** Counts that can be sent between threads, and that `SeriesCounts.add` adds up. Counters are bytes of `DistinctCounter`. */
export interface SeriesReport {
  readonly measurements: readonly {
    /** null: the measurements beyond the maximum, together. */
    readonly measurement: string | null;
    /** Series as InfluxDB stores them: measurement and tags. */
    readonly series: Uint8Array;
    /** Series of single fields: measurement, tags and field key. */
    readonly fieldSeries: Uint8Array;
    readonly columns: readonly (readonly [name: string, kind: ColumnKind])[];
  }[];
  readonly tags: readonly { readonly tag: string; readonly values: Uint8Array }[];
}

/** Measurements that are counted separately: their counters take at most 3 MB. */
const MAX_MEASUREMENTS = 100;
/** Names of columns that are kept per measurement. InfluxDB 3 has at most 500. */
const MAX_COLUMNS = 5_000;

export class MeasurementCounts {
  readonly series = new DistinctCounter();
  readonly fieldSeries = new DistinctCounter();
  /** Kinds by name: more than one if files or mappings differ. */
  readonly columns = new Map<string, Set<ColumnKind>>();

  /** Every series has a field, so an estimate below the number of series is wrong. */
  get fieldSeriesCount(): number {
    return Math.max(this.series.count(), this.fieldSeries.count());
  }

  addColumn(name: string, kind: ColumnKind): void {
    const kinds = this.columns.get(name);
    if (kinds) kinds.add(kind);
    else if (this.columns.size < MAX_COLUMNS) this.columns.set(name, new Set([kind]));
  }
}

export class SeriesCounts {
  readonly measurements = new Map<string | null, MeasurementCounts>();
  /** Distinct values by tag, also those of rows that are not valid. */
  readonly tags = new Map<string, DistinctCounter>();

  measurement(name: string | null): MeasurementCounts {
    const known = this.measurements.get(name);
    if (known) return known;
    if (name !== null && this.measurements.size >= MAX_MEASUREMENTS) return this.measurement(null);
    const counts = new MeasurementCounts();
    this.measurements.set(name, counts);
    return counts;
  }

  tag(name: string): DistinctCounter {
    const known = this.tags.get(name) ?? new DistinctCounter();
    this.tags.set(name, known);
    return known;
  }

  add({ measurements, tags }: SeriesReport): void {
    for (const { measurement, series, fieldSeries, columns } of measurements) {
      const counts = this.measurement(measurement);
      counts.series.merge(DistinctCounter.fromBytes(series));
      counts.fieldSeries.merge(DistinctCounter.fromBytes(fieldSeries));
      for (const [name, kind] of columns) counts.addColumn(name, kind);
    }
    for (const { tag, values } of tags) this.tag(tag).merge(DistinctCounter.fromBytes(values));
  }

  report(): SeriesReport {
    return {
      measurements: [...this.measurements].map(([measurement, { series, fieldSeries, columns }]) => ({
        measurement,
        series: series.toBytes(),
        fieldSeries: fieldSeries.toBytes(),
        columns: [...columns].flatMap(([name, kinds]) => [...kinds].map((kind) => [name, kind] as const)),
      })),
      tags: [...this.tags].map(([tag, counter]) => ({ tag, values: counter.toBytes() })),
    };
  }

  /** The series of all measurements. */
  total(of: 'series' | 'fieldSeries'): number {
    return [...this.measurements.values()].reduce(
      (sum, counts) => sum + (of === 'series' ? counts.series.count() : counts.fieldSeriesCount),
      0,
    );
  }
}
