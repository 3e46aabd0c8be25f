/** The sample events of a migration, each passed to its handler, in the order of the workflow. S3 and InfluxDB respond over HTTP. */
import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { Context } from 'aws-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import { loadWindowSchema, reportOutputSchema } from 'shared/migration/steps';
import { windowKey } from 'shared/migration/work-keys';
import type { UnloadDestination } from '../../../local/timestream/unload/destination';
import { migrationStateSchema } from '../../../schemas/migrations-api';
import { LAMBDA_CONTEXT } from '../../support/lambda-context';
import { multi } from '../../support/migration';
import { S3Double } from '../../support/s3-double';
import { ScriptedServer } from '../../support/scripted-server';
import { DATABASE, type Harness, makeTable, NOW, startHarness, writeRecords } from '../timestream/harness';

const WORK = 'loader-work';
const ID = 'plant-2024';
const ARN = 'arn:aws:states:us-east-1:123456789012:stateMachine:Migrate';
const ROWS = 40;

const executions = mockClient(SFNClient);
const metrics = mockClient(CloudWatchClient);
let s3: S3Double;
let influxdb: ScriptedServer;
let timestream: Harness;

/** The double has neither ACLs nor multipart uploads. */
const intoDouble: UnloadDestination = {
  assertUsable: () => Promise.resolve(),
  create: (bucket, key) => {
    const parts: Uint8Array[] = [];
    return Promise.resolve({
      write: (bytes) => Promise.resolve(void parts.push(Buffer.from(bytes))),
      close: () => Promise.resolve(void s3.put(bucket, key, Buffer.concat(parts))),
    });
  },
};

beforeAll(async () => {
  s3 = await S3Double.start();
  // An empty bucket: every count at the target differs.
  influxdb = await ScriptedServer.start(() => ({ status: 200, body: '' }));
  timestream = await startHarness({
    unload: { destination: intoDouble, intervalMs: 0, waitMs: 20 },
  });
  await makeTable(timestream, {
    TableName: 'machines',
    RetentionProperties: { MemoryStoreRetentionPeriodInHours: 8_766, MagneticStoreRetentionPeriodInDays: 73_000 },
  });
  const end = BigInt(NOW) * 1_000_000n;
  const rows = Array.from({ length: ROWS }, (_, n) =>
    multi({ device: `d${n % 3}` }, { count: ['BIGINT', String(n)] }, end - BigInt(n + 1) * 60_000_000_000n),
  );
  await writeRecords(timestream, 'machines', rows);
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_S3: s3.url,
    AWS_ENDPOINT_URL_TIMESTREAM_QUERY: timestream.server.url,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    INFLUXDB_URL: influxdb.url,
    INFLUXDB_TOKEN: 'test-token',
    WORK_BUCKET: WORK,
    MIGRATION_DATABASE: DATABASE,
    MIGRATION_EXPORT: `s3://${WORK}/exports/`,
    STATE_MACHINE_ARN: ARN,
    LOG_LEVEL: 'ERROR',
  });
});
beforeEach(() => {
  executions.reset();
  metrics.reset();
});
afterAll(async () => {
  await s3.stop();
  await influxdb.stop();
  await timestream.close();
});

/** Passes `events/<name>.json` to the handler of the function. */
async function invoke<T>(name: string, changes: object = {}): Promise<T> {
  const { handler } = (await import(`../../../functions/${name}/handler`)) as {
    handler: (event: unknown, context: Context) => Promise<T>;
  };
  const sample = (await import(`../../../events/${name}.json`)) as { default: object };
  return await handler({ ...(JSON.parse(JSON.stringify(sample.default)) as object), ...changes }, LAMBDA_CONTEXT);
}

const exportedFiles = (): string[] => [...s3.objects.keys()].filter((key) => key.includes('/exports/')).sort();

interface Response {
  readonly statusCode: number;
  readonly body: string;
}

async function described(status: 'RUNNING' | 'FAILED') {
  executions.on(DescribeExecutionCommand).resolves({ status, input: '{}', startDate: new Date(0) });
  const response = await invoke<Response>('describe-migration');
  expect(response.statusCode).toBe(200);
  return migrationStateSchema.parse(JSON.parse(response.body));
}

