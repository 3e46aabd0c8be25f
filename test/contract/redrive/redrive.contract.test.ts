/** Dead-letter messages replayed over HTTP: through the SDK's clients to the write function, over the embedded Timestream. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ObjectRef } from 'shared/loads/objects';
import { messageQueue, replayTargets } from '../../../functions/redrive-dead-letters/clients';
import { type RedriveSummary, redrive, survey } from '../../../functions/redrive-dead-letters/redrive';
import type { Fault } from '../../../local/timestream/server';
import { AwsDoubles } from '../../support/aws-doubles';
import { COLUMNS, handedOver, LINES, POINT_TIME, REQUESTED, rowsOfLines } from '../../support/replayed-write';
import { VirtualClock } from '../../support/virtual-clock';
import { type Stack, silentLogger, startStack } from '../connector/harness';

const WORKFLOW = 'arn:aws:states:us-east-1:123456789012:stateMachine:BulkLoad';
const BOUNDS = { messagesPerSecond: 5, maxMessages: 100, maxTries: 3, timeoutsMs: { write: 1, object: 1 } };
const sample = (name: string) =>
  JSON.parse(readFileSync(join(__dirname, '../../../events', `${name}.json`), 'utf8')) as Record<string, unknown>;

const WORK = 'work';
/** The texts of summaries in the work bucket, by load. */
const texts = new Map<string, string>();
const summaries = {
  read: ({ bucket, key }: ObjectRef) => {
    const [, loadId = ''] = /^loads\/(.*)\/summary\.json$/.exec(key) ?? [];
    const text = bucket === WORK ? texts.get(loadId) : undefined;
    return Promise.resolve(text === undefined ? undefined : Readable.from([Buffer.from(text)]));
  },
};

let fault: ((call: number) => Fault | undefined) | undefined;
let stack: Stack;
let aws: AwsDoubles;
const loadedObjects: unknown[] = [];

beforeEach(async () => {
  fault = undefined;
  loadedObjects.length = 0;
  texts.clear();
  let calls = 0;
  const intercept = (operation: string) => (operation === 'WriteRecords' ? fault?.(calls++) : undefined);
  stack = await startStack({ intercept });
  aws = await AwsDoubles.start({
    writer: (event) => stack.handler(event),
    'load-object': (event) => Promise.resolve(loadedObjects.push(event)),
  });
});
afterEach(async () => {
  await aws.stop();
  await stack.close();
});

const services = (from = 'dead-letters') => {
  const { sqs, lambda, executions } = aws.clients;
  const workflow = { stateMachineArn: WORKFLOW, workBucket: WORK };
  const config = { writeFunction: 'writer', loadObjectFunction: 'load-object', workflow };
  return {
    queue: messageQueue(aws.queueUrl(from), aws.queueUrl('parking'), sqs),
    targets: replayTargets(config, { lambda, executions, objects: summaries }),
    stateMachineArn: WORKFLOW,
    fromParking: from === 'parking',
    logger: silentLogger,
    clock: new VirtualClock(),
  };
};
const run = (from?: string): Promise<RedriveSummary> =>
  redrive(BOUNDS, services(from), { signal: new AbortController().signal, msLeft: () => 900_000 });

