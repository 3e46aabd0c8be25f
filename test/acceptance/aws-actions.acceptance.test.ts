/** The requests of each function to AWS, as sent over the wire: checked with AWS's own models, and compared with the function's role. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { TimestreamWriteClient } from '@aws-sdk/client-timestream-write';
import type { Context } from 'aws-lambda';
import { loadConnectorConfig } from 'shared/config';
import { writeRecordsSender } from '../../functions/write-line-protocol/timestream-connection';
import { sdkConnection } from '../../functions/write-line-protocol/timestream-sdk';
import { numberedLines } from '../contract/connector/harness';
import { type Harness, startHarness } from '../contract/timestream/harness';
import { writeEvent } from '../support/connector-handler';
import { LAMBDA_CONTEXT } from '../support/lambda-context';
import { fixtureBytes } from '../support/loader';
import { S3Double } from '../support/s3-double';
import { ScriptedServer } from '../support/scripted-server';
import { LOADER, listed, statementsWith, TOKENS } from '../unit/stack/template';
import { botocore, JUDGE, type Judgment, judged } from './aws-models';
import { AwsTap, headerOf, serviceOf, type TapResponse, type WireRequest } from './aws-tap';
import { permissionFor, UNCALLED } from './permissions';
import { describeProof, detail } from './report';

const CREDENTIALS = {
  key: 'AKIDEXAMPLE',
  secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  token: 'AQoDYXdz//EXAMPLE',
};
const ARN = 'arn:aws:states:us-east-1:123456789012';
const WORK = 'loader-work';
const BUCKET = 'energy-data';
const LOAD_ID = 'nightly-2024-01';
const readEvent = (name: string) =>
  JSON.parse(readFileSync(path.resolve(__dirname, '../../events', `${name}.json`), 'utf8'));

/** Parameters with which each role has all of its permissions. */
const EVERYTHING = {
  ...LOADER,
  ...TOKENS,
  Destination: 'both',
  DataBucketName: BUCKET,
  DatasetMappings: 's3://configuration/datasets.json',
  ObjectQueueArn: 'arn:aws:sqs:us-east-1:123456789012:objects',
  EnableAsyncInvocation: 'true',
  RejectedLinesBucket: 'rejected-lines',
  ResourceTags: 'team=plant',
  KmsKeyId: 'arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab',
};

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** The remaining messages of the dead-letter queue. */
const messages: string[] = [];

function received(): object {
  const Body = messages.shift();
  if (Body === undefined) return {};
  const Attributes = { SentTimestamp: '1709294401000' };
  return { Messages: [{ MessageId: '1', ReceiptHandle: 'receipt', Body, MD5OfBody: md5(Body), Attributes }] };
}

function sent({ body }: WireRequest): object {
  const { MessageBody } = JSON.parse(body.toString()) as { MessageBody?: string };
  return MessageBody === undefined ? {} : { MessageId: '1', MD5OfMessageBody: md5(MessageBody) };
}

let timestream: Harness;
let s3: S3Double;
let influxdb: ScriptedServer;
let tap: AwsTap;
const environment = process.env;

/** The response of AWS, or the URL of the test's own server for that service. */
function responseTo(request: WireRequest): TapResponse {
  const json = (body: object, status = 200): TapResponse => ({ status, body: JSON.stringify(body) });
  const operation = headerOf(request, 'x-amz-target').split('.')[1];
  switch (serviceOf(request)) {
    case 's3':
      return s3.url;
    case 'timestream':
      return operation === 'DescribeEndpoints'
        ? json({ Endpoints: [{ Address: '127.0.0.1:1', CachePeriodInMinutes: 1440 }] })
        : timestream.server.url;
    case 'secretsmanager':
      return json({ SecretString: 'example-token' });
    case 'sqs':
      return json(operation === 'ReceiveMessage' ? received() : sent(request));
    case 'lambda':
      return { status: 202 };
    case 'states':
      if (operation === 'ListMapRuns')
        return json({ mapRuns: [{ mapRunArn: `${ARN}:mapRun:BulkLoad/LoadBatches:1` }] });
      if (operation === 'DescribeMapRun') return json({ itemCounts: { total: 2, succeeded: 2 } });
      return operation === 'StartExecution'
        ? json({ __type: 'ExecutionAlreadyExists', message: 'there is one' }, 400)
        : json({ status: 'SUCCEEDED', input: '{}', startDate: 0, executionArn: ARN, stateMachineArn: ARN });
    default:
      return json({});
  }
}

