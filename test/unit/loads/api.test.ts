/** The functions of the loader's API, with hand-written responses of Step Functions. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  DescribeExecutionCommand,
  DescribeMapRunCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  ListMapRunsCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { BUILT_IN_MAPPINGS } from 'shared/datasets/built-in';
import { S3UnavailableError } from 'shared/errors';
import { savePointCounts } from 'shared/loads/load-progress';
import { executionsOf } from '../../../functions/clients/step-functions';
import { describeLoad } from '../../../functions/describe-load/describe-load';
import { type ApiResponse, apiHandler } from '../../../functions/http';
import { MAX_INPUT_BYTES } from '../../../functions/start-execution';
import { startLoad } from '../../../functions/start-load/start-load';
import { recordingLogger } from '../../support/influx-writing';

const MACHINE = 'arn:aws:states:us-east-1:123456789012:stateMachine:BulkLoad';
const sfn = mockClient(SFNClient);
const executions = executionsOf(MACHINE, new SFNClient({ region: 'us-east-1' }));
beforeEach(() => sfn.reset());

const bodyOf = ({ body }: ApiResponse) => JSON.parse(body) as Record<string, unknown>;
const gone = new ExecutionDoesNotExist({ $metadata: {}, message: 'no' });
const exists = new ExecutionAlreadyExists({ $metadata: {}, message: 'yes' });

describe('POST /loads', () => {
  const logger = recordingLogger();
  const handle = apiHandler(logger, (event) => startLoad(event, { executions, mappings: BUILT_IN_MAPPINGS }));
  const post = (body: unknown, isBase64Encoded = false): Promise<ApiResponse> => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const sent = isBase64Encoded ? Buffer.from(text).toString('base64') : text;
    return handle({ httpMethod: 'POST', requestContext: {}, body: sent, isBase64Encoded });
  };
  const input = { bucket: 'b', prefix: 'p/', clientToken: 'nightly' };
  const id = createHash('sha256').update('nightly').digest('hex');

  test.each([
    ['unknown names', Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [`name${n}`, n]))],
    ['empty keys', { bucket: 'b', keys: Array.from({ length: 10_000 }, () => '') }],
    ['a long dataset', { bucket: 'b', prefix: 'p/', dataset: 'x'.repeat(1_000_000) }],
    ['invalid JSON', 'x'.repeat(1_000_000)],
  ])('returns a short error for %s in a large input', async (_, body) => {
    const response = await post(body);
    expect(response.statusCode).toBe(400);
    expect(response.body.length).toBeLessThan(5_000);
  });

  test.each([false, true])('names the execution after the hash of the token (base64: %s)', async (isBase64Encoded) => {
    sfn.on(StartExecutionCommand).resolves({});
    const response = await post(input, isBase64Encoded);
    expect(response.statusCode).toBe(202);
    expect(bodyOf(response)).toEqual({ loadId: id, state: 'RUNNING' });
    const [call] = sfn.commandCalls(StartExecutionCommand);
    expect(call?.args[0].input).toMatchObject({ stateMachineArn: MACHINE, name: id });
    expect(JSON.parse(call?.args[0].input.input ?? '')).toEqual(input);
  });

  test.each([{ key: 'generation/a.parquet' }, { prefix: 'in/' }, { keys: ['a'] }])(
    'accepts an access point as the bucket, with %j',
    async (source) => {
      sfn.on(StartExecutionCommand).resolves({});
      const bucket = 'arn:aws:s3:us-east-1:123456789012:accesspoint/ap';
      expect(await post({ bucket, ...source })).toMatchObject({ statusCode: 202 });
    },
  );

  test('starts a new execution for each request without a token', async () => {
    sfn.on(StartExecutionCommand).resolves({});
    const ids = [
      bodyOf(await post({ bucket: 'b', prefix: 'p/' })).loadId,
      bodyOf(await post({ bucket: 'b', prefix: 'p/' })).loadId,
    ];
    expect(new Set(ids).size).toBe(2);
  });

  test('returns the same load for a repeated token, also if the input is formatted differently', async () => {
    sfn.on(StartExecutionCommand).rejects(exists);
    sfn
      .on(DescribeExecutionCommand)
      .resolves({ status: 'FAILED', input: JSON.stringify({ clientToken: 'nightly', prefix: 'p/', bucket: 'b' }) });
    const response = await post(input);
    expect(response.statusCode).toBe(202);
    expect(bodyOf(response)).toEqual({ loadId: id, state: 'FAILED' });
  });

  test('returns 409 for a used token with another input', async () => {
    sfn.on(StartExecutionCommand).rejects(exists);
    sfn.on(DescribeExecutionCommand).resolves({ input: JSON.stringify({ ...input, prefix: 'other/' }) });
    expect(await post(input)).toMatchObject({ statusCode: 409 });
  });

  test('returns 503 for a used token whose execution cannot be found', async () => {
    sfn.on(StartExecutionCommand).rejects(exists);
    sfn.on(DescribeExecutionCommand).rejects(gone);
    const response = await post(input);
    expect(response.statusCode).toBe(503);
    expect(bodyOf(response)).toMatchObject({ loadId: id, message: expect.stringContaining('send the request again') });
  });

  test.each([
    ['invalid JSON', '{', /not valid JSON/],
    ['an array', [], /must be a JSON object/],
    ['an empty object', {}, /\{bucket, key\}, \{bucket, prefix\}, \{bucket, keys\}, \{plan\} or \{export, options\}/],
    ['two sources', { bucket: 'b', key: 'k', prefix: 'p' }, /must have/],
    ['an empty key', { bucket: 'b', key: '' }, /key: must not be empty/],
    ['an empty prefix', { bucket: 'b', prefix: '' }, /prefix: must not be empty/],
    ['no keys', { bucket: 'b', keys: [] }, /keys: must name a key/],
    [
      'a path as the bucket',
      { bucket: 'a/b', key: 'generation/k' },
      /bucket: must be the name of a bucket, or the ARN or alias of an access point/,
    ],
    ['a plan that is not an S3 address', { plan: 'failed-items.jsonl' }, /not an s3:\/\/bucket\/key/],
    [
      'a tolerance above 100',
      { bucket: 'b', prefix: 'p', toleratedFailurePercentage: 101 },
      /toleratedFailurePercentage/,
    ],
    ['a concurrency of 0', { bucket: 'b', prefix: 'p', maxConcurrency: 0 }, /maxConcurrency/],
    ['an empty token', { bucket: 'b', prefix: 'p', clientToken: '' }, /clientToken: must not be empty/],
    ['an unknown dataset', { bucket: 'b', prefix: 'p', dataset: 'x' }, /unknown dataset 'x'/],
    ['a key without a dataset', { bucket: 'b', key: 'x.parquet' }, /cannot tell the dataset/],
    ['a misspelt option', { bucket: 'b', prefix: 'p', maxConcurency: 1 }, /it has bucket, maxConcurency, prefix/],
  ])('rejects %s', async (_, body, message) => {
    const response = await post(body);
    expect(response.statusCode).toBe(400);
    expect(bodyOf(response).message).toMatch(message);
    expect(sfn.calls()).toHaveLength(0);
  });

  test.each([
    ['is started', 0, 202],
    ['returns 413 when it is too large for an execution', 1, 413],
  ])('a list of keys %s', async (_, more, statusCode) => {
    sfn.on(StartExecutionCommand).resolves({});
    const sized = (length: number) => ({
      bucket: 'b',
      keys: ['x'.repeat(length), ...Array(740).fill('k'.repeat(350))],
    });
    // The limit of Step Functions, less the names and the id (up to 80 characters) that the first step adds.
    const added = JSON.stringify({ loadId: 'i'.repeat(80), input: '' }).length;
    expect(MAX_INPUT_BYTES + added).toBeLessThanOrEqual(262_144);
    const length = MAX_INPUT_BYTES - JSON.stringify(sized(0)).length;
    const response = await post(sized(length + more));
    expect(response.statusCode).toBe(statusCode);
    if (more > 0)
      expect(bodyOf(response)).toMatchObject({
        error: 'RequestTooLargeError',
        message: expect.stringContaining('261,632'),
      });
  });

  test.each(['docs/loader.md', 'docs/architecture-loader.md', 'docs/operations.md'])(
    '%s states the maximum size of an input',
    (page) => {
      const text = readFileSync(join(__dirname, '../../..', page), 'utf8');
      const said = [...text.matchAll(/(?:above|input of) ([\d,]+) bytes/g)].map(([, bytes]) => bytes);
      expect(new Set(said)).toEqual(new Set([MAX_INPUT_BYTES.toLocaleString('en-US')]));
    },
  );

  test('reports several problems at once', async () => {
    const response = await post({ bucket: 'b', prefix: 'p', dataset: '', maxConcurrency: 'x' });
    expect(bodyOf(response).message).toMatch(/dataset: .*; maxConcurrency: /);
  });

  test('returns no details of an internal error', async () => {
    sfn.on(StartExecutionCommand).rejects(new Error('User: arn:aws:iam::123456789012:role is not authorized'));
    const response = await post(input);
    expect(response.statusCode).toBe(500);
    expect(response.body).not.toContain('arn:');
  });
});

const NO_POINTS = { points: 0, rejectedPoints: 0, failedPoints: 0, invalidRows: 0 };

describe('GET /loads/{id}', () => {
  const objects = {
    texts: new Map<string, string>(),
    read: ({ bucket, key }: { bucket: string; key: string }) => {
      const text = objects.texts.get(`${bucket}/${key}`);
      async function* chunks() {
        yield await Promise.resolve(Buffer.from(text ?? ''));
      }
      return Promise.resolve(text === undefined ? undefined : chunks());
    },
    async *list(bucket: string, prefix: string) {
      const keys = [...objects.texts.keys()].filter((name) => name.startsWith(`${bucket}/${prefix}`));
      yield await Promise.resolve(
        keys.map((name) => ({ bucket, key: name.slice(bucket.length + 1), etag: '', size: 0 })),
      );
    },
  };
  const get = (id: string) =>
    describeLoad(
      { pathParameters: { id } },
      {
        executions,
        objects,
        workBucket: 'work',
        logger: recordingLogger(),
        now: () => Date.parse('2026-01-02T03:04:15Z'),
      },
    );
  const times = { startDate: new Date('2026-01-02T03:04:05Z'), stopDate: new Date('2026-01-02T03:05:05Z') };
  beforeEach(() => {
    objects.texts.clear();
    sfn.on(ListMapRunsCommand).resolves({ mapRuns: [] });
  });

  test('returns the state of a running load', async () => {
    sfn
      .on(DescribeExecutionCommand)
      .resolves({ status: 'RUNNING', input: '{"bucket":"b"}', startDate: times.startDate });
    const response = await get('abc-1');
    expect(sfn.commandCalls(DescribeExecutionCommand)[0]?.args[0].input).toEqual({
      executionArn: 'arn:aws:states:us-east-1:123456789012:execution:BulkLoad:abc-1',
    });
    expect(bodyOf(response)).toEqual({
      loadId: 'abc-1',
      state: 'RUNNING',
      started: '2026-01-02T03:04:05.000Z',
      ended: null,
      input: { bucket: 'b' },
      progress: { items: 0, itemsDone: 0, itemsFailed: 0, ...NO_POINTS, pointsPerSecond: 0 },
      summary: null,
    });
  });

  test('adds up the items of all map runs, and the points of loaded items', async () => {
    sfn.on(DescribeExecutionCommand).resolves({ status: 'RUNNING', input: '{}' });
    const run = (mapRunArn: string) => ({ mapRunArn, executionArn: 'e', stateMachineArn: 's', startDate: new Date() });
    sfn.on(ListMapRunsCommand).resolves({ mapRuns: [run('one')], nextToken: 'more' });
    sfn.on(ListMapRunsCommand, { nextToken: 'more' }).resolves({ mapRuns: [run('two')] });
    const none = {
      pending: 0,
      running: 0,
      succeeded: 0,
      failed: 0,
      timedOut: 0,
      aborted: 0,
      resultsWritten: 0,
      total: 0,
    };
    sfn.on(DescribeMapRunCommand, { mapRunArn: 'one' }).resolves({ itemCounts: { ...none, total: 7, succeeded: 7 } });
    sfn
      .on(DescribeMapRunCommand, { mapRunArn: 'two' })
      .resolves({ itemCounts: { ...none, total: 9, running: 1, succeeded: 3, failed: 2, timedOut: 1, aborted: 2 } });
    const place = {
      workBucket: 'work',
      objects: {
        write: ({ bucket, key }: { bucket: string; key: string }) => {
          objects.texts.set(`${bucket}/${key}`, '');
          return Promise.resolve();
        },
      },
    };
    const result = (pointsWritten: number, rejectedPoints = 0) => ({
      ...{ pointsWritten, rejectedPoints, failedPoints: rejectedPoints * 2 },
      invalidRecords: { 'value nan': rejectedPoints, 'time missing': 1 },
    });
    const key = 'a.b/k.parquet';
    await savePointCounts('abc', { bucket: 'b', key, firstRowGroup: 0 }, result(1_000, 7), place);
    await savePointCounts('abc', { bucket: 'b', key, firstRowGroup: 5 }, result(500), place);
    // A retry of the same item, and an item of another load.
    await savePointCounts('abc', { bucket: 'b', key, firstRowGroup: 5 }, result(400, 9), place);
    await savePointCounts('other', { bucket: 'b', key, firstRowGroup: 0 }, result(1), place);
    // An item that was loaded before the stack was updated.
    objects.texts.set('work/loads/abc/progress/0123456789abcdef-0.30', '');
    expect(bodyOf(await get('abc')).progress).toEqual({
      ...{ items: 16, itemsDone: 10, itemsFailed: 5 },
      ...{ points: 1_530, rejectedPoints: 7, failedPoints: 14, invalidRows: 9 },
      pointsPerSecond: null,
    });
  });

  test('returns the points per second until now, and after the end until the end', async () => {
    objects.texts.set('work/loads/abc/progress/0123456789abcdef-0.3000.0.0.0', '');
    const startDate = new Date('2026-01-02T03:04:05Z');
    sfn.on(DescribeExecutionCommand).resolves({ status: 'RUNNING', input: '{}', startDate });
    expect(bodyOf(await get('abc')).progress).toMatchObject({ points: 3_000, pointsPerSecond: 300 });
    const stopDate = new Date('2026-01-02T03:04:35Z');
    sfn.on(DescribeExecutionCommand).resolves({ status: 'FAILED', input: '{}', startDate, stopDate });
    expect(bodyOf(await get('abc')).progress).toMatchObject({ points: 3_000, pointsPerSecond: 100 });
  });

  test('returns the state also if the items cannot be counted', async () => {
    sfn.on(DescribeExecutionCommand).resolves({ status: 'RUNNING', input: '{}' });
    sfn.on(ListMapRunsCommand).rejects(new Error('AccessDenied'));
    expect(bodyOf(await get('abc'))).toMatchObject({
      state: 'RUNNING',
      progress: { items: null, itemsDone: null, itemsFailed: null, points: 0, pointsPerSecond: null },
    });
  });

  test('returns the summary of a load that ended, and the cause of a load that failed', async () => {
    objects.texts.set('work/loads/abc/summary.json', '{"points_written":5}');
    const cause = '{"errorType":"InvalidEventError","errorMessage":"no file","trace":["at secret"]}';
    sfn
      .on(DescribeExecutionCommand)
      .resolves({ status: 'FAILED', input: '{}', error: 'InvalidEventError', cause, ...times });
    expect(bodyOf(await get('abc'))).toMatchObject({
      state: 'FAILED',
      summary: { points_written: 5 },
      error: 'InvalidEventError',
      cause: 'no file',
    });
  });

  test('returns no summary of a load that ended before it was summarized', async () => {
    sfn.on(DescribeExecutionCommand).resolves({ status: 'TIMED_OUT', input: '{}', ...times });
    expect(bodyOf(await get('abc'))).toMatchObject({ state: 'TIMED_OUT', summary: null });
  });

  test.each(['health', 'a/b', '../x', 'a b', ''])('returns 404 for the id %p', async (id) => {
    sfn.on(DescribeExecutionCommand).resolves({ status: 'RUNNING', input: '{}' });
    expect(await get(id)).toMatchObject({ statusCode: 404 });
    expect(sfn.calls()).toHaveLength(0);
  });

  test('returns 503 without internals when S3 is not available', async () => {
    sfn.on(DescribeExecutionCommand).resolves({ status: 'SUCCEEDED', input: '{}', ...times });
    const away = { read: () => Promise.reject(new S3UnavailableError('cannot read s3://work/loads/abc/summary.json')) };
    const services = { executions, objects: { ...objects, ...away }, workBucket: 'work', logger: recordingLogger() };
    const handle = apiHandler(recordingLogger(), (event) => describeLoad(event, services));
    const response = await handle({ httpMethod: 'GET', requestContext: {}, pathParameters: { id: 'abc' } });
    expect(response.statusCode).toBe(503);
    expect(bodyOf(response)).toEqual({
      error: 'S3UnavailableError',
      message: 'S3 is not available: send the request again later',
    });
  });

  test('returns 404 for a load that Step Functions does not know', async () => {
    sfn.on(DescribeExecutionCommand).rejects(gone);
    expect(await get('abc')).toMatchObject({ statusCode: 404 });
  });
});
