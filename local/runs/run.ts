/** The progress of a load or migration, as its file has it. */
import { z } from 'zod';

const count = z.number().nonnegative();

/** The steps of a migration, in their order. */
export const MIGRATION_STEPS = ['survey', 'export', 'load', 'verify', 'report'] as const;
export type MigrationStep = (typeof MIGRATION_STEPS)[number];

/** Files of other versions are not shown. */
export const runSchema = z.object({
  id: z.string(),
  kind: z.enum(['load', 'migration']),
  /** ISO 8601. */
  started: z.string(),
  ended: z.string().nullable(),
  status: z.enum(['running', 'succeeded', 'failed', 'interrupted']),
  source: z.string(),
  /** URL and bucket of InfluxDB. */
  target: z.string(),
  /** Runs of row groups of a load, windows of a migration. */
  items: z.object({ done: count, total: count, failed: count }),
  points: z.object({ written: count, rejected: count, failed: count }),
  /** Of a migration: its current or last step, and its windows that were exported and verified. Items are the loaded ones. */
  migration: z
    .object({ step: z.enum(MIGRATION_STEPS), exported: count, verified: count })
    .nullable()
    .default(null),
  /** Written points per second while points were loaded: since the start, or in the step load of a migration. */
  pointsPerSecond: count,
  causes: z.array(z.object({ cause: z.string(), count })),
  /** The summary or report as text, after the end. */
  report: z.string().nullable(),
});
export type Run = z.output<typeof runSchema>;

/** With what a reader needs to decide whether the run still goes on. */
export const runFileSchema = runSchema.extend({
  process: z.number().int().positive(),
  /** ms since 1970, renewed every second. */
  updated: count,
});
export type RunFile = z.output<typeof runFileSchema>;
