/**
 * What a migration keeps in the work bucket: its request, the survey of each table, and one record for each window. The records are the
 * ledger: each step reads them, does what is missing, and writes them again.
 */
import { z } from 'zod';
import { migrationRequestSchema } from './request';

const count = z.int().min(0);
/** ns since 1970, as decimal text: JSON numbers are exact only to 2^53. */
const ns = z.string().regex(/^-?\d{1,19}$/);

/** A half-open range of time: `from` belongs to it, `to` does not. */
export const windowSchema = z.object({ from: ns, to: ns });
export type Window = Readonly<z.output<typeof windowSchema>>;

/** The beginning of a migration: `migration.json`. Fixed by the first run of Survey. */
export const migrationSchema = z.object({
  migrationId: z.string(),
  request: migrationRequestSchema,
  /** The InfluxDB that the points are loaded into. A resumed migration has the same one. */
  target: z.object({ engine: z.enum(['v2', 'v3']), url: z.string(), org: z.string(), bucket: z.string() }),
  /** The end of the range, the same for all tables. */
  to: ns,
  started: z.iso.datetime(),
});
export type Migration = Readonly<z.output<typeof migrationSchema>>;

/** A column of a table, as DESCRIBE lists it. */
export const columnSchema = z.object({
  name: z.string(),
  type: z.enum(['varchar', 'double', 'bigint', 'boolean', 'timestamp']),
  role: z.enum(['dimension', 'measure_name', 'time', 'measure']),
});
export type Column = Readonly<z.output<typeof columnSchema>>;

/** A finding before anything is written. A problem ends the migration; a warning is shown. */
export const findingSchema = z.object({
  severity: z.enum(['problem', 'warning']),
  /** A fixed name, such as `retention` or `too-many-columns`. */
  name: z.string(),
  table: z.string().nullable(),
  detail: z.string(),
});
export type Finding = Readonly<z.output<typeof findingSchema>>;

/** The survey of a table: `tables/<table>.json`. */
export const tableSurveySchema = z.object({
  table: z.string(),
  columns: z.array(columnSchema),
  rows: count,
  /** ns of the first and the last row in the range; null for a table without rows. */
  first: ns.nullable(),
  last: ns.nullable(),
  /** Distinct combinations of tags; approximate. */
  series: count,
  /** Values of measure_name, at most 1,000. */
  measureNames: z.array(z.string()),
  /** Bytes scanned by the queries of the survey. */
  scannedBytes: count,
  /** Estimated bytes that export and verification scan. */
  estimatedBytes: count,
  /** The windows, in time order. They cover the range exactly once. */
  windows: z.array(windowSchema.extend({ rows: count })),
  findings: z.array(findingSchema),
});
export type TableSurvey = Readonly<z.output<typeof tableSurveySchema>>;

/** Counts of one field in a window. Sums only with `verify: sums`: of numbers, of booleans (1 and 0), of the characters of texts. */
export const fieldCountSchema = z.object({
  field: z.string(),
  /** What the field is at the source; undefined at the target. */
  kind: z.enum(['float', 'integer', 'boolean', 'string', 'timestamp']).optional(),
  count,
  /** Values at the source that another value of the same series and time replaces, because rows merge. */
  overwritten: count.optional(),
  /** An integer as decimal text, exact; a float as a JSON number's text. */
  sum: z.string().optional(),
  /** The sum of absolute values of a float field, for the bound of rounding errors. */
  magnitude: z.string().optional(),
});
export type FieldCount = Readonly<z.output<typeof fieldCountSchema>>;

/** Counts of a window at the target. */
export const windowCountSchema = z.object({
  /** By field key, in the order of the keys. Fields without a value are left out. */
  fields: z.array(fieldCountSchema),
  /** Different sets of tags; undefined in records of earlier versions. */
  series: count.optional(),
  /** Times of the first and last point; null without points. */
  first: ns.nullable(),
  last: ns.nullable(),
});
export type WindowCount = Readonly<z.output<typeof windowCountSchema>>;

/** The expected counts of a window, queried at the source after its export. */
export const sourceCountSchema = windowCountSchema.extend({
  rows: count,
  /** Rows without any value that a field can have. */
  empty: count,
  /** Rows that share series and time with an earlier row, because dimensions or measure_name became fields. */
  merged: count,
});
export type SourceCount = Readonly<z.output<typeof sourceCountSchema>>;

const exportedSchema = z.object({
  /** The folder of this attempt: it contains one query's files. */
  folder: z.string(),
  manifest: z.string(),
  rows: count,
  bytes: count,
  files: count,
  /** As in the metadata, with the roles of the survey: the table may have gained columns since then. */
  columns: z.array(columnSchema),
});

/** The counts of a nested load. rows = points + empty + invalid; points = written + rejected + failed. */
const loadedSchema = z.object({
  loadId: z.string(),
  complete: z.boolean(),
  rows: count,
  points: count,
  empty: count,
  invalid: count,
  written: count,
  rejected: count,
  failed: count,
  /** Points that share series and time with another: a lower bound. */
  merged: count,
  causes: z.array(z.string()),
});
export type Loaded = Readonly<z.output<typeof loadedSchema>>;

/** A difference that ends the migration as failed. `field` is null if it is about the window as a whole. */
export const differenceSchema = z.object({
  table: z.string(),
  window: windowSchema,
  field: z.string().nullable(),
  kind: z.enum(['missing', 'extra', 'changed', 'type', 'time', 'rows', 'export', 'load']),
  expected: z.string().nullable(),
  found: z.string().nullable(),
  detail: z.string(),
});
export type Difference = Readonly<z.output<typeof differenceSchema>>;

/**
 * The record of a window: `windows/<table>/<from>-<to>.json`. Without a record, the window is planned.
 *
 *     (none) -> started -> exported, then with `loaded`, then with `verified`
 *                  |-> split: two halves with records of their own
 *                  |-> failed: exported again by the next run
 */
export const windowRecordSchema = z.object({
  window: windowSchema,
  state: z.enum(['started', 'split', 'failed', 'exported']),
  /** From 1. Each attempt has its own folder, so partial files of an earlier attempt are never loaded. */
  attempt: z.int().min(1),
  /** The UNLOAD in progress. Its token continues the query in a later invocation of the same function. */
  query: z.object({ folder: z.string(), nextToken: z.string().nullable() }).nullable(),
  exported: exportedSchema.nullable(),
  /** Null with `verify: none`. */
  source: sourceCountSchema.nullable(),
  loaded: loadedSchema.nullable(),
  /** Loads of these exported files. */
  loads: count.default(0),
  verified: z
    .object({ at: z.iso.datetime(), target: windowCountSchema.nullable(), differences: z.array(differenceSchema) })
    .nullable(),
  /** Bytes scanned by all attempts and counts of this window. */
  scannedBytes: count,
  /** Why the last attempt failed. */
  error: z.string().nullable(),
});
export type WindowRecord = Readonly<z.output<typeof windowRecordSchema>>;
