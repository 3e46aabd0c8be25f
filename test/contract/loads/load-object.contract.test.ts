/** LoadObject: the response to each kind of sender, and no points of a file before it is validated. */

import { InfluxClient } from 'shared/influxdb/client';
import { checkHealth } from 'shared/influxdb/health';
import { staticToken } from 'shared/influxdb/token';
import type { ParquetReader } from 'shared/parquet/reader';
import { PARAMETER_ADVICE } from '../../../functions/clients/influxdb';
import { LoadMetrics } from '../../../functions/load-metrics';
import { type DispatchServices, dispatch } from '../../../functions/load-object/dispatch';
import { loadObject } from '../../../functions/load-object/load-object';
import { recordingLogger } from '../../support/influx-writing';
import { configOf, DATA, fixtureBytes, loadServices, never, parquetOf, testStore } from '../../support/loader';
import { testReader } from '../../support/parquet';
import { withFooter } from '../../support/parquet-footer';
import { type Answer, type ReceivedRequest, ScriptedServer } from '../../support/scripted-server';
import { VirtualClock } from '../../support/virtual-clock';

const reader = testReader();
const s3 = testStore();
let writes: (request: ReceivedRequest) => Answer = () => ({ status: 204 });
let influxdb: ScriptedServer;

beforeAll(async () => {
  influxdb = await ScriptedServer.start((request) =>
    request.path.endsWith('/write') ? writes(request) : { status: 200 },
  );
});
beforeEach(() => {
  influxdb.requests.length = 0;
  writes = () => ({ status: 204 });
});
afterAll(() => influxdb.stop());

const lines = () => influxdb.requests.flatMap(({ body }) => body.split('\n')).filter((line) => line.includes('_data,'));
const put = (key: string, name = 'codec-snappy') => s3.store.put(DATA, key, fixtureBytes(name));

function send(
  event: unknown,
  environment: Record<string, string> = {},
  options: Partial<DispatchServices> = {},
): Promise<unknown> {
  const config = configOf(influxdb.url, environment);
  const influx = new InfluxClient(config.target, staticToken('test-token'), {});
  const base = loadServices({ objects: s3.objects, reader }, config, { clock: new VirtualClock(), influxdb: influx });
  const metrics = new LoadMetrics();
  const services = { ...base, metrics, loadId: 'object-1', checkHealth: () => checkHealth(influx, PARAMETER_ADVICE) };
  const logger = recordingLogger();
  return dispatch(event, {
    load: (request) => loadObject(request, services),
    logger,
    metrics,
    deadline: never,
    ...options,
  });
}

