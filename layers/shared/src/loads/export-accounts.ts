/** What became of the rows of each table of an export, from the results of its items. */
import { addSums, EMPTY_SUM } from '../points/point-set';
import type { ExportTables } from './export-tables';
import type { ItemResult } from './item-result';
import type { ExportTable } from './summary';

interface QueryPoints {
  points: number;
  duplicates: number;
  sum: string;
}

type Sums = Record<
  'rows' | 'points' | 'empty' | 'invalid' | 'points_written' | 'rejected_points' | 'failed_points',
  number
>;

export class ExportAccounts {
  private readonly tables = new Map<string, { readonly sums: Sums; readonly queries: Map<string, QueryPoints> }>();

  add(result: ItemResult): void {
    if (!result.export) return;
    const { table, query, empty, pointSet } = result.export;
    const { sums, queries } = this.tables.get(table) ?? { sums: noSums(), queries: new Map<string, QueryPoints>() };
    this.tables.set(table, { sums, queries });
    const invalid = Object.values(result.invalidRecords).reduce((sum, rows) => sum + rows, 0);
    const points = result.sourceRecords - empty - invalid;
    sums.rows += result.sourceRecords;
    sums.points += points;
    sums.empty += empty;
    sums.invalid += invalid;
    sums.points_written += result.pointsWritten;
    sums.rejected_points += result.rejectedPoints;
    sums.failed_points += result.failedPoints;
    const known = queries.get(query) ?? { points: 0, duplicates: 0, sum: EMPTY_SUM };
    queries.set(query, {
      points: known.points + points,
      duplicates: known.duplicates + result.duplicates,
      sum: addSums(known.sum, pointSet),
    });
  }

  /** @param exported what the manifests say */
  list(exported: ExportTables): Record<string, ExportTable> {
    const entries = Object.entries(exported).map(([table, { queries, files, rows: manifest_rows, leftOut }]) => {
      const { sums: counts, queries: points } = this.tables.get(table) ?? { sums: noSums(), queries: new Map() };
      const stored = counts.points_written + counts.rejected_points + counts.failed_points;
      const accounted =
        manifest_rows === counts.rows &&
        counts.rows === counts.points + counts.empty + counts.invalid &&
        counts.points === stored;
      const merged = mergedPoints([...points.values()]);
      return [table, { queries, files, manifest_rows, ...counts, merged, left_out: leftOut, accounted }] as const;
    });
    return Object.fromEntries(entries);
  }
}

/** All points of queries with the same points as an earlier query, and the duplicates of the others. */
function mergedPoints(queries: readonly QueryPoints[]): number {
  const seen = new Set<string>();
  return queries.reduce((merged, { points, duplicates, sum }) => {
    const id = `${points} ${sum}`;
    // Items that failed half way have no sum.
    const isRepeated = sum !== EMPTY_SUM && seen.has(id);
    seen.add(id);
    return merged + (isRepeated ? points : duplicates);
  }, 0);
}

const noSums = (): Sums => ({
  rows: 0,
  points: 0,
  empty: 0,
  invalid: 0,
  points_written: 0,
  rejected_points: 0,
  failed_points: 0,
});
