/** The loader's functions and the layer, built by `sam build`, outside of the repository, each with its sample event. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LambdaRuntime } from '../support/lambda-runtime';
import { fixtureBytes } from '../support/loader';
import { S3Double } from '../support/s3-double';
import { ScriptedServer } from '../support/scripted-server';

const ROOT = path.resolve(__dirname, '../..');
const BUILD = path.join(ROOT, '.aws-sam/build');
const WORK = 'loader-work';
const readEvent = (name: string) => JSON.parse(readFileSync(path.join(ROOT, 'events', `${name}.json`), 'utf8'));

/** Names used in the samples. */
const BUCKET = 'energy-data';
const KEY =
  'dataset=generation/year=2024/month=01/processing_metadata_processed_at=2026-11-21 23:29:56.328731/' +
  '6f1ed002ab5595859014ebf0951522d9.snappy.parquet';

if (existsSync(path.join(BUILD, 'LoadBatchFunction'))) {
  let s3: S3Double;
  let influxdb: ScriptedServer;
  let states: ScriptedServer;
  let cloudwatch: ScriptedServer;
  const folders: string[] = [];

  beforeAll(async () => {
    s3 = await S3Double.start();
    s3.put(BUCKET, KEY, fixtureBytes('codec-snappy'));
    influxdb = await ScriptedServer.start(({ path: url }) => ({
      status: url.endsWith('/write') ? 204 : 200,
      body: '',
    }));
    states = await ScriptedServer.start(({ headers }) => ({
      status: 200,
      body: String(headers['x-amz-target']).endsWith('DescribeExecution')
        ? '{"status":"RUNNING","input":"{}","startDate":0}'
        : '{"executionArn":"arn:aws:states:us-east-1:123456789012:execution:BulkLoad:x","startDate":0}',
    }));
    cloudwatch = await ScriptedServer.start(() => ({ status: 200, body: '{}' }));
  });
  afterAll(async () => {
    await Promise.all([s3.stop(), influxdb.stop(), states.stop(), cloudwatch.stop()]);
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    influxdb.requests.length = 0;
  });

  /** Sends the event to the built function, in a process that has only the function and the layer. */
  async function invoke(build: string, event: unknown): Promise<unknown> {
    const folder = mkdtempSync(path.join(tmpdir(), 'lambda-'));
    folders.push(folder);
    cpSync(path.join(BUILD, build), path.join(folder, 'task'), { recursive: true });
    cpSync(path.join(BUILD, 'SharedLayer'), path.join(folder, 'opt'), { recursive: true });
    const environment = {
      AWS_ENDPOINT_URL_S3: s3.url,
      AWS_ENDPOINT_URL_SFN: states.url,
      AWS_ENDPOINT_URL_CLOUDWATCH: cloudwatch.url,
      INFLUXDB_URL: influxdb.url,
      INFLUXDB_TOKEN: 'test-token',
      WORK_BUCKET: WORK,
      STATE_MACHINE_ARN: 'arn:aws:states:us-east-1:123456789012:stateMachine:BulkLoad',
    };
    const runtime = await LambdaRuntime.start({ folder, handler: 'handler.handler', environment });
    try {
      const outcome = await runtime.invoke(event);
      if ('error' in outcome) throw new Error(`${outcome.error.errorType}: ${outcome.error.errorMessage}`);
      return outcome.result;
    } finally {
      await runtime.stop();
    }
  }

  const written = (): number =>
    influxdb.requests.flatMap(({ body }) => body.split('\n')).filter((line) => line.startsWith('generation_data,'))
      .length;

  test('detect-dataset returns the load that the next steps receive', async () => {
    expect(await invoke('DetectDatasetFunction', readEvent('detect-dataset'))).toEqual(readEvent('check-influxdb'));
  });

  test('check-influxdb reports the health of InfluxDB', async () => {
    expect(await invoke('CheckInfluxDBFunction', readEvent('check-influxdb'))).toMatchObject({ healthy: true });
    const response = await invoke('CheckInfluxDBFunction', readEvent('check-influxdb-api'));
    expect(response).toMatchObject({ statusCode: 200 });
  });

  test('plan-load plans, load-batch loads its sample item, and summarize-load writes the summary', async () => {
    expect(await invoke('PlanLoadFunction', readEvent('plan-load'))).toMatchObject({
      items: 1,
      rows: 300,
      unplanned: 0,
    });
    const result = await invoke('LoadBatchFunction', readEvent('load-batch'));
    expect(result).toMatchObject({ statusCode: 200, sourceRecords: 300, pointsWritten: 300 });
    expect(written()).toBe(300);

    // The files of the map's ResultWriter.
    const { loadId, item } = readEvent('load-batch') as { loadId: string; item: unknown };
    const folder = `loads/${loadId}/results-0/2a7ff50d`;
    const child = { Input: JSON.stringify({ loadId, item }), Output: JSON.stringify(result), Status: 'SUCCEEDED' };
    s3.put(WORK, `${folder}/SUCCEEDED_0.json`, JSON.stringify([child]));
    const ResultFiles = { SUCCEEDED: [{ Key: `${folder}/SUCCEEDED_0.json` }], FAILED: [], PENDING: [] };
    s3.put(WORK, `${folder}/manifest.json`, JSON.stringify({ DestinationBucket: WORK, MapRunArn: 'arn', ResultFiles }));
    const summary = await invoke('SummarizeLoadFunction', readEvent('summarize-load'));
    expect(summary).toMatchObject({ statusCode: 200, points_written: 300, withinTolerance: true });
  });

  test.each(['load-object', 'load-object-s3', 'load-object-eventbridge', 'load-object-sqs', 'load-object-api'])(
    'load-object loads the object of events/%s.json',
    async (event) => {
      await invoke('LoadObjectFunction', readEvent(event));
      expect(written()).toBe(300);
    },
  );

  test('start-load and describe-load serve the API', async () => {
    expect(await invoke('StartLoadFunction', readEvent('start-load'))).toMatchObject({ statusCode: 202 });
    const response = (await invoke('DescribeLoadFunction', readEvent('describe-load'))) as { statusCode: number };
    expect(response).toMatchObject({ statusCode: 200 });
  });
} else {
  test.skip('the built loader: .aws-sam/build is missing (run npm run build)', () => undefined);
}
