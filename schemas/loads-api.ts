/** The loads API as an OpenAPI document: POST /loads, GET /loads/{id} and GET /loads/health. */
import type { HealthReport } from 'shared/influxdb/health';
import { loadRequestSchema, loadSchema } from 'shared/loads/load';
import { summarySchema } from 'shared/loads/summary';
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

const { loadId } = loadSchema.shape;
const count = z.number().int().nonnegative().nullable();

export const loadStartedSchema = z.object({ loadId, state: executionStateSchema });

export const loadStateSchema = z.object({
  loadId,
  state: executionStateSchema,
  ...executionTimes,
  input: z.unknown().describe('The input that started the load.'),
  progress: z
    .object({
      items: count.describe('The items of the load, as far as it is planned.'),
      itemsDone: count.describe('Items that were loaded.'),
      itemsFailed: count.describe('Items that failed.'),
      points: count.describe('Points that InfluxDB acknowledged, of the items that were loaded.'),
      rejectedPoints: count.describe('Points that InfluxDB rejected, of these items.'),
      failedPoints: count.describe('Points of batches that failed, of these items.'),
      invalidRows: count.describe('Invalid rows of these items.'),
      pointsPerSecond: count.describe('Points divided by the time since the start, until the end.'),
    })
    .describe('The state so far; null for what is not known.'),
  summary: summarySchema.nullable().describe('null while the load runs, and if it ended before it was summarized.'),
  ...executionFailure,
});

export const errorSchema = z.object({
  error: z.string().describe('The name of the error.'),
  message: z.string(),
  loadId: loadId.optional().describe('With 409 and 503: the load that the client token belongs to.'),
});

export const healthReportSchema: z.ZodType<HealthReport> = z.object({
  healthy: z.boolean().describe('InfluxDB responds and the token may write.'),
  retryable: z.boolean().describe('The same check may pass later without a change to the configuration.'),
  engine: z.enum(['v2', 'v3']),
  version: z.string().nullable(),
  latencyMs: z.number().describe('Milliseconds of all checks together.'),
  checks: z.array(
    z.object({
      name: z.enum(['alive', 'write', 'read']),
      status: z.enum(['pass', 'fail']),
      detail: z.string(),
      latencyMs: z.number(),
    }),
  ),
});

const COMPONENTS = {
  LoadRequest: loadRequestSchema,
  LoadStarted: loadStartedSchema,
  LoadState: loadStateSchema,
  Summary: summarySchema,
  HealthReport: healthReportSchema,
  Error: errorSchema,
};

/** @param version of the project */
export function loadsApi(version: string): object {
  const info = {
    title: 'Loads',
    version,
    description: 'Starts loads of Parquet files from S3 into InfluxDB, and reports their state.',
  };
  const paths = {
    '/loads': {
      post: {
        operationId: 'startLoad',
        summary: 'Starts a load',
        requestBody: { required: true, content: content('LoadRequest') },
        responses: {
          '202': response('The load has started, or the client token started it earlier.', 'LoadStarted'),
          '400': response('The body is not a valid load, or no dataset is detected from its key.', 'Error'),
          '409': response('The client token was used for another input.', 'Error'),
          '503': response('The load of the client token cannot be described yet.', 'Error'),
          ...FAILURES,
        },
      },
    },
    '/loads/{id}': {
      get: {
        operationId: 'describeLoad',
        summary: 'Reports the state of a load and, once it has ended, its summary',
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string', pattern: '^[\\w-]{1,80}$' } }],
        responses: {
          '200': response('The state of the load.', 'LoadState'),
          '404': response('No load has this id.', 'Error'),
          ...FAILURES,
        },
      },
    },
    '/loads/health': {
      get: {
        operationId: 'checkInfluxDB',
        summary: 'Checks that InfluxDB can be written to',
        responses: {
          '200': response('InfluxDB can be written to.', 'HealthReport'),
          '503': {
            description: 'InfluxDB cannot be written to, or its token cannot be read.',
            content: {
              'application/json': {
                schema: {
                  anyOf: [{ $ref: '#/components/schemas/HealthReport' }, { $ref: '#/components/schemas/Error' }],
                },
              },
            },
          },
          '403': FAILURES['403'],
        },
      },
    },
  };
  return document(info, paths, COMPONENTS);
}
