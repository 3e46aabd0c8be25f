/** The proof of a migration: what was expected and found, by table, field and window. The schema of `proof.json`. */
import { z } from 'zod';
import { differenceSchema } from './records';

const count = z.int().min(0);
const time = z.string().describe('RFC 3339, to the nanosecond.');

const tableProofSchema = z.object({
  table: z.string(),
  measurement: z.string(),
  proved: z.boolean(),
  manifest_rows: count.describe('Rows by the manifests.'),
  rows_read: count.describe('Rows that the loads read. Equal to manifest_rows, and to points + empty + invalid.'),
  points: count.describe('Points made from rows. Equal to written + rejected + failed.'),
  empty: count.describe('Rows without any value.'),
  invalid: count.describe('Rows that cannot be points.'),
  written: count.describe('Points that InfluxDB acknowledged.'),
  rejected: count.describe('Points that InfluxDB rejected.'),
  failed: count.describe('Points that were sent but not confirmed.'),
  merged: count.describe('Points that share series and time with another one, and so are one point in InfluxDB.'),
  fields: z
    .array(
      z.object({
        field: z.string(),
        expected: count,
        found: count,
        overwritten: count.optional().describe('Values that are lost because rows became one point (allowMerges).'),
      }),
    )
    .describe('Values by field, over all windows.'),
  windows: z.array(
    z.object({
      from: time,
      to: time.describe('Exclusive.'),
      rows: count,
      expected: count.nullable().describe('Values of all fields; null if they were not counted.'),
      found: count.nullable(),
      differences: count,
    }),
  ),
});

export const proofSchema = z.object({
  migrationId: z.string(),
  proved: z.boolean().describe('Whether every window of every table is equal, and every sum closes.'),
  verify: z.enum(['counts', 'sums']),
  database: z.string(),
  target: z.object({ engine: z.enum(['v2', 'v3']), url: z.string(), org: z.string(), bucket: z.string() }),
  created: z.string(),
  tables: z.array(tableProofSchema),
  differences: z.array(differenceSchema).describe('The first 1,000; those of a window are also in its record.'),
  differencesTotal: count,
});

export type TableProof = Readonly<z.output<typeof tableProofSchema>>;
export type Proof = Readonly<z.output<typeof proofSchema>>;
