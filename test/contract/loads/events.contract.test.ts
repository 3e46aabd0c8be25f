/** The sample events, each passed to its handler, in the order of a load. S3 and InfluxDB respond over HTTP. */
import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeExecutionCommand, ListMapRunsCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { Context } from 'aws-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import type { ItemResult } from 'shared/loads/item-result';
import type { PlanResult } from 'shared/loads/plan-load';
import type { Summary } from 'shared/loads/summary';
import { LAMBDA_CONTEXT } from '../../support/lambda-context';
import { fixtureBytes } from '../../support/loader';
import { S3Double } from '../../support/s3-double';
import { ScriptedServer } from '../../support/scripted-server';

const BUCKET = 'energy-data';
const WORK = 'loader-work';
const KEY =
  'dataset=generation/year=2024/month=01/processing_metadata_processed_at=2026-11-21 23:29:56.328731/' +
  '6f1ed002ab5595859014ebf0951522d9.snappy.parquet';
const LOAD_ID = 'nightly-2024-01';

const executions = mockClient(SFNClient);
const metrics = mockClient(CloudWatchClient);
let s3: S3Double;
let influxdb: ScriptedServer;

beforeAll(async () => {
  s3 = await S3Double.start();
  influxdb = await ScriptedServer.start(({ path }) => ({ status: path.endsWith('/write') ? 204 : 200, body: '' }));
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_S3: s3.url,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    INFLUXDB_URL: influxdb.url,
    INFLUXDB_TOKEN: 'test-token',
    WORK_BUCKET: WORK,
    STATE_MACHINE_ARN: 'arn:aws:states:us-east-1:123456789012:stateMachine:BulkLoad',
    LOG_LEVEL: 'ERROR',
  });
  s3.put(BUCKET, KEY, fixtureBytes('codec-snappy'));
});
beforeEach(() => {
  executions.reset();
  metrics.reset();
  influxdb.requests.length = 0;
});
afterAll(async () => {
  await s3.stop();
  await influxdb.stop();
});

/** Passes `events/<event>.json` to the handler of the function. */
async function invoke<T>(name: string, event = name): Promise<T> {
  const { handler } = (await import(`../../../functions/${name}/handler`)) as {
    handler: (event: unknown, context: Context) => Promise<T>;
  };
  const sample: unknown = (await import(`../../../events/${event}.json`)) as unknown;
  return await handler(JSON.parse(JSON.stringify((sample as { default: unknown }).default)), LAMBDA_CONTEXT);
}

const written = (): string[] =>
  influxdb.requests.flatMap(({ body }) => body.split('\n')).filter((line) => line.startsWith('generation_data,'));

describe('the workflow', () => {
  test('reads an export with its options', async () => {
    expect(await invoke<object>('detect-dataset', 'detect-dataset-export')).toMatchObject({
      loadId: 'plant-2025-11',
      source: {
        export: 's3://timestream-exports/plant/',
        options: { measureName: 'drop', dimensionsToFields: ['serial_number'], rename: { device: 'host' } },
      },
      dataset: null,
    });
  });

  test('detects, checks, plans, loads and summarizes', async () => {
    const sampleLoad: unknown = (await import('../../../events/check-influxdb.json')).default;
    expect(await invoke('detect-dataset')).toEqual(sampleLoad);
    expect(await invoke('check-influxdb')).toMatchObject({ healthy: true, engine: 'v2' });

    const plan = await invoke<PlanResult>('plan-load');
    const planKey = `loads/${LOAD_ID}/plan-0.jsonl`;
    expect(plan).toMatchObject({ plan: { bucket: WORK, key: planKey }, items: 1, files: 1, rows: 300, unplanned: 0 });
    const { item } = (await import('../../../events/load-batch.json')).default;
    expect(s3.lines(WORK, planKey)).toEqual([item]);

    const result = await invoke<ItemResult>('load-batch');
    expect(result).toMatchObject({ statusCode: 200, sourceRecords: 300, pointsWritten: 300, invalidRecords: {} });
    expect(written()).toHaveLength(300);
    expect(metrics.commandCalls(PutMetricDataCommand)).toHaveLength(1);

    const folder = `loads/${LOAD_ID}/results-0/2a7ff50d`;
    const child = {
      Input: JSON.stringify({ loadId: LOAD_ID, item }),
      Output: JSON.stringify(result),
      Status: 'SUCCEEDED',
    };
    s3.put(WORK, `${folder}/SUCCEEDED_0.json`, JSON.stringify([child]));
    const ResultFiles = { SUCCEEDED: [{ Key: `${folder}/SUCCEEDED_0.json` }], FAILED: [], PENDING: [] };
    s3.put(WORK, `${folder}/manifest.json`, JSON.stringify({ DestinationBucket: WORK, MapRunArn: 'arn', ResultFiles }));
    const summary = await invoke<Summary>('summarize-load');
    expect(summary).toMatchObject({ statusCode: 200, points_written: 300, files: 1, items: 1, withinTolerance: true });

    executions.on(DescribeExecutionCommand).resolves({ status: 'SUCCEEDED', input: '{}', startDate: new Date(0) });
    executions.on(ListMapRunsCommand).resolves({ mapRuns: [] });
    const described = await invoke<{ statusCode: number; body: string }>('describe-load');
    expect(described.statusCode).toBe(200);
    expect(JSON.parse(described.body)).toMatchObject({
      loadId: LOAD_ID,
      state: 'SUCCEEDED',
      progress: { points: 300 },
      summary,
    });
  });
});

describe('the API', () => {
  test('starts a load', async () => {
    executions.on(StartExecutionCommand).resolves({});
    const response = await invoke<{ statusCode: number; body: string }>('start-load');
    expect(response.statusCode).toBe(202);
    const [call] = executions.commandCalls(StartExecutionCommand);
    expect(JSON.parse(response.body)).toEqual({ loadId: call?.args[0].input.name, state: 'RUNNING' });
  });

  test('reports whether InfluxDB can be written to', async () => {
    const response = await invoke<{ statusCode: number; body: string }>('check-influxdb', 'check-influxdb-api');
    expect(response.statusCode).toBe(200);
    expect(JSON.parse(response.body)).toMatchObject({ healthy: true });
  });
});

describe('a single object', () => {
  const data = { points_written: 300, source_records: 300, failed_batches: 0, dataset_type: 'generation' };

  test.each([
    ['load-object', { statusCode: 200, data }],
    ['load-object-s3', [{ statusCode: 200, data }]],
    ['load-object-sns', [{ statusCode: 200, data }]],
    ['load-object-eventbridge', [{ statusCode: 200, data }]],
    ['load-object-sqs', { batchItemFailures: [] }],
  ])('of events/%s.json is loaded', async (event, expected) => {
    expect(await invoke('load-object', event)).toMatchObject(expected);
    expect(written()).toHaveLength(300);
    expect(metrics.commandCalls(PutMetricDataCommand)).toHaveLength(1);
  });

  test('of an API request gets a response in the format of API Gateway', async () => {
    const response = await invoke<{ statusCode: number; body: string }>('load-object', 'load-object-api');
    expect(response).toMatchObject({ statusCode: 200, isBase64Encoded: false });
    expect(JSON.parse(response.body)).toMatchObject({ data });
  });
});
