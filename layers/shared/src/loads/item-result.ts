/** The result of an item, small enough for the result of a step. */

import { z } from 'zod';
import type { LoadCount } from '../influxdb/load-count';
import { EMPTY_SUM } from '../points/point-set';
import { type PointsReport, rowsWith } from '../points/report';
import { SeriesCounts } from '../points/series-counts';
import type { ExportPart, PlanItem } from './plan-item';

const count = z.number().int().min(0);
const counts = z.record(z.string(), count);

export const itemResultSchema = z.object({
  item: z.object({ bucket: z.string(), key: z.string(), firstRowGroup: count, rowGroups: count }),
  dataset: z.string(),
  /** 200: every valid row is stored. 207: some valid rows are not stored. */
  statusCode: z.union([z.literal(200), z.literal(207)]),
  /** Rows that were read. */
  sourceRecords: count,
  pointsWritten: count,
  batches: count,
  /** Batches that were skipped after their retries (SKIP_FAILED_BATCHES). */
  failedBatches: count,
  /** The lines of the failed batches. InfluxDB may have stored some of them. */
  failedPoints: count,
  /** Invalid rows by column and reason, such as `value nan`. */
  invalidRecords: counts,
  /** The first invalid rows of each reason. */
  invalidExamples: z.array(z.object({ reason: z.string(), row: count, value: z.string().nullable() })),
  /** The object with the invalid rows; null without invalid rows or without a work bucket. */
  invalidFile: z.string().nullable(),
  /** Points that InfluxDB rejected. */
  rejectedPoints: count,
  rejected: z.array(z.object({ reason: z.string(), lines: count, examples: z.array(z.string()) })),
  /** Rows that overwrite an earlier row with the same tags and time: a lower bound. */
  duplicates: count,
  /** The times of the first and last point, ns since 1970 as decimals; null if they are not known, or without points. */
  earliest: z.string().nullable().default(null),
  latest: z.string().nullable().default(null),
  /** Distinct series of the item: measurement and tags. Above 512 an estimate with a standard error of 0.81 %. */
  series: count.default(0),
  /** The same with the field key: measurement, tags and field. */
  fieldSeries: count.default(0),
  warnings: z.array(
    z.object({
      kind: z.string(),
      column: z.string(),
      value: z.string().optional(),
      count,
      /** The first value that was left out, and its row in the file, from 0. */
      example: z.object({ row: count, value: z.string().nullable() }).optional(),
    }),
  ),
  /** Rows without a value, by column of the mapping. */
  nulls: counts,
  retries: count,
  milliseconds: count,
  /** Only of an export. */
  export: z
    .object({
      table: z.string(),
      query: z.string(),
      /** Rows of NULLs alone. */
      empty: count,
      /** The sum of the points' series and times. */
      pointSet: z.string().regex(/^[0-9a-f]{16}$/),
    })
    .optional(),
});

export type ItemResult = z.output<typeof itemResultSchema>;

/** The subfolder of the load's folder for the results of items that failed after they had written points. */
export const UNFINISHED = 'unfinished';

const MAX_LISTED = 10;
const MAX_COLUMNS = 100;
const MAX_TEXT = 120;

/** @param columns that the mapping names; a column that is missing in the file has no value in any row */
export function itemResult(
  item: PlanItem,
  columns: readonly string[],
  report: PointsReport,
  written: LoadCount,
  rest: { readonly invalidFile: string | null; readonly milliseconds: number },
): ItemResult {
  const { bucket, key, firstRowGroup, rowGroups, dataset } = item;
  const lost = written.rejectedLines + written.failedLines;
  const counts = new SeriesCounts();
  counts.add(report.series);
  const cut = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text);
  return {
    item: { bucket, key, firstRowGroup, rowGroups },
    dataset,
    statusCode: lost === 0 ? 200 : 207,
    sourceRecords: report.rows,
    pointsWritten: written.pointsWritten,
    batches: written.batches,
    failedBatches: written.failedBatches,
    failedPoints: written.failedLines,
    invalidRecords: invalidRecords(report),
    invalidExamples: report.invalid.slice(0, MAX_LISTED).flatMap(({ reason, column, examples }) =>
      examples.slice(0, 3).map(({ row, value }) => ({
        reason: cut(`${column} ${reason}`),
        row,
        value: value === null ? null : cut(value),
      })),
    ),
    rejectedPoints: written.rejectedLines,
    rejected: written.rejected.slice(0, MAX_LISTED).map(({ reason, lines, examples }) => ({
      reason: cut(reason),
      lines,
      examples: examples.map(cut),
    })),
    duplicates: report.duplicates,
    earliest: report.earliest,
    latest: report.latest,
    series: counts.total('series'),
    fieldSeries: counts.total('fieldSeries'),
    warnings: [...report.warnings]
      .sort((a, b) => b.count - a.count)
      .slice(0, 2 * MAX_LISTED)
      .map(({ kind, column, value, count, example }) => ({
        kind,
        column: cut(column),
        ...(value !== undefined && { value: cut(value) }),
        count,
        ...(example && { example: { row: example.row, value: example.value === null ? null : cut(example.value) } }),
      }))
      .concat(
        (item.absent ?? [])
          .slice(0, MAX_LISTED)
          .map(({ column }) => ({ kind: 'absent' as const, column: cut(column), count: 1 })),
      ),
    nulls: Object.fromEntries(
      [...new Set([...columns, ...Object.keys(report.present)])]
        .slice(0, MAX_COLUMNS)
        .map((column) => [column, report.rows - rowsWith(column, report)]),
    ),
    retries: written.retries,
    ...rest,
    ...(item.export && { export: exportResult(item.export, report) }),
  };
}

function exportResult({ table, query }: ExportPart, { empty = 0, pointSet = EMPTY_SUM }: PointsReport) {
  return { table, query, empty, pointSet };
}

/** Counts by column and reason, such as `value nan`. */
export function invalidRecords({ invalid }: Pick<PointsReport, 'invalid'>): Record<string, number> {
  return Object.fromEntries(invalid.map(({ reason, column, count }) => [`${column} ${reason}`, count]));
}
