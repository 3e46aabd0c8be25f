/**
 * The inputs and outputs of the steps, as JSON: Survey, Export, Load, Verify, Report. Each is small, whatever the size of the migration:
 * lists are in the work bucket. Each step may be repeated: it does what its ledger does not have yet. A step that returns `done: false`
 * stopped before its deadline and must be called again with its own output as input.
 */
import { z } from 'zod';

const count = z.int().min(0);
const ref = z.object({ bucket: z.string(), key: z.string() });

/** Input of Survey. `migrationId` is the name of the execution; an input with `resume` replaces it. */
export const surveyInputSchema = z.object({ migrationId: z.string(), input: z.unknown() });

/** Output of Survey; with `done: false` also its next input, together with `input`. */
export const surveyOutputSchema = z.object({
  migrationId: z.string(),
  done: z.boolean(),
  /** The next step: `Report` for a dry run and after problems, `Verify` for verifyOnly. Meaningful when done. */
  next: z.enum(['Export', 'Verify', 'Report']),
  tables: count,
  surveyed: count,
  windows: count,
  rows: count,
  problems: count,
  warnings: count,
});
export type SurveyOutput = Readonly<z.output<typeof surveyOutputSchema>>;

/** Input of Export, Load, Verify and Report. Other members are ignored, so the output of any step is a valid input. */
export const stepInputSchema = z.object({
  migrationId: z.string(),
  /** Of Export and Verify: the number of windows that this run has settled or verified. */
  continuation: count.nullish(),
});

/** With `done: false` the counts are those of the windows before the first one that is not settled. */
export const exportOutputSchema = z.object({
  migrationId: z.string(),
  done: z.boolean(),
  /** The windows at the beginning that this run has settled. */
  continuation: count,
  /** Windows without halved ones. */
  windows: count,
  exported: count,
  /** Windows that failed in this run. The others are loaded and verified, and the migration ends as failed. */
  failed: count,
  rows: count,
  bytes: count,
});
export type ExportOutput = Readonly<z.output<typeof exportOutputSchema>>;

/** Output of Load: the tables with windows that are exported and not loaded, one `LoadTable` a line. */
export const loadOutputSchema = z.object({
  migrationId: z.string(),
  tables: ref.nullable().describe('null if nothing has to be loaded'),
  /** Windows of all tables. */
  count,
});
export type LoadOutput = Readonly<z.output<typeof loadOutputSchema>>;

/** A line of Load's list: the address of a table's windows, one `LoadWindow` a line in time order. */
export const loadTableSchema = z.object({ table: z.string(), windows: ref });
export type LoadTable = Readonly<z.output<typeof loadTableSchema>>;

/** A line of a table's list: run the bulk-load workflow with `input`, then call RecordLoad with the line and the load's result. */
export const loadWindowSchema = z.object({
  migrationId: z.string(),
  table: z.string(),
  window: z.string().describe('The name of the window.'),
  /** The input of a nested load. */
  input: z.record(z.string(), z.unknown()),
});
export type LoadWindow = Readonly<z.output<typeof loadWindowSchema>>;

/** Input of RecordLoad: `summary` is the output of SummarizeLoad, or `error` the failure of the nested execution. */
export const recordLoadInputSchema = loadWindowSchema.omit({ input: true }).extend({
  summary: z.unknown().optional(),
  error: z.object({ error: z.string(), cause: z.string() }).nullish(),
});

export const verifyOutputSchema = z.object({
  migrationId: z.string(),
  done: z.boolean(),
  continuation: count,
  windows: count,
  differing: count,
});
export type VerifyOutput = Readonly<z.output<typeof verifyOutputSchema>>;

/** Output of Report, and `report.json`. The state machine ends in Fail unless `status` is `proved`, `loaded` or `surveyed`. */
export const reportOutputSchema = z.object({
  migrationId: z.string(),
  /** proved: every window is equal. loaded: `verify: none`. surveyed: a dry run. failed: anything else. */
  status: z.enum(['proved', 'loaded', 'surveyed', 'failed']),
  message: z.string().describe('The result in one sentence.'),
  report: z.string().describe('The address of report.json.'),
  page: z.string().describe('The address of report.txt.'),
  proof: z.string().nullable().describe('The address of proof.json; null if nothing was verified.'),
});
export type ReportOutput = Readonly<z.output<typeof reportOutputSchema>>;