/** Starts a function anew, with these variables beside the common ones, and returns its response to an event. */
async function invoke<T>(folder: string, event: unknown, variables: Readonly<Record<string, string>> = {}): Promise<T> {
  jest.resetModules();
  const before = { ...process.env };
  Object.assign(process.env, variables);
  tap.by = folder;
  try {
    const { handler } = (await import(`../../functions/${folder}/handler`)) as {
      handler: (event: unknown, context: Context) => Promise<T>;
    };
    return await handler(event, LAMBDA_CONTEXT);
  } finally {
    process.env = before;
  }
}

/** Sends a request of the SDK unchanged to the tap, without TLS. */
async function throughTap(sent: { method: string; path: string; headers: Record<string, string>; body?: string }) {
  const { hostname: host, port } = new URL(tap.url);
  const { method, path: target, headers, body } = sent;
  const request = http.request({ method, path: target, host, port, headers }).end(body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return { response: { statusCode: response.statusCode, headers: response.headers, body: response } };
}

const WRITING = {
  resource_tags: EVERYTHING.ResourceTags,
  kms_key_id: EVERYTHING.KmsKeyId,
  // Long enough for a busy machine.
  write_deadline_millis: '60000',
};
const asynchronous = () => ({
  ...WRITING,
  enable_async_invocation: 'true',
  AWS_LAMBDA_FUNCTION_NAME: 'connector',
  dead_letter_queue_url: `${tap.url}/123456789012/messages`,
});

async function connect(): Promise<void> {
  const lines = numberedLines('plant', 120).join('\n');
  expect(await invoke('write-line-protocol', writeEvent(lines), WRITING)).toMatchObject({ statusCode: 204 });
  expect(await invoke('write-line-protocol', writeEvent(lines), { ...WRITING, destination: 'both' })).toMatchObject({
    statusCode: 204,
  });
  expect(
    await invoke('write-line-protocol', writeEvent('', { path: '/health', resource: '/health', httpMethod: 'GET' })),
  ).toMatchObject({ statusCode: 200 });
  expect(await invoke('write-line-protocol', writeEvent(lines), asynchronous())).toMatchObject({ statusCode: 202 });
  const handedOver = {
    ...readEvent('write-line-protocol-asynchronous'),
    body: 'plant,host=a n=1i 1709294400\nbad line\n',
  };
  await invoke('write-line-protocol', handedOver, asynchronous());
  await invoke('write-line-protocol', handedOver, { ...asynchronous(), rejected_lines_bucket: 'rejected-lines' });
  const client = new TimestreamWriteClient({
    region: 'us-east-1',
    maxAttempts: 1,
    requestHandler: { handle: throughTap },
  });
  // Nothing listens at the discovered endpoint: the test needs only the request for it.
  const send = writeRecordsSender(sdkConnection(client), loadConnectorConfig({}));
  await expect(send(Buffer.from('{}'), new AbortController().signal)).rejects.toThrow('ECONNREFUSED');
}

async function loadFiles(): Promise<void> {
  await invoke('detect-dataset', readEvent('detect-dataset'));
  // A list of keys is written to the work bucket.
  await invoke('detect-dataset', {
    loadId: 'listed',
    input: { bucket: BUCKET, keys: ['dataset=generation/good.parquet'] },
  });
  expect(await invoke('check-influxdb', readEvent('check-influxdb'))).toMatchObject({ healthy: true });
  expect(await invoke('plan-load', readEvent('plan-load'))).toMatchObject({ items: 2, unplanned: 0 });
  const results: object[] = [];
  for (const item of s3.lines(WORK, `loads/${LOAD_ID}/plan-0.jsonl`)) {
    const input = { loadId: LOAD_ID, item };
    const output = await invoke('load-batch', input);
    results.push({ Input: JSON.stringify(input), Output: JSON.stringify(output), Status: 'SUCCEEDED' });
  }
  const folder = `loads/${LOAD_ID}/results-0/2a7ff50d`;
  s3.put(WORK, `${folder}/SUCCEEDED_0.json`, JSON.stringify(results));
  const ResultFiles = { SUCCEEDED: [{ Key: `${folder}/SUCCEEDED_0.json` }], FAILED: [], PENDING: [] };
  s3.put(WORK, `${folder}/manifest.json`, JSON.stringify({ DestinationBucket: WORK, MapRunArn: 'arn', ResultFiles }));
  expect(await invoke('summarize-load', readEvent('summarize-load'))).toMatchObject({ withinTolerance: true });
  await invoke('load-object', { bucket: BUCKET, key: 'dataset=generation/bad.parquet' });
  // The execution exists with another input, so the function describes it to detect that.
  expect(await invoke('start-load', readEvent('start-load'))).toMatchObject({ statusCode: 409 });
  expect(await invoke('describe-load', readEvent('describe-load'))).toMatchObject({ statusCode: 200 });
}

async function redrive(): Promise<void> {
  const queue = (name: string): string => `${tap.url}/123456789012/${name}`;
  const variables = {
    DEAD_LETTER_QUEUE_URL: queue('messages'),
    PARKING_QUEUE_URL: queue('parking'),
    WRITE_FUNCTION_NAME: 'connector',
    LOAD_OBJECT_FUNCTION_NAME: 'load-object',
    MESSAGES_PER_SECOND: '100',
  };
  const names = ['dead-letter-load', 'dead-letter-write-destination', 'dead-letter-rejected-lines'];
  const [load, ...others] = names.map(readEvent);
  // EventBridge leaves out an input that is too large for it.
  const withoutInput = { ...load, detail: { ...load.detail, input: null } };
  const incomplete = { ...load, detail: { ...load.detail, error: 'LoadIncomplete' } };
  for (const dryRun of [true, false]) {
    messages.push(...[load, withoutInput, incomplete, ...others].map((message) => JSON.stringify(message)));
    const summary = await invoke('redrive-dead-letters', { dryRun }, variables);
    expect(summary).toMatchObject({ messages: 5, kinds: { write: 1, load: 3, unreplayable: 1 } });
  }
}

beforeAll(async () => {
  [timestream, s3] = await Promise.all([startHarness({ now: Date.now }), S3Double.start()]);
  influxdb = await ScriptedServer.start(({ path: url }) => ({ status: url.endsWith('/write') ? 204 : 200, body: '' }));
  tap = await AwsTap.start(responseTo);
  process.env = {
    ...environment,
    AWS_ENDPOINT_URL: tap.url,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: CREDENTIALS.key,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secret,
    AWS_SESSION_TOKEN: CREDENTIALS.token,
    INFLUXDB_URL: influxdb.url,
    INFLUXDB_TOKEN_SECRET_NAME: 'influxdb/token',
    token_secret_name: 'connector/tokens',
    DATASET_MAPPINGS: EVERYTHING.DatasetMappings,
    WORK_BUCKET: WORK,
    STATE_MACHINE_ARN: `${ARN}:stateMachine:BulkLoad`,
    LOG_LEVEL: 'ERROR',
    log_level: 'ERROR',
  };
  s3.put('configuration', 'datasets.json', '[]');
  s3.put(BUCKET, 'dataset=generation/good.parquet', fixtureBytes('codec-snappy'));
  s3.put(BUCKET, 'dataset=generation/bad.parquet', fixtureBytes('value-bad'));
  await connect();
  await loadFiles();
  await invoke('authorize-token', readEvent('authorize-token'));
  await redrive();
});
afterAll(async () => {
  process.env = environment;
  await Promise.all([tap.close(), s3.stop(), influxdb.stop(), timestream.close()]);
});

/** The name of the resources: `load-batch` becomes LoadBatch. */
const nameOf = (folder: string): string =>
  folder
    .split('-')
    .map((word) => (word === 'influxdb' ? 'InfluxDB' : `${word[0]?.toUpperCase()}${word.slice(1)}`))
    .join('');

const FUNCTIONS = [
  'write-line-protocol',
  'authorize-token',
  'detect-dataset',
  'check-influxdb',
  'plan-load',
  'load-batch',
  'summarize-load',
  'load-object',
  'start-load',
  'describe-load',
  'redrive-dead-letters',
];

describeProof(JUDGE, botocore.missing, () => {
  let judgments: Judgment[];
  beforeAll(async () => {
    judgments = await judged(tap.requests, CREDENTIALS);
  });

  test('every request of the SDK’s clients conforms to the model of its service', () => {
    expect(new Set(judgments.map(({ service }) => service))).toEqual(
      new Set(['timestream-write', 's3', 'sqs', 'stepfunctions', 'lambda', 'cloudwatch', 'secretsmanager']),
    );
    expect(judgments.filter(({ problems }) => problems.length > 0)).toEqual([]);
  });

  test('every signature, with a session token, equals the signature of AWS’s signer', () => {
    expect(judgments.filter(({ signature }) => signature.length > 0)).toEqual([]);
  });

  test('the check detects a changed request and a request that no operation accepts', async () => {
    const read = tap.requests.find((request) => headerOf(request, 'range') !== '');
    if (read === undefined) throw new Error('no range was read');
    const headers = read.headers.map(([name, value]): [string, string] => [name, name === 'if-match' ? '"x"' : value]);
    const [changed, unknown, other] = await judged(
      [
        { ...read, headers },
        { ...read, path: `${read.path}&shape=round` },
        { ...read, method: 'PATCH' },
      ],
      CREDENTIALS,
    );
    const signature = ['the signature differs'];
    expect(changed).toEqual({ service: 's3', operation: 'GetObject', problems: [], signature });
    expect(unknown).toMatchObject({ problems: ['the operation has no query shape'], signature });
    expect(other).toMatchObject({ operation: null, signature });
  });

  /** The permissions that a function's requests need. */
  const needed = (folder: string): Set<string> =>
    new Set(
      tap.requests.flatMap((request, index) => {
        if (request.by !== folder) return [];
        return [permissionFor(serviceOf(request), String(judgments[index]?.operation))];
      }),
    );
  const allowed = (folder: string): Set<string> =>
    new Set(statementsWith(EVERYTHING, `${nameOf(folder)}Role`).flatMap(({ Action }) => listed(Action)));
  const reasonOf = (folder: string, action: string): string | undefined =>
    UNCALLED[action] ?? UNCALLED[`${nameOf(folder)} ${action}`];

  test.each(FUNCTIONS)('the role of %s allows its calls, and nothing else without a listed reason', (folder) => {
    const [calls, may] = [needed(folder), allowed(folder)];
    expect([...calls].filter((action) => !may.has(action))).toEqual([]);
    expect([...may].filter((action) => !calls.has(action) && reasonOf(folder, action) === undefined)).toEqual([]);
  });

  test('no reason is listed for a permission that no role has, or that a function uses', () => {
    const used = FUNCTIONS.flatMap((folder) =>
      [...allowed(folder)]
        .filter((action) => !needed(folder).has(action))
        .flatMap((action) => [action, `${nameOf(folder)} ${action}`]),
    );
    expect(Object.keys(UNCALLED).filter((each) => !used.includes(each))).toEqual([]);
  });

  afterAll(() => {
    const rows = FUNCTIONS.flatMap((folder) =>
      [...allowed(folder)].sort().map((action) => {
        const isCalled = needed(folder).has(action);
        return [folder, action, isCalled ? 'yes' : 'no', isCalled ? '' : (reasonOf(folder, action) ?? '')];
      }),
    );
    detail('Permissions of the functions’ roles', ['function', 'permission', 'used', 'reason if not'], rows);
  });
});