test('surveys, exports, lists, records, verifies and reports', async () => {
  expect(await invoke('survey')).toMatchObject({ migrationId: ID, done: true, next: 'Export', windows: 1, rows: ROWS });
  expect(await invoke('export')).toMatchObject({ done: true, exported: 1, failed: 0, rows: ROWS });
  // A step that is retried after its end exports nothing again.
  const files = exportedFiles();
  expect(files.length).toBeGreaterThan(2);
  expect(await invoke('survey')).toMatchObject({ done: true, next: 'Export', windows: 1 });
  expect(await invoke('export')).toMatchObject({ done: true, exported: 1, rows: ROWS });
  expect(exportedFiles()).toEqual(files);
  expect(await described('RUNNING')).toMatchObject({
    progress: { windows: 1, exported: 1, loaded: 0, verified: 0, rows: ROWS },
    result: null,
  });

  expect(await invoke('load')).toMatchObject({ tables: { bucket: WORK }, count: 1 });
  const [table] = s3.lines(WORK, `migrations/${ID}/loads.jsonl`) as { windows: { key: string } }[];
  const [line] = s3.lines(WORK, table?.windows.key ?? '');
  const { table: name, window, input } = loadWindowSchema.parse(line);
  const sample = (await import('../../../events/record-load.json')).default;
  expect({ name, window }).toEqual({ name: sample.table, window: sample.window });
  expect(input).toMatchObject({ export: expect.stringMatching(`^s3://${WORK}/exports/`) });

  // The nested load ended without a summary.
  const cause = JSON.stringify({ Error: 'InfluxDBConnectionError', Cause: '{"errorMessage":"connection refused"}' });
  const recorded = await invoke('record-load', { error: { error: 'States.TaskFailed', cause } });
  expect(recorded).toEqual({ table: name, window, complete: false });
  const [from = '', to = ''] = window.split('-');
  expect(s3.lines(WORK, windowKey(ID, name, { from, to }))).toMatchObject([
    { state: 'exported', loaded: { complete: false, causes: ['InfluxDBConnectionError: connection refused'] } },
  ]);

  expect(await invoke('verify')).toMatchObject({ done: true, windows: 1, differing: 1 });
  const report = reportOutputSchema.parse(await invoke('report'));
  expect(report).toMatchObject({ migrationId: ID, status: 'failed' });
  const [call] = metrics.commandCalls(PutMetricDataCommand);
  expect(
    Object.fromEntries((call?.args[0].input.MetricData ?? []).map(({ MetricName, Value }) => [MetricName, Value])),
  ).toEqual({
    ...{ MigrationsFailed: 1, WindowsExported: 1, WindowsFailed: 0, WindowsDiffering: 1 },
    ...{ RowsExported: ROWS, PointsVerified: 0 },
  });
  expect(await described('FAILED')).toMatchObject({
    state: 'FAILED',
    progress: { verified: 1, differing: 1 },
    result: { status: 'failed', report: report.report, page: report.page },
  });
});

test('a nested load with a summary is recorded by it, and its window is complete', async () => {
  const totals = { ...{ rows: ROWS, points: ROWS, empty: 0, invalid: 0 }, ...{ points_written: ROWS } };
  const { loadId } = (await import('../../../events/record-load.json')).default;
  const sums = {
    ...{ source_records: ROWS, points_written: ROWS, batches_processed: 1, failed_batches: 0, failed_points: 0 },
    ...{ rejected_points: 0, invalid_records: {}, rejected_reasons: {}, duplicates: 0, warnings: {} },
    ...{ earliest: null, latest: null },
  };
  const summary = {
    ...{ loadId, statusCode: 200, message: '', files: 1, ignored: 0, items: 1, failed_items: 0, causes: [] },
    ...{ ...sums, datasets: { machines: sums }, failedItems: null, fullyPlanned: true, summary: 's3://x/y' },
    ...{ withinTolerance: true },
    tables: {
      machines: {
        ...{ ...totals, rejected_points: 0, failed_points: 0, merged: 0 },
        ...{ queries: 1, files: 1, manifest_rows: ROWS, left_out: [], accounted: true },
      },
    },
  };
  s3.put(WORK, `loads/${loadId}/summary.json`, JSON.stringify(summary));
  expect(await invoke('record-load')).toMatchObject({ complete: true });
  expect(await described('RUNNING')).toMatchObject({ progress: { loaded: 1, verified: 0 } });
});

describe('POST /migrations', () => {
  test('starts one migration for each client token, without the token in its input', async () => {
    executions.on(StartExecutionCommand).resolves({});
    const response = await invoke<Response>('start-migration');
    expect(response.statusCode).toBe(202);
    const [call] = executions.commandCalls(StartExecutionCommand);
    const { name, input, stateMachineArn } = call?.args[0].input ?? {};
    expect(JSON.parse(response.body)).toEqual({ migrationId: name, state: 'RUNNING' });
    expect([stateMachineArn, JSON.parse(input ?? '')]).toEqual([ARN, { tables: ['machines'], verify: 'sums' }]);
    expect(name).toMatch(/^[0-9a-f]{64}$/);
  });

  test.each([
    ['{"verify":"often"}', 'verify'],
    ['{"unknown":1}', 'unknown'],
    ['{"resume":"../x"}', 'resume'],
    ['{"clientToken":""}', 'clientToken'],
    ['[]', 'expected object'],
  ])('returns 400 for %s, and starts nothing', async (body, named) => {
    const response = await invoke<Response>('start-migration', { body });
    expect(response.statusCode).toBe(400);
    expect((JSON.parse(response.body) as { message: string }).message).toContain(named);
    expect(executions.calls()).toEqual([]);
  });
});

test('GET /migrations/{id} returns 404 for an unknown id', async () => {
  executions.on(DescribeExecutionCommand).rejects(Object.assign(new Error(), { name: 'ExecutionDoesNotExist' }));
  expect(await invoke('describe-migration')).toMatchObject({ statusCode: 404 });
  expect(await invoke('describe-migration', { pathParameters: { id: 'a/b' } })).toMatchObject({ statusCode: 404 });
});
