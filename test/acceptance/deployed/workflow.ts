/** The deployed loader: files written by DuckDB, in the emulator's S3, into a real InfluxDB. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudWatchClient, ListMetricsCommand } from '@aws-sdk/client-cloudwatch';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  CreateBucketCommand,
  DeleteBucketPolicyCommand,
  GetObjectCommand,
  type NotificationConfiguration,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  ListExecutionsCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { CreateQueueCommand, GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Summary } from 'shared/loads/summary';
import { bundleProgram, runProgram } from '../../contract/cli/program';
import { BUCKET, Influxd, TOKEN } from '../../support/influxd';
import { duckdb, fixtureBytes } from '../../support/loader';
import { type MiniStack, STACK, until } from '../../support/ministack';
import type { Deployed } from './deployed';

const DATA = 'energy-files';
const FILES = 20;

/** @param deployed the running emulator */
export function describeWorkflow(deployed: () => Deployed, binary: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'bulk-load-'));
  let influxd: Influxd;
  let ministack: MiniStack;
  let s3: S3Client;
  let workflow: SFNClient;
  let objectQueue: string | undefined;

  beforeAll(async () => {
    ({ ministack } = deployed());
    influxd = await Influxd.start(binary);
    s3 = new S3Client(ministack.client);
    workflow = new SFNClient(ministack.client);
    await s3.send(new CreateBucketCommand({ Bucket: DATA }));
    const secrets = new SecretsManagerClient(ministack.client);
    await secrets.send(
      new CreateSecretCommand({ Name: 'influxdb/token', SecretString: JSON.stringify({ token: TOKEN }) }),
    );
    const sqs = new SQSClient(ministack.client);
    ({ QueueUrl: objectQueue } = await sqs.send(
      new CreateQueueCommand({ QueueName: 'new-objects', Attributes: { VisibilityTimeout: '901' } }),
    ));
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: objectQueue, AttributeNames: ['QueueArn'] }),
    );
    await deployed().deploy({
      InfluxDBUrl: influxd.url,
      InfluxDBTokenSecretName: 'influxdb/token',
      DataBucketName: DATA,
      ObjectQueueArn: Attributes?.QueueArn ?? '',
      // MiniStack reads the maximum concurrency of a mapping as text.
      LoaderReservedConcurrency: '',
    });
    // The policy refuses plain HTTP, and MiniStack has nothing else.
    await s3.send(new DeleteBucketPolicyCommand({ Bucket: ministack.output('WorkBucketName') }));
  });

  afterAll(async () => {
    await influxd?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Writes files of 1,000 rows each and uploads them below a prefix. Every fiftieth row has no value. */
  async function upload(dataset: string, prefix: string, files = FILES): Promise<string[]> {
    const extra = dataset === 'generation' ? 'energy_source' : 'consumer_type';
    const keys = Array.from({ length: files }, (_, index) => `${prefix}part-${String(index).padStart(2, '0')}.parquet`);
    for (const [index, key] of keys.entries()) {
      await duckdb(`
        COPY (
          SELECT TIMESTAMP '2024-01-01' + INTERVAL (i) MINUTE + INTERVAL ${index} DAY AS timestamp,
            ['norte', 'sul', 'sudeste'][1 + i % 3] AS region,
            CASE WHEN i % 50 = 0 THEN NULL ELSE i * 0.25 + ${index} END AS value,
            'MW' AS unit, 'hydro' AS ${extra}, 'hourly' AS measurement_type
          FROM range(1000) AS rows(i)
        ) TO '${fileOf(key)}' (FORMAT parquet)`);
      await put(key, readFileSync(fileOf(key)));
    }
    return keys;
  }

  const fileOf = (key: string): string => join(folder, key.replaceAll('/', '_'));
  const put = (Key: string, Body: Buffer) => s3.send(new PutObjectCommand({ Bucket: DATA, Key, Body }));

  async function getJson(uri: string): Promise<string> {
    const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri) ?? [];
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    return (await Body?.transformToString()) ?? '';
  }

  /** The number of rows in uploaded files, and of rows with a value, counted by DuckDB. */
  async function counted(keys: readonly string[]): Promise<{ rows: number; points: number }> {
    const files = keys.map((key) => `'${fileOf(key)}'`).join(', ');
    const [row] = await duckdb(`SELECT count(*) AS rows, count(value) AS points FROM read_parquet([${files}])`);
    return { rows: Number(row?.rows), points: Number(row?.points) };
  }

  /** The points of a measurement, counted by InfluxDB. */
  async function stored(measurement: string): Promise<number> {
    const [row] = await influxd.query(
      `from(bucket: "${BUCKET}") |> range(start: 2023-01-01T00:00:00Z)
        |> filter(fn: (r) => r._measurement == "${measurement}" and r._field == "power_mw") |> group() |> count()`,
    );
    return Number(row?._value ?? 0);
  }

  async function start(input: object): Promise<DescribeExecutionCommandOutput> {
    const stateMachineArn = ministack.output('BulkLoadStateMachineArn');
    const { executionArn = '' } = await workflow.send(
      // A small machine runs all functions.
      new StartExecutionCommand({ stateMachineArn, input: JSON.stringify({ maxConcurrency: 3, ...input }) }),
    );
    return await ended(executionArn);
  }

  const ended = (executionArn: string | undefined): Promise<DescribeExecutionCommandOutput> =>
    until(
      () => workflow.send(new DescribeExecutionCommand({ executionArn })),
      ({ status }) => status !== 'RUNNING',
    );

  async function executions(): Promise<string[]> {
    const stateMachineArn = ministack.output('BulkLoadStateMachineArn');
    const { executions = [] } = await workflow.send(new ListExecutionsCommand({ stateMachineArn }));
    return executions.map(({ executionArn = '' }) => executionArn);
  }

  const summaryOf = ({ output = 'null' }: DescribeExecutionCommandOutput): Summary => JSON.parse(output);

  test("a load of a prefix with 20 files ends with one summary, with DuckDB's counts", async () => {
    const keys = await upload('generation', 'all/dataset=generation/');
    const { rows, points } = await counted(keys);
    const execution = await start({ bucket: DATA, prefix: 'all/' });

    expect([execution.status, execution.cause]).toEqual(['SUCCEEDED', undefined]);
    const summary = summaryOf(execution);
    expect(summary).toMatchObject({
      statusCode: 200,
      loadId: execution.name,
      files: FILES,
      failed_items: 0,
      source_records: rows,
      points_written: points,
      invalid_records: { 'value missing': rows - points },
    });
    expect(JSON.parse(await getJson(summary.summary))).toEqual(summary);
    expect(await stored('generation_data')).toBe(points);
  });

  test('load --stack shows the counts of the map run and the summary that GET /loads/{id} reports', async () => {
    const keys = await upload('generation', 'command/dataset=generation/');
    const { rows, points } = await counted(keys);
    bundleProgram();
    const { code, out, err } = await runProgram(['load', `s3://${DATA}/command/`, '--stack', STACK], {
      env: ministack.variables,
    });
    expect([code, out.split('\n')[0]]).toEqual([
      0,
      expect.stringMatching(/^Stored [\d,]+ points of [\d,]+ rows in 20 files/),
    ]);
    expect(out.replaceAll(',', '')).toContain(`Stored ${points} points of ${rows} rows`);
    expect(err).toContain(`100% ${FILES} of ${FILES} items`);
    const [, id = ''] = /^Load (\S+) was started$/m.exec(err) ?? [];
    const response = await ministack.request('GET', `/loads/${id}`);
    // MiniStack denies DescribeMapRun to the function's role: it checks the policy against `*`, not the map run.
    expect(await response.json()).toMatchObject({ state: 'SUCCEEDED', progress: { points } });
  });

  describe('with a corrupt file', () => {
    const PREFIX = 'corrupt/dataset=consumption/';
    let keys: string[];
    let corrupt: string;

    beforeAll(async () => {
      keys = await upload('consumption', PREFIX);
      corrupt = keys[7] ?? '';
      const bytes = readFileSync(fileOf(corrupt));
      await put(corrupt, Buffer.concat([bytes.subarray(0, 4), Buffer.alloc(2000, 0xff), bytes.subarray(2004)]));
    });

    test('within the tolerance, the summary names it', async () => {
      const { rows, points } = await counted(keys.filter((key) => key !== corrupt));
      const execution = await start({ bucket: DATA, prefix: PREFIX, toleratedFailurePercentage: 10 });

      expect([execution.status, execution.cause]).toEqual(['SUCCEEDED', undefined]);
      const summary = summaryOf(execution);
      expect(summary).toMatchObject({
        statusCode: 207,
        items: FILES,
        failed_items: 1,
        source_records: rows,
        points_written: points,
        causes: [{ error: 'DataConversionError', items: 1, objects: [`s3://${DATA}/${corrupt}`] }],
      });
      expect(await getJson(summary.failedItems ?? '')).toContain(corrupt);
    });

    test('beyond the tolerance the load fails with that cause; after the file is fixed, only the failed items are loaded', async () => {
      const others = await counted(keys.filter((key) => key !== corrupt));
      const failed = await start({ bucket: DATA, prefix: PREFIX });
      expect(failed).toMatchObject({ status: 'FAILED', error: 'LoadIncomplete' });
      expect(failed.cause).toContain(`DataConversionError: s3://${DATA}/${corrupt}: `);
      expect(await stored('consumption_data')).toBe(others.points);

      await put(corrupt, readFileSync(fileOf(corrupt)));
      const plan = `s3://${ministack.output('WorkBucketName')}/loads/${failed.name}/failed-items.jsonl`;
      const repeated = await start({ plan });
      const missing = await counted([corrupt]);
      expect([repeated.status, repeated.cause]).toEqual(['SUCCEEDED', undefined]);
      expect(summaryOf(repeated)).toMatchObject({
        statusCode: 200,
        files: 1,
        source_records: missing.rows,
        points_written: missing.points,
      });
      expect(await stored('consumption_data')).toBe(others.points + missing.points);
    });
  });

  test('an error before the first item is the cause of the load', async () => {
    expect(await start({ bucket: DATA, prefix: 'nothing/' })).toMatchObject({
      status: 'FAILED',
      error: 'InvalidEventError',
      cause: `no Parquet file under s3://${DATA}/nothing/`,
    });
    expect(await start({ bucket: DATA })).toMatchObject({
      status: 'FAILED',
      error: 'InvalidEventError',
      cause: expect.stringContaining('the input must have {bucket, key}'),
    });
  });

  test('a new object in the data bucket starts a load', async () => {
    const [key = ''] = await upload('generation', 'before/generation/', 1);
    const { points } = await counted([key]);
    const notify = (NotificationConfiguration: NotificationConfiguration) =>
      s3.send(new PutBucketNotificationConfigurationCommand({ Bucket: DATA, NotificationConfiguration }));
    const before = new Set(await executions());

    await notify({ EventBridgeConfiguration: {} });
    await put('created/dataset=generation/new one.parquet', readFileSync(fileOf(key)));
    await put('created/dataset=generation/_SUCCESS', Buffer.alloc(0));
    const [executionArn, ...others] = await until(
      async () => (await executions()).filter((arn) => !before.has(arn)),
      ({ length }) => length > 0,
    );
    await notify({});

    const execution = await ended(executionArn);
    expect([execution.status, execution.cause]).toEqual(['SUCCEEDED', undefined]);
    expect(summaryOf(execution)).toMatchObject({ statusCode: 200, points_written: points });
    expect(others).toEqual([]);
  });

  test('an object named by a notification in the object queue is loaded', async () => {
    const key = 'queued/transmission/a.parquet';
    const bytes = fixtureBytes('transmission-mw');
    writeFileSync(fileOf(key), bytes);
    await put(key, bytes);
    const notification = { eventName: 'ObjectCreated:Put', s3: { bucket: { name: DATA }, object: { key } } };
    const MessageBody = JSON.stringify({ Records: [notification] });
    await new SQSClient(ministack.client).send(new SendMessageCommand({ QueueUrl: objectQueue, MessageBody }));
    const { points } = await counted([key]);
    expect(points).toBeGreaterThan(0);
    await until(
      () => stored('transmission_data'),
      (count) => count === points,
    );
  });

  test('LoadObject loads the requested object in one invocation', async () => {
    const [key = ''] = await upload('generation', 'single/generation/', 1);
    const { rows, points } = await counted([key]);
    const FunctionName = ministack.output('LoadObjectFunctionArn');
    const Payload = JSON.stringify({ bucket: DATA, key });
    const invoked = await new LambdaClient(ministack.client).send(new InvokeCommand({ FunctionName, Payload }));
    expect(invoked.FunctionError).toBeUndefined();
    expect(JSON.parse(Buffer.from(invoked.Payload ?? []).toString())).toMatchObject({
      statusCode: 200,
      data: { points_written: points, source_records: rows },
    });
  });

  test('the metrics of loads are in their namespace', async () => {
    const cloudWatch = new CloudWatchClient(ministack.client);
    const { Metrics = [] } = await cloudWatch.send(new ListMetricsCommand({ Namespace: 'ONS/InfluxDB' }));
    expect(Metrics.map(({ MetricName }) => MetricName)).toEqual(
      expect.arrayContaining(['PointsWritten', 'SourceRecords']),
    );
  });

  describe('the API', () => {
    const post = (body: object): Promise<Response> => ministack.request('POST', '/loads', body);
    const get = async (path: string): Promise<{ status: number; body: Record<string, unknown> }> => {
      const response = await ministack.request('GET', path);
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    test('starts a load, shows its summary, and starts no load twice', async () => {
      const keys = await upload('generation', 'posted/generation/', 3);
      const body = { bucket: DATA, keys: keys.slice(0, 2), clientToken: 'posted-once' };
      const before = (await executions()).length;
      const started = await post(body);
      expect(started.status).toBe(202);
      const { loadId } = (await started.json()) as { loadId: string };

      const load = await until(
        () => get(`/loads/${loadId}`),
        ({ body: { state } }) => state !== 'RUNNING',
      );
      expect(load).toMatchObject({
        status: 200,
        body: { loadId, state: 'SUCCEEDED', input: body, summary: { statusCode: 200, files: 2 } },
      });

      const again = await post(body);
      expect([again.status, await again.json()]).toEqual([202, expect.objectContaining({ loadId })]);
      expect((await post({ ...body, keys })).status).toBe(409);
      expect(await executions()).toHaveLength(before + 1);
    });

    test('reports the health of InfluxDB, an unknown load and an invalid input', async () => {
      expect(await get('/loads/health')).toMatchObject({ status: 200, body: { healthy: true, engine: 'v2' } });
      expect((await get('/loads/no-such-load')).status).toBe(404);
      expect((await post({ bucket: DATA })).status).toBe(400);
    });
  });

  test('if InfluxDB is down, the load fails with that cause after several attempts', async () => {
    await influxd.kill();
    expect(await start({ bucket: DATA, prefix: 'all/' })).toMatchObject({
      status: 'FAILED',
      error: 'InfluxDBConnectionError',
      cause: expect.stringContaining('InfluxDB cannot be written to: '),
    });
    await influxd.restart();
  });

  test('the rule for failed loads matches events of failed loads only, and not of loads of a migration', async () => {
    const stateMachineArn = ministack.output('BulkLoadStateMachineArn');
    const matches = async (status: string, arn: string, name = 'nightly'): Promise<unknown> => {
      const event = {
        id: 'e',
        account: '000000000000',
        region: 'us-east-1',
        time: '2026-01-01T00:00:00Z',
        resources: [arn],
        source: 'aws.states',
        'detail-type': 'Step Functions Execution Status Change',
        detail: { stateMachineArn: arn, name, status, input: '{}', cause: 'why' },
      };
      const { Rules } = (await ministack.eventBridge('ListRules', {})) as { Rules: { EventPattern: string }[] };
      const results = Rules.filter(({ EventPattern }) => EventPattern.includes('aws.states')).map((rule) =>
        ministack.eventBridge('TestEventPattern', { EventPattern: rule.EventPattern, Event: JSON.stringify(event) }),
      );
      return (await Promise.all(results)).map(({ Result }) => Result);
    };
    expect(await matches('FAILED', stateMachineArn)).toEqual([true]);
    expect(await matches('ABORTED', stateMachineArn)).toEqual([true]);
    expect(await matches('FAILED', stateMachineArn, 'migration-5c8e5a43')).toEqual([false]);
    expect(await matches('SUCCEEDED', stateMachineArn)).toEqual([false]);
    expect(await matches('FAILED', `${stateMachineArn}/LoadBatches`)).toEqual([false]);
  });
}
