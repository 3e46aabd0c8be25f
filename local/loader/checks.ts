/** Checks a load against its bucket: series, types, columns and retention. Before the first write by the mapping, then by the points. */
import type { DatasetMapping } from 'shared/datasets/mapping';
import { singleFields, singleTags } from 'shared/datasets/mapping-rules';
import type { BucketReading } from 'shared/influxdb/bucket';
import type { BucketColumns } from 'shared/influxdb/bucket-state';
import type { Engine, Target } from 'shared/influxdb/protocol';
import type { PointsReport } from 'shared/points/report';
import { type ColumnKind, SeriesCounts, storedType } from 'shared/points/series-counts';
import { Overwrites, type PointCounts } from './overwrites';

/** What the checks found; `load --json` prints it as `checks`. */
export interface Checks {
  readonly engine: Engine;
  /** `unread`: why the bucket could not be read; then only the points themselves were checked. */
  readonly bucket: { readonly name: string; readonly retentionSeconds: number | null; readonly unread: string | null };
  readonly series: readonly {
    /** null: further measurements together. */
    readonly measurement: string | null;
    readonly series: number;
    /** With the field key. */
    readonly fieldSeries: number;
    /** Whether a number is an estimate, with a standard error of 0.81 %. */
    readonly isEstimate: boolean;
  }[];
  readonly points: PointCounts;
  /** Distinct values by tag, the most first, at most 20. */
  readonly tags: readonly { readonly tag: string; readonly values: number }[];
  /** Points older than the retention of the bucket when their item was started; null if the bucket could not be read. */
  readonly outsideRetention: number | null;
  readonly typeConflicts: readonly TypeConflict[];
  readonly tooManyColumns: readonly TooManyColumns[];
  /** Why InfluxDB certainly refuses points, or all of them: a dry run with any reason ends with exit code 1. */
  readonly failures: readonly string[];
}

/** A column with several kinds: points with another kind than the stored one are refused. */
export interface TypeConflict {
  readonly measurement: string;
  readonly column: string;
  /** Empty if only files of the load differ. */
  readonly stored: readonly ColumnKind[];
  readonly written: readonly ColumnKind[];
}

export interface TooManyColumns {
  readonly measurement: string;
  /** The columns that are stored and those that the load writes, with `time`. */
  readonly columns: number;
  readonly limit: number;
}

/** InfluxDB 3 Core: "Update to schema would exceed number of columns per table limit of 500 columns". */
const MAX_COLUMNS = 500;
const MAX_TAGS = 20;

export class LoadChecks {
  private readonly counts = new SeriesCounts();
  private readonly overwrites = new Overwrites();
  private reading: BucketReading = { kind: 'unread', reason: 'the load ended before it was read' };
  private beforeKeepFrom = 0;
  private refusal: string | undefined;

  constructor(private readonly target: Pick<Target, 'engine' | 'bucket'>) {}

  setBucket(reading: BucketReading): void {
    this.reading = reading;
  }

  /** @param reason why InfluxDB refuses every write, such as a missing bucket */
  setRefusal(reason: string): void {
    this.refusal = reason;
  }

  get retentionSeconds(): number | undefined {
    return this.reading.kind === 'read' ? this.reading.state.retentionSeconds : undefined;
  }

  /** The earliest time that the bucket accepts now, s since 1970. */
  keepFrom(nowMs: number): number | undefined {
    return this.retentionSeconds === undefined ? undefined : Math.ceil(nowMs / 1000) - this.retentionSeconds;
  }

  /** What is wrong with a mapping before the first point of it is written. */
  beforeWrite(mapping: DatasetMapping): Pick<Checks, 'typeConflicts' | 'tooManyColumns'> {
    return this.compared(columnsOfMapping(mapping));
  }

  add(report: PointsReport): void {
    this.counts.add(report.series);
    this.overwrites.add(report);
    this.beforeKeepFrom += report.beforeKeepFrom;
  }