describe('a write of 1,000 points, 500 of them without a timestamp, that failed half-way', () => {
  const rows = async () => (await stack.select(COLUMNS, 'replayed')).map(String).sort();

  beforeEach(async () => {
    const message = handedOver(LINES, REQUESTED);
    // The table is there; its first calls succeed.
    await stack.handler(handedOver(LINES.slice(0, 1), REQUESTED - 1));
    fault = (call) => (call > 4 ? { kind: 'error', type: 'AccessDeniedException' } : undefined);
    await expect(stack.handler(message)).rejects.toMatchObject({ name: 'StorageUnavailableError' });
    const stored = await stack.count('replayed');
    expect([stored > 100, stored < 1_000]).toEqual([true, true]);
    aws.put('dead-letters', message);
  });

  test('is replayed: all of them are there once, and its message is gone', async () => {
    fault = undefined;
    expect(await run()).toMatchObject({ messages: 1, replayed: 1, ended: 'empty' });
    expect(await rows()).toEqual(rowsOfLines());
    expect([aws.messages('dead-letters'), aws.messages('parking'), aws.inFlight]).toEqual([[], [], 0]);
  });

  test('leaves what was written meanwhile, with a timestamp or at the time that it has itself', async () => {
    fault = undefined;
    const newer = [`replayed,host=h7 v=70i ${POINT_TIME}`, `replayed,host=h700 v=7000i ${REQUESTED}`];
    await stack.handler(handedOver(newer, REQUESTED + 1));
    await run();
    expect(await rows()).toEqual(rowsOfLines({ 7: 70, 700: 7000 }));
  });

  test('replayed twice changes nothing', async () => {
    fault = undefined;
    await run();
    aws.put('dead-letters', handedOver(LINES, REQUESTED));
    expect(await run()).toMatchObject({ replayed: 1 });
    expect(await rows()).toEqual(rowsOfLines());
  });

  test('that fails again lies in the queue again for later, then parked, each time as it was and with the reason', async () => {
    const [original] = aws.messages('dead-letters');
    fault = () => ({ kind: 'error', type: 'AccessDeniedException', message: 'no' });
    for (const tries of [1, 2]) {
      expect(await run()).toMatchObject({ putBack: 1, replayed: 0 });
      const [message, ...others] = aws.messages('dead-letters');
      expect(others).toEqual([]);
      expect(message).toMatchObject({
        body: original?.body,
        delaySeconds: 900,
        attributes: {
          Tries: { StringValue: String(tries) },
          Reason: { StringValue: expect.stringMatching(/^StorageUnavailableError: \d+ points are not stored: /) },
        },
      });
      // The delay passes.
      aws.queues.set(aws.queueUrl('dead-letters'), message ? [{ ...message, delaySeconds: 0 }] : []);
    }
    expect(await run()).toMatchObject({ parked: 1 });
    expect(aws.messages('dead-letters')).toEqual([]);
    expect(aws.messages('parking')).toMatchObject([{ body: original?.body, delaySeconds: 0 }]);

    fault = undefined;
    expect(await run('parking')).toMatchObject({ replayed: 1 });
    expect(await rows()).toEqual(rowsOfLines());
    expect(aws.messages('parking')).toEqual([]);
  });
});

test('a failed load is started with its input, once, however often its message is replayed', async () => {
  const message = sample('dead-letter-load') as { detail: { input: string } };
  for (let n = 0; n < 2; n++) {
    aws.put('dead-letters', message);
    expect(await run()).toMatchObject({ replayed: 1, kinds: { load: 1 } });
  }
  expect([...aws.executions.values()]).toEqual([message.detail.input]);
  expect([...aws.executions.keys()]).toEqual([expect.stringMatching(/^[\w-]{1,80}$/)]);
});

describe('a load that ended incomplete', () => {
  const { detail, ...event } = sample('dead-letter-load') as { detail: object };
  const incomplete = { ...event, detail: { ...detail, error: 'LoadIncomplete', cause: '1 of 9 items failed' } };
  const FAILED = 's3://work/loads/nightly-2024-01/failed-items.jsonl';
  const summary = (changes: object = {}) =>
    JSON.stringify({
      failedItems: FAILED,
      fullyPlanned: true,
      failed_batches: 0,
      causes: [{ error: 'InfluxDBConnectionError', cause: 'is away', items: 1, objects: [] }],
      ...changes,
    });

  test('is repeated by its failed items alone', async () => {
    texts.set('nightly-2024-01', summary());
    aws.put('dead-letters', incomplete);
    expect(await run()).toMatchObject({ replayed: 1 });
    expect([...aws.executions.values()].map((text): unknown => JSON.parse(text))).toEqual([{ plan: FAILED }]);
  });

  test('by one corrupt file is never loaded again, until somebody replays what is parked', async () => {
    const causes = [
      { error: 'NotStarted', cause: 'it was not started', items: 8, objects: [] },
      { error: 'DataConversionError', cause: 'is corrupt', items: 1, objects: [] },
    ];
    texts.set('nightly-2024-01', summary({ causes }));
    aws.put('dead-letters', incomplete);
    expect(await run()).toMatchObject({ parked: 1, replayed: 0 });
    expect(aws.executions.size).toBe(0);
    expect(aws.messages('parking')[0]?.attributes.Reason?.StringValue).toContain('DataConversionError: is corrupt');

    // The file was fixed meanwhile; the others were loaded.
    expect(await run('parking')).toMatchObject({ replayed: 1 });
    expect([...aws.executions.values()]).toEqual([JSON.stringify({ plan: FAILED })]);
  });

  test('comes again where its summary cannot be read', async () => {
    texts.set('nightly-2024-01', 'not JSON');
    aws.put('dead-letters', incomplete);
    expect(await run()).toMatchObject({ putBack: 1 });
    expect(aws.messages('dead-letters')[0]?.attributes.Reason?.StringValue).toContain(
      's3://work/loads/nightly-2024-01/summary.json cannot be read',
    );
  });
});