const record = (key: string, eventName = 'ObjectCreated:Put') => ({
  eventSource: 'aws:s3',
  eventName,
  s3: {
    bucket: { name: DATA },
    object: { key: encodeURIComponent(key).replaceAll('%20', '+').replaceAll('%2F', '/') },
  },
});
const message = (messageId: string, body: unknown) => ({
  messageId,
  eventSource: 'aws:sqs',
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const request = (body: unknown, isBase64Encoded = false) => ({
  httpMethod: 'POST',
  requestContext: {},
  body: isBase64Encoded ? Buffer.from(JSON.stringify(body)).toString('base64') : JSON.stringify(body),
  isBase64Encoded,
});
const REAL = 'dataset=generation/processed_at=2026-11-21 23:29:56.328731/a+b é.snappy.parquet';

describe('a notification of S3', () => {
  test('loads every record, with its key decoded', async () => {
    put(REAL);
    put('generation/b.parquet', 'codec-gzip');
    expect(await send({ Records: [record(REAL), record('generation/b.parquet')] })).toMatchObject([
      { statusCode: 200, data: { points_written: 300, dataset_type: 'generation' } },
      { statusCode: 200, data: { points_written: 300 } },
    ]);
    expect(lines()).toHaveLength(600);
  });

  test('loads all rows of a file with an empty row group between two others', async () => {
    const file = withFooter(fixtureBytes('codec-snappy'), ({ row_groups: groups }) => {
      const [first] = groups;
      if (!first) throw new Error('the fixture has row groups');
      const columns = first.columns.map(({ meta_data: meta, ...column }) => ({
        ...column,
        ...(meta && { meta_data: { ...meta, num_values: 0n, total_compressed_size: 0n, total_uncompressed_size: 0n } }),
      }));
      groups.splice(1, 0, { ...first, columns, num_rows: 0n, total_byte_size: 0n });
    });
    s3.store.put(DATA, 'generation/gap.parquet', Buffer.from(file));
    expect(await send({ Records: [record('generation/gap.parquet')] })).toMatchObject([
      { statusCode: 200, data: { points_written: 300, source_records: 300 } },
    ]);
    expect(lines()).toHaveLength(300);
  });

  test('throws an error of a known type after it has loaded the other objects', async () => {
    put('generation/a.parquet');
    const Records = [record('generation/gone.parquet'), record('generation/a.parquet'), record('nameless.parquet')];
    put('nameless.parquet');
    await expect(send({ Records })).rejects.toMatchObject({
      name: 'DataConversionError',
      message: expect.stringMatching(
        /^2 of 3 objects were not loaded: .*gone.parquet: the object does not exist; .*nameless.parquet/,
      ),
    });
    expect(lines()).toHaveLength(300);
  });

  test('throws a retryable error if there is one', async () => {
    put('generation/a.parquet');
    writes = ({ body }) =>
      body ? { status: 422, body: '{"message":"partial write: type conflict dropped=1"}' } : { status: 204 };
    const Records = [record('generation/gone.parquet'), record('generation/a.parquet')];
    await expect(send({ Records })).rejects.toMatchObject({
      name: 'InfluxDBWriteError',
      message: expect.stringMatching(/^2 of 2 objects were not loaded: .*gone.parquet/),
    });
  });

  test('throws if only some points are stored', async () => {
    put('generation/a.parquet');
    let refused: string | undefined;
    writes = ({ body }) => {
      const lines = body.split('\n');
      if (body) refused ??= lines[0];
      return refused !== undefined && lines.includes(refused)
        ? { status: 422, body: '{"message":"partial write: type conflict dropped=1"}' }
        : { status: 204 };
    };
    await expect(send({ Records: [record('generation/a.parquet')] })).rejects.toMatchObject({
      name: 'InfluxDBWriteError',
      message: expect.stringContaining('299 points of 300 rows written; 1 points are not stored'),
    });
  });

  test('throws before it reads a row if InfluxDB is unavailable', async () => {
    put('generation/a.parquet');
    writes = () => ({ status: 503 });
    await expect(send({ Records: [record('generation/a.parquet')] })).rejects.toMatchObject({
      name: 'InfluxDBConnectionError',
    });
    expect(lines()).toEqual([]);
  });

  test.each([
    ['of a test', { Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: DATA }],
    ['of a removed object', { Records: [record('generation/a.parquet', 'ObjectRemoved:Delete')] }],
  ])('%s loads nothing', async (_, event) => {
    expect(await send(event)).toEqual([]);
    expect(s3.store.requests).toEqual([]);
  });

  test.each([
    ['a folder', 'dataset=generation/'],
    ['a marker', 'dataset=generation/_SUCCESS'],
    ['a temporary file of a running job', 'dataset=generation/_temporary/0/part-0.parquet'],
  ])('about %s is ignored, and the other objects are loaded', async (_, key) => {
    put('generation/a.parquet');
    put(key);
    expect(await send({ Records: [record(key), record('generation/a.parquet')] })).toHaveLength(1);
    expect(await send({ Records: [record(key)] })).toEqual([]);
    expect(await send({ Records: [message('m', { Records: [record(key)] })] })).toEqual({ batchItemFailures: [] });
    expect(lines()).toHaveLength(300);
  });

  test('with an invalid encoding of its key is rejected', async () => {
    const broken = { ...record('a'), s3: { bucket: { name: DATA }, object: { key: 'generation/100%.parquet' } } };
    await expect(send({ Records: [broken] })).rejects.toMatchObject({
      name: 'InvalidEventError',
      message: expect.stringContaining('100%'),
    });
  });
});

describe('a queue', () => {
  test('gets only the failed messages back', async () => {
    put('generation/a.parquet');
    put(REAL);
    const Records = [
      message('good', { Records: [record(REAL)] }),
      message('gone', { Records: [record('generation/a.parquet'), record('generation/gone.parquet')] }),
      message('text', 'no JSON'),
      message('direct', { bucket: DATA, key: 'generation/a.parquet' }),
      message('test', { Event: 's3:TestEvent' }),
    ];
    expect(await send({ Records })).toEqual({
      batchItemFailures: [{ itemIdentifier: 'gone' }, { itemIdentifier: 'text' }],
    });
  });

  const created = {
    'detail-type': 'Object Created',
    detail: { bucket: { name: DATA }, object: { key: 'generation/a.parquet' } },
  };
  const notification = { Records: [record('generation/a.parquet')] };
  const envelope = (event: object) => ({ Type: 'Notification', TopicArn: 'arn', Message: JSON.stringify(event) });

  test.each([
    ['SNS', envelope(notification)],
    ['SNS with raw delivery', notification],
    ['EventBridge', created],
    ['EventBridge and SNS', envelope(created)],
  ])('loads the objects of an event through %s', async (_, body) => {
    put('generation/a.parquet');
    expect(await send({ Records: [message('m', body)] })).toEqual({ batchItemFailures: [] });
    expect(lines()).toHaveLength(300);
  });

  test('ignores the test event of a topic, and gets other messages back', async () => {
    const Records = [
      message('test', envelope({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: DATA })),
      message('text', { Type: 'Notification', Message: 'Hello' }),
      message('other', envelope({ hello: 1 })),
    ];
    expect(await send({ Records })).toEqual({
      batchItemFailures: [{ itemIdentifier: 'text' }, { itemIdentifier: 'other' }],
    });
  });

  test('gets the messages back that were not started before the deadline', async () => {
    put('generation/a.parquet');
    const Records = [message('late', { Records: [record('generation/a.parquet')] })];
    const late = await send({ Records }, {}, { deadline: AbortSignal.abort() });
    expect(late).toEqual({ batchItemFailures: [{ itemIdentifier: 'late' }] });
    expect(influxdb.requests).toEqual([]);
  });
});

describe('a request through the API', () => {
  test.each([false, true])('returns the result (base64: %s)', async (isBase64Encoded) => {
    put('x.parquet');
    const response = await send(request({ bucket: DATA, key: 'x.parquet', dataset: 'generation' }, isBase64Encoded));
    expect(response).toMatchObject({ statusCode: 200, headers: { 'Content-Type': 'application/json; charset=utf-8' } });
    const { data } = JSON.parse((response as { body: string }).body) as { data: object };
    expect(data).toMatchObject({
      ...{
        points_written: 300,
        batches_processed: 1,
        failed_batches: 0,
        dataset_type: 'generation',
        source_records: 300,
      },
      ...{ processing_time_seconds: expect.any(Number), health_check: { healthy: true }, invalid_records: {} },
    });
  });

  test.each([
    ['invalid JSON', { ...request(''), body: '{' }, 400, 'InvalidEventError'],
    ['no body', { ...request(''), body: null }, 400, 'InvalidEventError'],
    ['an unknown parameter', request({ bucket: DATA, key: 'a', datset: 'x' }), 400, 'InvalidEventError'],
    [
      'an unknown dataset',
      request({ bucket: DATA, key: 'generation/a.parquet', dataset: 'x' }),
      400,
      'InvalidEventError',
    ],
    ['a missing object', request({ bucket: DATA, key: 'generation/gone.parquet' }), 400, 'DataConversionError'],
  ])('with %s returns an error', async (_, event, statusCode, error) => {
    put('generation/a.parquet');
    const response = (await send(event)) as { statusCode: number; body: string };
    expect(response.statusCode).toBe(statusCode);
    expect(JSON.parse(response.body)).toMatchObject({ error, message: expect.any(String) });
  });

  test.each([
    [503, 503, 'InfluxDBConnectionError'],
    [401, 500, 'InfluxDBWriteError'],
  ])('returns an error if InfluxDB returns %i', async (status, statusCode, error) => {
    put('generation/a.parquet');
    writes = () => ({ status });
    const response = (await send(request({ bucket: DATA, key: 'generation/a.parquet' }))) as { body: string };
    expect(response).toMatchObject({ statusCode });
    expect(JSON.parse(response.body)).toMatchObject({ error });
  });

  test.each(['inspect', 'survey'] as const)(
    'returns an error if the deadline passes in the %s of planning',
    async (step) => {
      put('generation/a.parquet');
      const abort = new AbortController();
      const waiting = (signal?: AbortSignal) =>
        new Promise<never>((_, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason));
          abort.abort();
        });
      const slow: Partial<ParquetReader> = {
        inspect: (...args: Parameters<typeof reader.inspect>) =>
          step === 'inspect' ? waiting(args[1]) : reader.inspect(...args),
        survey: (...[, , options]: Parameters<typeof reader.survey>) => waiting(options?.signal),
      };
      const config = configOf(influxdb.url);
      const base = loadServices({ objects: s3.objects, reader: slow as ParquetReader }, config, {
        deadline: abort.signal,
      });
      const checkHealth = () => Promise.reject(new Error('not reached'));
      const services = { ...base, metrics: new LoadMetrics(), loadId: 'object-1', checkHealth };
      await expect(loadObject({ bucket: DATA, key: 'generation/a.parquet' }, services)).rejects.toMatchObject({
        name: 'InfluxDBConnectionError',
        message: expect.stringContaining('s3://energy-data/generation/a.parquet: not planned within the timeout'),
      });
    },
  );

  test('returns 503 without internals when S3 is not available', async () => {
    s3.store.fail = () => 500;
    const response = (await send(request({ bucket: DATA, key: 'generation/a.parquet' }))) as { body: string };
    expect(response).toMatchObject({ statusCode: 503 });
    expect(JSON.parse(response.body)).toEqual({
      error: 'S3UnavailableError',
      message: 'S3 is not available: send the request again later',
    });
  });

  test('returns no details of an internal error', async () => {
    const load = () => Promise.reject(new Error(`no role for ${DATA}`));
    const response = (await send(request({ bucket: DATA, key: 'generation/a.parquet' }), {}, { load })) as {
      body: string;
    };
    expect(response).toMatchObject({ statusCode: 500 });
    expect(response.body).not.toContain(DATA);
  });
});

