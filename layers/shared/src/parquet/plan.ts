/** Divides a file into runs of row groups of about equal cost, by its footer alone. */
import { bytesOf, type ParquetMetadata, type RowGroupInfo } from './metadata';

/** A run of consecutive row groups: the unit of work, validation and retry. */
export interface RowGroupRun {
  /** From 0. */
  readonly firstRowGroup: number;
  readonly rowGroups: number;
  /** The file's rows before this run. */
  readonly firstRow: number;
  readonly rows: number;
  /** Compressed bytes of the columns that will be read. */
  readonly bytes: number;
}

export interface PlanTargets {
  /** Compressed bytes per run. */
  readonly bytes: number;
  /** Rows per run: files of few distinct values compress so well that their bytes do not predict the time they take. */
  readonly rows: number;
}

export const DEFAULT_TARGETS: PlanTargets = { bytes: 32 * 1024 * 1024, rows: 2_000_000 };

/** The sum of the row groups' costs may exceed a whole number by the rounding of its terms. */
const ROUNDING = 1e-9;

/**
 * Returns runs that cover every row group once, in order, and whose ends are nearest to equal shares of the whole cost. A row group is
 * never divided: a row group larger than a target is a run by itself. A file without rows has no runs.
 * @param columns columns to read; others cost nothing.
 */
export function planRuns(
  { rows, rowGroups }: Pick<ParquetMetadata, 'rows' | 'rowGroups'>,
  columns: readonly string[],
  targets: PlanTargets = DEFAULT_TARGETS,
): RowGroupRun[] {
  if (rows === 0) return [];
  const costs = rowGroups.map((group) => Math.max(bytesOf(group, columns) / targets.bytes, group.rows / targets.rows));
  const total = costs.reduce((sum, cost) => sum + cost, 0);
  const share = total / Math.max(1, Math.ceil(total - ROUNDING));

  const runs: RowGroupRun[] = [];
  let first = 0;
  let firstRow = 0;
  let begun = 0;
  let spent = 0;
  for (const [index, cost] of costs.entries()) {
    spent += cost;
    const due = share * (Math.round(begun / share) + 1);
    const next = costs[index + 1];
    // A row group without rows costs nothing: it joins the run before it.
    if (next !== undefined && Math.abs(spent + next - due) <= Math.abs(spent - due)) continue;
    const members = rowGroups.slice(first, index + 1);
    const run = { firstRowGroup: first, rowGroups: members.length, firstRow, ...sizeOf(members, columns) };
    if (run.rows > 0) runs.push(run);
    first = index + 1;
    firstRow += run.rows;
    begun = spent;
  }
  return runs;
}

/** Returns one run of all row groups; none for a file without rows. */
export function planWhole(
  { rows, rowGroups }: Pick<ParquetMetadata, 'rows' | 'rowGroups'>,
  columns: readonly string[],
): RowGroupRun[] {
  if (rows === 0) return [];
  return [{ firstRowGroup: 0, rowGroups: rowGroups.length, firstRow: 0, ...sizeOf(rowGroups, columns) }];
}

function sizeOf(rowGroups: readonly RowGroupInfo[], columns: readonly string[]): Pick<RowGroupRun, 'rows' | 'bytes'> {
  return {
    rows: rowGroups.reduce((sum, group) => sum + group.rows, 0),
    bytes: rowGroups.reduce((sum, group) => sum + bytesOf(group, columns), 0),
  };
}