describe('attributes that somebody else set', () => {
  const text = (StringValue: string) => ({ DataType: 'String', StringValue });

  test('need not be numbers: the message is as old as the queue says, and was never tried', async () => {
    fault = () => ({ kind: 'error', type: 'AccessDeniedException', message: 'no' });
    const { requestContext, ...bare } = handedOver(LINES.slice(0, 1), REQUESTED);
    aws.put('dead-letters', bare, { FirstSentAt: text('yesterday'), Tries: text('-1') });
    expect(await run()).toMatchObject({ putBack: 1 });
    expect(aws.messages('dead-letters')[0]?.attributes).toMatchObject({
      Tries: { DataType: 'Number', StringValue: '1' },
      // When the double says that it was sent.
      FirstSentAt: { DataType: 'Number', StringValue: '1709300000000' },
    });
  });

  test('are ten at most beside those of the redrive, and the one that says what the message is stays', async () => {
    const ten = Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`A${n}`, text(String(n))]));
    aws.put('dead-letters', { what: 'is this?' }, { ...ten, TARGET_ARN: text(WORKFLOW) });
    expect(await run()).toMatchObject({ parked: 1, left: 0 });
    const names = Object.keys(aws.messages('parking')[0]?.attributes ?? {});
    expect(names).toHaveLength(10);
    expect(names).toEqual(expect.arrayContaining(['Reason', 'Tries', 'FirstSentAt', 'TARGET_ARN']));
  });
});

test('an object that EventBridge could not start a load of is loaded by the workflow, any other one by load-object', async () => {
  const created = sample('load-object-eventbridge');
  aws.put('dead-letters', created, { TARGET_ARN: { DataType: 'String', StringValue: WORKFLOW } });
  aws.put('dead-letters', created);
  aws.put('dead-letters', sample('load-object-s3'));
  expect(await run()).toMatchObject({ replayed: 3, kinds: { load: 1, object: 2 } });
  expect([...aws.executions.values()].map((text) => JSON.parse(text) as unknown)).toEqual([created]);
  expect(loadedObjects).toHaveLength(2);
  expect(loadedObjects).toEqual(expect.arrayContaining([created, sample('load-object-s3')]));
});

test('rejected lines and what is no event are parked with the reason, and what they came with', async () => {
  const sent = { ErrorMessage: { DataType: 'String', StringValue: 'from Lambda' } };
  aws.put('dead-letters', sample('dead-letter-rejected-lines'), sent);
  aws.put('dead-letters', { what: 'is this?' });
  expect(await run()).toMatchObject({ parked: 2, replayed: 0 });
  const reasons = aws.messages('parking').map(({ attributes }) => attributes.Reason?.StringValue);
  expect(reasons).toEqual(
    expect.arrayContaining([expect.stringMatching(/^rejected lines, /), expect.stringMatching(/unknown shape$/)]),
  );
  expect(aws.messages('parking').some(({ attributes }) => attributes.ErrorMessage !== undefined)).toBe(true);
});

test('a survey leaves every message as it is', async () => {
  aws.put('dead-letters', sample('write-line-protocol-asynchronous'));
  aws.put('dead-letters', sample('dead-letter-load'));
  const before = aws.messages('dead-letters');
  expect(await survey(BOUNDS, services(), new AbortController().signal)).toEqual({
    messages: 2,
    kinds: { write: 1, object: 0, load: 1, migration: 0, unreplayable: 0 },
  });
  expect(aws.messages('dead-letters')).toEqual(expect.arrayContaining([...before]));
  expect(aws.inFlight).toBe(0);
});
