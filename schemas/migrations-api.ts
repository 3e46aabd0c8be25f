/** The migrations API as an OpenAPI document: POST /migrations and GET /migrations/{id}. */
import { migrationRequestSchema } from 'shared/migration/request';
import { reportOutputSchema } from 'shared/migration/steps';
import { z } from 'zod';
import {
  content,
  document,
  executionFailure,
  executionStateSchema,
  executionTimes,
  FAILURES,
  response,
} from './openapi';

const migrationId = z
  .string()
  .regex(/^[\w-]{1,80}$/)
  .describe('The id of the migration: the name of its execution.');
const count = z.int().min(0);
const clientToken = z.string().min(1).max(256).optional().describe('Requests with the same token start one migration.');

export const migrationStartSchema = z.union([
  z
    .strictObject({
      ...migrationRequestSchema.shape,
      database: migrationRequestSchema.shape.database.optional(),
      export: migrationRequestSchema.shape.export.optional(),
      clientToken,
    })
    .describe(
      'database and export have defaults in the stack: MigrationDatabaseName, and the output MigrationExportUri.',
    ),
  z
    .strictObject({
      resume: migrationId,
      verifyOnly: z.boolean().optional().describe('Verifies the migration again, and exports and loads nothing.'),
      clientToken,
    })
    .describe('Continues a migration that has ended or was stopped.'),
]);

export const migrationStartedSchema = z.object({ migrationId, state: executionStateSchema });

export const migrationStateSchema = z.object({
  migrationId,
  state: executionStateSchema,
  ...executionTimes,
  input: z.unknown().describe('The input that started the migration.'),
  progress: z
    .object({
      windows: count.describe('Windows of the tables surveyed so far.'),
      exported: count,
      failed: count.describe('Windows whose export failed.'),
      loaded: count.describe('Windows that are loaded completely.'),
      verified: count.describe('Windows that were compared with InfluxDB.'),
      differing: count.describe('Windows with a difference.'),
      rows: count.describe('Rows of the exported windows.'),
      points: count.describe('Points in windows that were verified without a difference.'),
      pointsWritten: count.describe('Points that InfluxDB acknowledged, of the loads that have ended.'),
      rejectedPoints: count.describe('Points that InfluxDB rejected, of these loads.'),
      failedPoints: count.describe('Points of batches that failed, of these loads.'),
      pointsPerSecond: count
        .nullable()
        .describe(
          'pointsWritten divided by the time since the start, until the end; null for a migration that was resumed.',
        ),
    })
    .nullable()
    .describe('The state so far; null if the windows could not be counted in time.'),
  result: reportOutputSchema
    .pick({ status: true, message: true, report: true, page: true })
    .nullable()
    .describe('null while the migration runs, and if it ended before its report.'),
  ...executionFailure,
});

const errorSchema = z.object({
  error: z.string().describe('The name of the error.'),
  message: z.string(),
  migrationId: migrationId.optional().describe('With 409 and 503: the migration that the client token belongs to.'),
});

const COMPONENTS = {
  MigrationStart: migrationStartSchema,
  MigrationStarted: migrationStartedSchema,
  MigrationState: migrationStateSchema,
  Error: errorSchema,
};

/** @param version of the project */
export function migrationsApi(version: string): object {
  const info = {
    title: 'Migrations',
    version,
    description: 'Starts migrations from Timestream for LiveAnalytics to InfluxDB, and reports their state.',
  };
  const paths = {
    '/migrations': {
      post: {
        operationId: 'startMigration',
        summary: 'Starts a migration, or continues one',
        requestBody: { required: true, content: content('MigrationStart') },
        responses: {
          '202': response('The migration has started, or the client token started it earlier.', 'MigrationStarted'),
          '400': response('The body is not a valid migration.', 'Error'),
          '409': response('The client token was used for another input.', 'Error'),
          '413': response('The body is too large for an execution.', 'Error'),
          '503': response('The migration of the client token cannot be described yet.', 'Error'),
          ...FAILURES,
        },
      },
    },
    '/migrations/{id}': {
      get: {
        operationId: 'describeMigration',
        summary: 'Reports the state of a migration and, once it has ended, its result',
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string', pattern: '^[\\w-]{1,80}$' } }],
        responses: {
          '200': response('The state of the migration.', 'MigrationState'),
          '404': response('No migration has this id.', 'Error'),
          ...FAILURES,
        },
      },
    },
  };
  return document(info, paths, COMPONENTS);
}