test('the health check stores no point', async () => {
  put('generation/a.parquet');
  await send({ bucket: DATA, key: 'generation/a.parquet' });
  const bodies = influxdb.requests.filter(({ path }) => path.endsWith('/write')).map(({ body }) => body);
  expect(bodies[0]).toBe('');
  for (const line of bodies.join('').trimEnd().split('\n')) expect(line).toMatch(/^generation_data,/);
});

describe('one object', () => {
  test('in a request is loaded whatever its name', async () => {
    put('generation/_temporary/.part-0');
    expect(await send({ bucket: DATA, key: 'generation/_temporary/.part-0' })).toMatchObject({ statusCode: 200 });
    expect(lines()).toHaveLength(300);
  });

  test('is loaded by {bucket, key}, and fails if nothing is stored', async () => {
    put('generation/a.parquet');
    expect(await send({ bucket: DATA, key: 'generation/a.parquet' })).toMatchObject({
      statusCode: 200,
      data: { points_written: 300 },
    });
    await expect(send({ bucket: DATA, key: 'generation/gone.parquet' })).rejects.toMatchObject({
      name: 'DataConversionError',
    });
  });

  test('without rows succeeds', async () => {
    put('generation/none.parquet', 'zero-rows');
    expect(await send({ bucket: DATA, key: 'generation/none.parquet' })).toMatchObject({
      statusCode: 200,
      data: { source_records: 0 },
    });
  });

  test('with an empty required column fails before a point is written', async () => {
    put('generation/null.parquet', 'null-column');
    await expect(send({ bucket: DATA, key: 'generation/null.parquet' })).rejects.toMatchObject({
      name: 'DataConversionError',
      message: expect.stringContaining('has no value in any row'),
    });
    expect(influxdb.requests).toEqual([]);
  });

  test('with an invalid row in its last row group fails before a point is written if rows may not be dropped', async () => {
    const bytes = await parquetOf(`
      SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 SECOND * i AS "timestamp", 'norte' AS region, 'MW' AS unit,
        CASE i WHEN 4999 THEN 'NaN'::DOUBLE ELSE i END AS "value", 'solar' AS energy_source, 'generation' AS measurement_type
      FROM range(5000) AS r(i)`);
    s3.store.put(DATA, 'generation/late.parquet', bytes);
    const event = { bucket: DATA, key: 'generation/late.parquet' };
    await expect(send(event, { DROP_INVALID_RECORDS: 'false' })).rejects.toMatchObject({
      name: 'DataConversionError',
      message: expect.stringMatching(/1 row with value nan \(row 4999.*nothing of it was written/),
    });
    expect(lines()).toEqual([]);
  });
});

test('rejects an unknown event and names the expected ones', async () => {
  await expect(send({ hello: 1 })).rejects.toMatchObject({
    name: 'InvalidEventError',
    message: expect.stringContaining('{bucket, key, dataset?}'),
  });
});
