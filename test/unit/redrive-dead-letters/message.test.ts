/** What of a dead-letter message is replayed, by its shape: the sample events are the shapes that AWS documents. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Content,
  type DeadLetterMessage,
  type MessageRules,
  readMessage,
} from '../../../functions/redrive-dead-letters/message';

const WORKFLOW = 'arn:aws:states:us-east-1:123456789012:stateMachine:BulkLoad';
const SENT = 1_709_300_000_000;
const sample = (name: string) =>
  JSON.parse(readFileSync(join(__dirname, '../../../events', `${name}.json`), 'utf8')) as Record<string, never>;

const RULES: MessageRules = { stateMachineArn: WORKFLOW, maxTries: 3, fromParking: false, mayHaveLoader: false };
const read = (body: unknown, changes: Partial<DeadLetterMessage> = {}, rules: Partial<MessageRules> = {}): Content => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return readMessage({ body: text, firstSent: SENT, tries: 0, target: undefined, ...changes }, { ...RULES, ...rules });
};
const reasonOf = (content: Content): string => (content.kind === 'unreplayable' ? content.reason : content.kind);

test('a write that was handed over is replayed as it is, alone or in a record of a destination', () => {
  const event = sample('write-line-protocol-asynchronous');
  expect(read(event)).toEqual({ kind: 'write', event });
  expect(read(sample('dead-letter-write-destination'))).toEqual({ kind: 'write', event });
});

test.each([
  ['write-line-protocol', 1_709_294_401_000],
  ['write-line-protocol-gzip', 1_709_294_401_000],
  ['write-line-protocol-http-api', 1_709_294_401_000],
  ['write-line-protocol-bare', SENT],
])('%s is replayed as one that was handed over, at its own time or else that of its message', (name, time) => {
  const content = read(sample(name));
  if (content.kind !== 'write') throw new Error(content.kind);
  const { requestContext, ...event } = content.event;
  expect(event).toEqual({ ...sample(name), requestContext: undefined, asynchronous: true });
  expect(requestContext?.requestTimeEpoch).toBe(time);
});

test.each(['load-object', 'load-object-s3', 'load-object-eventbridge'])('%s is replayed to load-object', (name) => {
  expect(read(sample(name))).toEqual({ kind: 'object', event: sample(name) });
});

test('an object whose load EventBridge could not start is a load', () => {
  const event = sample('load-object-eventbridge');
  const content = read(event, { target: WORKFLOW });
  expect(content).toMatchObject({ kind: 'load', name: expect.stringMatching(/^redrive-1-[0-9a-f]{32}$/) });
  expect(content.kind === 'load' && JSON.parse(content.input ?? '')).toEqual(event);
});

describe('a load that failed', () => {
  const message = sample('dead-letter-load') as Record<string, never> & { detail: Record<string, unknown> };
  const having = (changes: object) => ({ ...message, detail: { ...message.detail, ...changes } });
  const named = (name: string) => having({ name });
  const failed = { name: 'nightly-2024-01', error: 'InfluxDBConnectionError' };

  test('is started with its input, by a name that only this message has', () => {
    const content = read(message);
    expect(content).toMatchObject({ kind: 'load', input: message.detail.input, failed });
    expect(read(message)).toEqual(content);
    const other = read({ ...message, id: 'another failure' });
    expect(other.kind === 'load' && content.kind === 'load' && other.name !== content.name).toBe(true);
  });

  test('is started without its input, where that was too large for the event', () => {
    expect(read(having({ input: null }))).toMatchObject({ kind: 'load', input: undefined, failed });
  });

  test('again and again is started no more than a message is replayed', () => {
    expect(read(named('redrive-2-0123'))).toMatchObject({ kind: 'load', name: expect.stringMatching(/^redrive-3-/) });
    expect(reasonOf(read(named('redrive-3-0123')))).toContain('failed again after 3 replays');
  });

  test('because somebody aborted it is not started against their will', () => {
    const aborted = having({ status: 'ABORTED' });
    expect(reasonOf(read(aborted))).toContain('aborted');
    expect(reasonOf(read(aborted, {}, { fromParking: true }))).toContain('aborted');
  });

  test.each(['DataConversionError', 'InvalidEventError', 'ConfigurationError'])(
    'of %s is not started again, as it cannot end otherwise, until somebody replays what is parked',
    (error) => {
      const permanent = having({ error, cause: 'column region is missing' });
      expect(reasonOf(read(permanent))).toBe(`a replay would fail in the same way: ${error}: column region is missing`);
      expect(read(permanent, {}, { fromParking: true })).toMatchObject({ kind: 'load', input: message.detail.input });
    },
  );

  test.each(['InfluxDBConnectionError', 'S3UnavailableError', 'InfluxDBWriteError', 'UnexpectedError', undefined])(
    'of %s is started again',
    (error) => {
      expect(read(having({ error })).kind).toBe('load');
    },
  );

  test('too often is started again by somebody who replays what is parked', () => {
    expect(read(named('redrive-3-0123'), {}, { fromParking: true })).toMatchObject({
      kind: 'load',
      name: expect.stringMatching(/^redrive-4-/),
    });
  });

  test('of another state machine, or of a stack without one, is not replayed', () => {
    const other = having({ stateMachineArn: `${WORKFLOW}2` });
    expect(reasonOf(read(other))).toContain('another state machine');
    expect(reasonOf(read(message, {}, { stateMachineArn: undefined }))).toContain('none');
  });
});

describe('a migration that failed', () => {
  const message = sample('dead-letter-migration') as Record<string, never> & { detail: Record<string, unknown> };
  const migrationArn = String(message.detail.stateMachineArn);
  const readOf = (changes: object, rules = {}) =>
    read({ ...message, detail: { ...message.detail, ...changes } }, {}, { migrationArn, ...rules });

  test('is continued, by the id of its ledger', () => {
    const { input } = message.detail;
    expect(readOf({})).toMatchObject({ kind: 'migration', migrationId: 'plant-2024', input });
    const resumed = { name: 'redrive-1-0123', input: '{"resume":"plant-2024"}' };
    expect(readOf(resumed)).toMatchObject({
      kind: 'migration',
      migrationId: 'plant-2024',
      name: expect.stringMatching(/^redrive-2-/),
    });
    expect(readOf({ input: null })).toMatchObject({ kind: 'migration', migrationId: 'plant-2024', input: undefined });
  });

  test('is not continued after an abort, a permanent error or too many replays, or without a migration', () => {
    expect(reasonOf(readOf({ status: 'ABORTED' }))).toContain('aborted the migration');
    expect(reasonOf(readOf({ error: 'InvalidEventError' }))).toContain('in the same way');
    expect(reasonOf(readOf({ name: 'redrive-3-0123' }))).toContain('the migration failed again after 3 replays');
    expect(readOf({ name: 'redrive-3-0123' }, { fromParking: true }).kind).toBe('migration');
    expect(reasonOf(readOf({}, { migrationArn: undefined }))).toContain('another state machine');
  });
});

test('rejected lines are not replayed: they can never be stored as they are', () => {
  expect(reasonOf(read(sample('dead-letter-rejected-lines')))).toMatch(/^rejected lines, .*: unable to parse 'weather/);
  // Such an object has no text.
  expect(reasonOf(read({ rejectedLines: [{ toString: 1, valueOf: 1 }] }))).toMatch(/^rejected lines, /);
});

test.each([
  ['no JSON', 'm,t=1 v=1'],
  ['no object', [1]],
  ['an empty object', {}],
  ['an event of SQS', sample('load-object-sqs')],
  ['a test event of S3', { Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'b' }],
  ['an event about a removed object', { Records: [{ eventName: 'ObjectRemoved:Delete', s3: {} }] }],
])('%s is of no shape that is replayed', (_, body) => {
  expect(read(body).kind).toBe('unreplayable');
});
