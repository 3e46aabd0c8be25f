/** The summary of a load, as SummarizeLoad writes it to summary.json and GET /loads/{id} returns it. */
import { z } from 'zod';

const count = z.int().min(0);
const counts = z.record(z.string(), count);
const time = z.string().nullable();

export const totalsSchema = z.object({
  source_records: count.describe('Rows that were read.'),
  points_written: count.describe('Points that InfluxDB acknowledged.'),
  batches_processed: count.describe('Batches that were sent.'),
  failed_batches: count.describe('Batches that failed after their retries.'),
  failed_points: count.describe('Points of the failed batches.'),
  rejected_points: count.describe('Points that InfluxDB rejected.'),
  invalid_records: counts.describe('Invalid rows by column and reason, such as `value nan`.'),
  rejected_reasons: counts.describe("Rejected points by InfluxDB's reason."),
  duplicates: count.describe(
    'Points that overwrite an earlier point of the same item with the same tags and time: a lower bound.',
  ),
  earliest: time.describe('The time of the first point, ns since 1970 as a decimal; null without points.'),
  latest: time.describe('The time of the last point, ns since 1970 as a decimal; null without points.'),
  warnings: counts.describe('Warnings by kind and column, such as `unknown-value region`.'),
});

/** Counts of a load or of one dataset, named as in the loader that this one replaces. */
export type Totals = Readonly<z.output<typeof totalsSchema>>;

export const causeSchema = z.object({
  error: z.string().describe('The name of the error.'),
  cause: z.string().describe('The message of one item; items with the same error may name other objects.'),
  items: count.describe('Items that failed with this cause.'),
  objects: z.array(z.string()).readonly().describe('The first objects, as s3:// addresses.'),
});

export type Cause = Readonly<z.output<typeof causeSchema>>;

const exportTableSchema = z.object({
  queries: count.describe('UNLOADs that exported the table.'),
  files: count.describe('Files in their manifests.'),
  manifest_rows: count.describe('Rows in their manifests.'),
  rows: count.describe('Rows that were read.'),
  points: count.describe('Rows that became points.'),
  empty: count.describe('Rows of NULLs alone, for which no point exists.'),
  invalid: count.describe('Invalid rows.'),
  points_written: count.describe('Points that InfluxDB acknowledged.'),
  rejected_points: count.describe('Points that InfluxDB rejected.'),
  failed_points: count.describe('Points of failed batches.'),
  merged: count.describe(
    'Points with the series and time of another point, with which they become one: all points of a query that was exported twice, and ' +
      'repetitions within an item.',
  ),
  left_out: z.array(z.string()).readonly().describe('Columns of the export that are not loaded.'),
  accounted: z
    .boolean()
    .describe(
      'Whether the sums close: manifest_rows = rows = points + empty + invalid, points = points_written + rejected_points + failed_points.',
    ),
});

export type ExportTable = Readonly<z.output<typeof exportTableSchema>>;

export const summarySchema = totalsSchema.extend({
  loadId: z.string(),
  statusCode: z
    .union([z.literal(200), z.literal(207), z.literal(500)])
    .describe('200: everything is stored. 207: some points are stored. 500: nothing is stored.'),
  message: z.string().describe('The result in one sentence.'),
  files: count.describe('Files that were planned.'),
  ignored: count.describe('Keys that were left out because they are not Parquet files.'),
  items: count.describe('Items (runs of row groups) and files that could not be planned.'),
  failed_items: count,
  causes: z.array(causeSchema).readonly().describe('The causes of failed items, the most frequent first.'),
  datasets: z.record(z.string(), totalsSchema).describe('The same counts for each dataset.'),
  tables: z
    .record(z.string(), exportTableSchema)
    .optional()
    .describe('Only of the load of an export: what became of the rows of each table.'),
  failedItems: z
    .string()
    .nullable()
    .describe('The address of failed-items.jsonl, a plan that repeats the failed items; null if no item failed.'),
  dryRun: z
    .literal(true)
    .optional()
    .describe('Present in a dry run, which writes no points: the counts say what a load would do.'),
  fullyPlanned: z
    .boolean()
    .describe('Whether every file was planned. If not, failed-items.jsonl does not have all missing files.'),
  summary: z.string().describe('The address of this summary.'),
  withinTolerance: z.boolean().describe('Whether the failed items are within toleratedFailurePercentage.'),
});

export type Summary = Readonly<z.output<typeof summarySchema>>;