  result(): Checks {
    const { reading, counts, target } = this;
    const written = [...counts.measurements].flatMap(([name, { columns }]) =>
      name === null ? [] : [[name, columns] as const],
    );
    const compared = this.compared(new Map(written));
    return {
      engine: target.engine,
      bucket: {
        name: target.bucket,
        retentionSeconds: this.retentionSeconds ?? null,
        unread: reading.kind === 'unread' ? reading.reason : null,
      },
      series: [...counts.measurements].map(([measurement, { series, fieldSeries, fieldSeriesCount }]) => ({
        measurement,
        series: series.count(),
        fieldSeries: fieldSeriesCount,
        isEstimate: !(series.isExact && fieldSeries.isExact),
      })),
      points: this.overwrites.counts(),
      tags: [...counts.tags]
        .map(([tag, values]) => ({ tag, values: values.count() }))
        .sort((a, b) => b.values - a.values)
        .slice(0, MAX_TAGS),
      outsideRetention: reading.kind === 'read' ? this.beforeKeepFrom : null,
      ...compared,
      failures: [...(this.refusal === undefined ? [] : [this.refusal]), ...schemaFailures(compared)],
    };
  }

  private compared(written: BucketColumns): Pick<Checks, 'typeConflicts' | 'tooManyColumns'> {
    const held: BucketColumns = this.reading.kind === 'read' ? this.reading.state.columns : new Map();
    const typeConflicts: TypeConflict[] = [];
    const tooManyColumns: TooManyColumns[] = [];
    for (const [measurement, columns] of written) {
      const stored = held.get(measurement) ?? new Map<string, ReadonlySet<ColumnKind>>();
      for (const [column, kinds] of columns) {
        const [before, now] = [stored.get(column) ?? new Set(), kinds].map((each) => this.ofInterest(each));
        const isConflict = before.length > 0 ? now.some((kind) => !before.includes(kind)) : now.length > 1;
        if (isConflict) typeConflicts.push({ measurement, column, stored: before, written: now });
      }
      const names = new Set(['time', ...stored.keys(), ...columns.keys()]);
      if (this.target.engine === 'v3' && names.size > MAX_COLUMNS)
        tooManyColumns.push({ measurement, columns: names.size, limit: MAX_COLUMNS });
    }
    return { typeConflicts, tooManyColumns };
  }

  /** In InfluxDB 2 a tag and a field may have the same name. */
  private ofInterest(kinds: ReadonlySet<ColumnKind>): ColumnKind[] {
    return [...kinds].filter((kind) => this.target.engine === 'v3' || kind !== 'tag');
  }
}

function schemaFailures({ typeConflicts, tooManyColumns }: Pick<Checks, 'typeConflicts' | 'tooManyColumns'>): string[] {
  return [
    ...typeConflicts.map(
      ({ measurement, column }) => `InfluxDB refuses points because of the type of ${column} of ${measurement}`,
    ),
    ...tooManyColumns.map(
      ({ measurement }) => `InfluxDB refuses points because ${measurement} would have too many columns`,
    ),
  ];
}

/**
 * The columns that a mapping names. Its files may lack some of them, or have more by patterns and by the text of a column. Without a
 * constant measurement, none are known.
 */
function columnsOfMapping({ measurement, tags, fields }: DatasetMapping): BucketColumns {
  if (typeof measurement !== 'string') return new Map();
  const columns = new Map<string, Set<ColumnKind>>();
  const named = singleTags([...tags.required, ...tags.optional]).map(({ name, column }) => name ?? column);
  for (const tag of [...named, ...Object.keys(tags.constant ?? {})]) columns.set(tag, new Set(['tag']));
  for (const field of singleFields(fields)) {
    const { name, column, named } = field;
    const names = named ? [...Object.values(named.names ?? {}), named.otherwise ?? []].flat() : [name ?? column];
    for (const key of names) columns.set(key, new Set([storedType(field)]));
  }
  return new Map([[measurement, columns]]);
}
