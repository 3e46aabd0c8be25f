/** Counts the points of a load that overwrite each other, also between files. */
import { DistinctCounter, STANDARD_ERROR } from 'shared/points/hyperloglog';
import type { PointsReport } from 'shared/points/report';

/** The points of a load by series and time; `load --json` prints it as `checks.points`. */
export interface PointCounts {
  readonly written: number;
  readonly distinct: number;
  /** Whether `distinct` is an estimate, with a standard error of 0.81 %. */
  readonly isEstimate: boolean;
  /** Points with the series, time and fields of another point: `written` - `distinct`, or 0 if an estimate does not show any. */
  readonly overwritten: number;
}

/** Points of items that have fields in common, directly or by way of other items. */
interface Group {
  readonly fields: Set<string>;
  readonly distinct: DistinctCounter;
  written: number;
}

/** Counters of the groups take at most 16 MB. */
const MAX_GROUPS = 1_000;
/** An estimate is this many standard errors off in 1 of 700 loads. */
const CLEAR = 3 * STANDARD_ERROR;

export class Overwrites {
  private groups: Group[] = [];

  /** Items without a field in common do not overwrite each other: InfluxDB merges their fields into one point. */
  add({ series, points, distinct }: Pick<PointsReport, 'series' | 'points' | 'distinct'>): void {
    const names = series.measurements.flatMap(({ columns }) => columns.filter(([, kind]) => kind !== 'tag'));
    const fields = new Set(names.map(([name]) => name));
    const group: Group = { fields, distinct: DistinctCounter.fromBytes(distinct), written: points };
    const isRelated = (other: Group) => [...fields].some((name) => other.fields.has(name));
    const related = this.groups.filter(isRelated);
    const first = related[0] ?? group;
    for (const other of [...related.slice(1), ...(related.length > 0 ? [group] : [])]) {
      for (const name of other.fields) first.fields.add(name);
      first.distinct.merge(other.distinct);
      first.written += other.written;
    }
    if (related.length === 0 && this.groups.length < MAX_GROUPS) this.groups.push(group);
    if (related.length > 1) this.groups = this.groups.filter((each) => each === first || !related.includes(each));
  }

  counts(): PointCounts {
    const parts = this.groups.map(({ distinct, written }) => {
      // No estimate of distinct points is above the number of points.
      const count = Math.min(distinct.count(), written);
      const missing = written - count;
      return { written, count, overwritten: distinct.isExact || missing > CLEAR * written ? missing : 0 };
    });
    const sum = (of: 'written' | 'count' | 'overwritten') => parts.reduce((total, part) => total + part[of], 0);
    return {
      written: sum('written'),
      distinct: sum('count'),
      isEstimate: this.groups.some(({ distinct }) => !distinct.isExact),
      overwritten: sum('overwritten'),
    };
  }
}
