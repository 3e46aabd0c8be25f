/** The events that the function accepts, and their bodies. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { InvalidEventError } from 'shared/errors';
import { V1_PRECISIONS, V2_PRECISIONS } from 'shared/line-protocol/precision';
import type { WriteEvent } from '../../../functions/write-line-protocol/request';
import { errorIn, handlerOf, writeEvent } from '../../support/connector-handler';
import { REQUEST_TIME } from '../../support/connector-mapping';

const LINE = 'm,t=1 v=1i 7';
const EVENTS = join(__dirname, '../../../events');

/** Handles an event that must be stored, and returns the times of its records, ns. */
async function timesOf(event: unknown): Promise<bigint[]> {
  const { handle, stored } = handlerOf();
  expect(await handle(event)).toMatchObject({ statusCode: 204, body: '', isBase64Encoded: false });
  return stored.map(({ time }) => time);
}

async function refusalOf(event: unknown, environment = {}): Promise<[number | undefined, string, string]> {
  const { handle, stored } = handlerOf({ environment });
  const response = await handle(event);
  expect(stored).toEqual([]);
  const { code, message } = errorIn(response);
  expect(response?.headers).toMatchObject({
    'Content-Type': 'application/json; charset=utf-8',
    'X-Platform-Error-Code': code,
  });
  return [response?.statusCode, code, message];
}

const httpApi = (rawPath: string, stage: string): WriteEvent => ({
  rawPath,
  requestContext: { http: { method: 'POST', path: rawPath }, stage, timeEpoch: REQUEST_TIME },
  queryStringParameters: { precision: 'ms' },
  body: LINE,
});
const MS = [7_000_000n];

test.each<[string, WriteEvent, bigint[]]>([
  ['a proxy event of a REST API', writeEvent(LINE), [7n]],
  ['a proxy event with a precision', writeEvent(LINE, { queryStringParameters: { precision: 'ms' } }), MS],
  [
    'a proxy event with values as arrays',
    writeEvent(LINE, { queryStringParameters: null, multiValueQueryStringParameters: { precision: ['ms', 's'] } }),
    MS,
  ],
  ['a proxy event with the path prefix of a custom domain', writeEvent(LINE, { path: '/influx/api/v2/write' }), [7n]],
  [
    'a proxy event of the v1 API with a greedy resource',
    writeEvent(LINE, { resource: '/{proxy+}', path: '/write', queryStringParameters: { precision: 'h' } }),
    [7n * 3_600_000_000_000n],
  ],
  ['an event of an HTTP API with a stage', httpApi('/dev/api/v2/write', 'dev'), MS],
  ['an event of an HTTP API with the default stage', httpApi('/api/v2/write', '$default'), MS],
  [
    'an event of a function URL',
    { ...httpApi('/api/v2/write', '$default'), rawQueryString: 'precision=ms&precision=s' },
    MS,
  ],
  [
    'an event of a load balancer, which does not decode the query',
    writeEvent(LINE, {
      resource: '/{proxy+}',
      queryStringParameters: { 'precisio%6e': 'm%73' },
      requestContext: { elb: { targetGroupArn: 'arn' } },
    }),
    MS,
  ],
  [
    'a proxy event with two precisions (the first counts)',
    writeEvent(LINE, {
      queryStringParameters: { precision: 's' },
      multiValueQueryStringParameters: { precision: ['ms', 's'] },
    }),
    MS,
  ],
  [
    'a proxy event with a slash after its path',
    writeEvent(LINE, { resource: '/{proxy+}', path: '/api/v2/write/' }),
    [7n],
  ],
  ['a bare body', { body: LINE }, [7n]],
  ['a bare body with queryParameters', { body: LINE, queryParameters: { precision: 'ms' } }, MS],
  ['a bare body with values in arrays', { body: LINE, queryParameters: { precision: ['ms'] } }, MS],
  ['a bare body with queryStringParameters', { body: LINE, queryStringParameters: { precision: 'ms' } }, MS],
  ['an empty precision', { body: LINE, queryParameters: { precision: '' } }, [7n]],
  ['base64', writeEvent(Buffer.from(LINE)), [7n]],
  ['gzip by its header', writeEvent(gzipSync(LINE), { headers: { 'CONTENT-ENCODING': 'GZIP' } }), [7n]],
  ['x-gzip', writeEvent(gzipSync(LINE), { headers: { 'content-encoding': ' x-gzip ' } }), [7n]],
  ['gzip by its magic bytes', writeEvent(gzipSync(LINE), { headers: null }), [7n]],
  [
    'gzip of several members',
    writeEvent(Buffer.concat([gzipSync('m,t=1 v=1i 7\n'), gzipSync('m,t=1 v=1i 8')])),
    [7n, 8n],
  ],
  ['no encoding', writeEvent(LINE, { headers: { 'Content-Encoding': 'identity' } }), [7n]],
  ['any content type', writeEvent(LINE, { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }), [7n]],
  ['a charset as the encoding', writeEvent(LINE, { headers: { 'Content-Encoding': 'UTF-8' } }), [7n]],
  ['gzip and a charset', writeEvent(gzipSync(LINE), { headers: { 'Content-Encoding': 'gzip, utf-8' } }), [7n]],
  ['a byte order mark', writeEvent(`\ufeff${LINE}`), [7n]],
  ['a byte order mark in base64', writeEvent(Buffer.from(`\ufeff${LINE}`)), [7n]],
  ['a byte order mark in gzip', writeEvent(gzipSync(`\ufeff${LINE}`)), [7n]],
  ['a byte order mark and a comment', writeEvent(`\ufeff# c\r\n${LINE}`), [7n]],
  ['only a byte order mark', writeEvent('\ufeff'), []],
  ['no body', writeEvent('', { body: null }), []],
  ['an empty gzip', writeEvent(gzipSync('')), []],
  ['an empty body with Content-Encoding gzip', writeEvent('', { headers: { 'Content-Encoding': 'gzip' } }), []],
  ['comments and blank lines', writeEvent('# nothing\n\n'), []],
])('%s is stored', async (_, event, times) => {
  expect(await timesOf(event)).toEqual(times);
});

test('a byte order mark after the beginning is text', async () => {
  const { handle, stored } = handlerOf({ environment: { table_mapping: 'single-table' } });
  const response = await handle(writeEvent(`\ufeff\ufeffa,t=1 v=1i 7\n\ufeffb,t=1 v=1i 7`));
  expect(response?.statusCode).toBe(204);
  expect(stored.map(({ measureName }) => measureName)).toEqual(['\ufeffa', '\ufeffb']);
});

test('points without a timestamp get the request time of the event', async () => {
  const now = BigInt(REQUEST_TIME) * 1_000_000n;
  expect(await timesOf(writeEvent('m,t=1 v=1i'))).toEqual([now]);
  expect(await timesOf({ ...httpApi('/api/v2/write', '$default'), body: 'm,t=1 v=1i' })).toEqual([now]);
});

/** The error with which an event fails the invocation. No part of it may be stored. */
async function failureOf(event: unknown): Promise<string> {
  const { handle, stored } = handlerOf();
  const error: unknown = await handle(event).catch((thrown: unknown) => thrown);
  expect(stored).toEqual([]);
  expect(error).toBeInstanceOf(InvalidEventError);
  return (error as Error).message;
}

describe('events that are not writes fail the invocation', () => {
  const sample = (file: string): unknown => JSON.parse(readFileSync(join(EVENTS, file), 'utf8'));
  const message = { messageId: 'm', receiptHandle: 'r', body: LINE, attributes: {}, eventSource: 'aws:sqs' };
  const webSocket = { requestContext: { routeKey: '$default', eventType: 'MESSAGE', connectionId: 'c' }, body: LINE };

  test.each<[string, unknown, string]>([
    ['SQS', { Records: [message] }, 'records from aws:sqs'],
    ['an SQS message by itself, as EventBridge Pipes may send it', message, 'an event from aws:sqs'],
    ['Kinesis', { Records: [{ eventSource: 'aws:kinesis', kinesis: { data: 'bQ==' } }] }, 'records from aws:kinesis'],
    ['DynamoDB', { Records: [{ eventSource: 'aws:dynamodb', dynamodb: {} }] }, 'records from aws:dynamodb'],
    ['SNS', { Records: [{ EventSource: 'aws:sns', Sns: { Message: LINE } }] }, 'records from aws:sns'],
    ['S3', sample('load-object-s3.json'), 'records from aws:s3'],
    ['no records', { Records: [] }, 'Records'],
    ['Kafka', { eventSource: 'aws:kafka', records: { 't-0': [{ value: 'bQ==' }] } }, 'an event from aws:kafka'],
    ['Firehose', { invocationId: 'i', records: [{ recordId: '1', data: 'bQ==' }] }, 'the keys invocationId, records'],
    ['CloudWatch Logs', { awslogs: { data: 'H4sI' } }, 'the keys awslogs'],
    ['EventBridge', sample('load-object-eventbridge.json'), 'an EventBridge event from aws.s3'],
    [
      'a schedule',
      { source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} },
      'an EventBridge event from aws.events',
    ],
    ['a WebSocket API', { ...webSocket, isBase64Encoded: false }, 'an event from a WebSocket API'],
    ['a WebSocket API that connects', { ...webSocket, body: undefined, headers: {} }, 'an event from a WebSocket API'],
    [
      'VPC Lattice',
      { version: '2.0', path: '/api/v2/write', method: 'POST', headers: {}, body: LINE },
      'the keys version',
    ],
    ['a token authorizer', { type: 'TOKEN', authorizationToken: 't', methodArn: 'a' }, 'the keys type'],
    ['Step Functions', { bucket: 'b', key: 'k' }, 'the keys bucket, key'],
    ['a method without a path', { httpMethod: 'POST', body: LINE }, 'the keys httpMethod, body'],
    ['a path without a method', { path: '/api/v2/write', body: LINE }, 'the keys path, body'],
    ['a body and records', { body: LINE, Records: [message] }, 'records from aws:sqs'],
    ['no keys', {}, 'an event without keys'],
    ['null', null, 'must be an object'],
    ['undefined', undefined, 'must be an object'],
    ['a text', LINE, 'must be an object'],
    ['a number', 7, 'must be an object'],
    ['a list of messages', [message], 'must be an object'],
    ['a list of requests', [writeEvent(LINE)], 'must be an object'],
    ['a body that is not a string', { body: { lines: [] } }, 'the body of the event must be a string'],
    ['no body', { body: null }, 'the body of the event must be a string'],
  ])('%s', async (_, event, reason) => {
    expect(await failureOf(event)).toContain(reason);
  });

  test('the error does not repeat a long event completely', async () => {
    const keys = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`key${n}`, 1]));
    expect((await failureOf(keys)).length).toBeLessThan(500);
  });
});

describe('requests that cannot be read are refused:', () => {
  test.each<[string, object]>([
    ['body', writeEvent(LINE, { body: [] })],
    ['resource', { ...writeEvent(LINE), resource: 7 }],
    ['path', { ...writeEvent(LINE), path: ['/api/v2/write'], resource: '/{proxy+}' }],
    [
      'requestContext.stage',
      { ...httpApi('/dev/api/v2/write', 'dev'), requestContext: { http: { method: 'POST' }, stage: {} } },
    ],
    ['requestContext.requestId', writeEvent(LINE, { requestContext: { requestId: 1 as never } })],
    ['rawQueryString', { ...httpApi('/api/v2/write', '$default'), rawQueryString: {} }],
  ])('%s is not a string', async (name, event) => {
    expect(await refusalOf(event)).toEqual([400, 'invalid', `${name} of the event must be a string`]);
  });

  test.each([0, -1, 1.5, Number.NaN, '2024-03-01', 1e300])('the time %p', async (time) => {
    const event = { body: LINE, requestContext: { requestTimeEpoch: time } };
    expect(await refusalOf(event)).toEqual([400, 'invalid', expect.stringContaining('requestTimeEpoch')]);
  });
});

describe('refuses a body with', () => {
  test.each(['deflate', 'br', 'zstd', 'gzip, gzip', 'x-compress', 'snappy'])('the encoding %s', async (encoding) => {
    const [status, code, message] = await refusalOf(writeEvent(LINE, { headers: { 'content-encoding': encoding } }));
    expect([status, code]).toEqual([415, 'unsupported media type']);
    expect(message).toContain(`'${encoding}'`);
  });

  test.each([
    ['text', writeEvent(LINE, { headers: { 'content-encoding': 'gzip' } })],
    ['a missing end', writeEvent(gzipSync(LINE.repeat(100)).subarray(0, 20))],
    ['text after its end', writeEvent(Buffer.concat([gzipSync(LINE), Buffer.from([0x1f, 0x8b, 9, 9])]))],
  ])('invalid gzip: %s', async (_, event) => {
    expect(await refusalOf(event)).toEqual([400, 'invalid', 'the body is not valid gzip']);
  });

  test('many encodings, without repeating them all', async () => {
    const event = writeEvent(LINE, { headers: { 'content-encoding': 'br,'.repeat(100_000) } });
    const [status, , message] = await refusalOf(event);
    expect(status).toBe(415);
    expect(message.length).toBeLessThan(300);
  });

  test('more than MaxLines lines, whatever their content and line breaks', async () => {
    const environment = { max_lines: '3' };
    const statusOf = async (body: string | Buffer) =>
      (await handlerOf({ environment }).handle(writeEvent(body)))?.statusCode;
    for (const body of ['\n\n\n', '# a\n\n# b', `${LINE}\n\n${LINE}\r\n`]) expect(await statusOf(body)).toBe(204);
    for (const body of ['\n\n\n\n', '# a\n\n# b\n#', `${LINE}\n\n\n${LINE}`, gzipSync('m,t=1 s="\n\n\n" 1')]) {
      expect(await statusOf(body)).toBe(413);
    }
    const [, code, message] = await refusalOf(writeEvent('\n'.repeat(4)), environment);
    expect([code, message]).toEqual(['request too large', expect.stringContaining('more than 3 lines')]);
  });

  test('more than MaxTagsAndFields distinct tags and fields, over all lines', async () => {
    const environment = { max_tags_and_fields: '4' };
    const statusOf = async (body: string) => (await handlerOf({ environment }).handle(writeEvent(body)))?.statusCode;
    expect(await statusOf('m,a=1,b=1 f=1,g=1 1\nm,a=1,b=1 g=2,f=2 2\nm,b=1,a=1 f=3 3')).toBe(204);
    for (const more of ['m,a=2 f=1 2', 'm,a=1,b=1 h=1 2', 'm,a=1 f=1 2']) {
      expect(await statusOf(`m,a=1,b=1 f=1,g=1 1\n${more}`)).toBe(413);
    }
    const body = 'm,a=1,b=1,c=1,d=1,e=1 f=1';
    const [, code, message] = await refusalOf(writeEvent(body), environment);
    expect([code, message]).toEqual([
      'request too large',
      expect.stringContaining('more than 4 distinct tags and fields'),
    ]);
  });

  test('a gzip bomb', async () => {
    const bomb = gzipSync(Buffer.alloc(30 * 1024 ** 2, ' '));
    expect(bomb.length).toBeLessThan(100_000);
    const [status, code] = await refusalOf(writeEvent(bomb));
    expect([status, code]).toEqual([413, 'request too large']);
  });

  test('one byte above a limit, and accepts one at the limit', async () => {
    const at = (bytes: number) => `# ${'x'.repeat(bytes - 2)}`;
    const stored = async (body: string | Buffer, environment: Record<string, string>) =>
      (await handlerOf({ environment }).handle(writeEvent(body)))?.statusCode;
    const compressed = { max_compressed_bytes: '100' };
    expect(await stored(at(100), compressed)).toBe(204);
    expect(await stored(at(101), compressed)).toBe(413);
    expect(await stored(Buffer.from(at(100)), compressed)).toBe(204);
    expect(await stored(Buffer.from(at(101)), compressed)).toBe(413);
    const decompressed = { max_decompressed_bytes: '1000' };
    expect(await stored(gzipSync(at(1_000)), decompressed)).toBe(204);
    expect(await stored(gzipSync(at(1_001)), decompressed)).toBe(413);
    expect(await stored(at(1_001), decompressed)).toBe(413);
  });
});

describe('precision', () => {
  const NAMES = ['n', 'ns', 'u', 'us', 'µs', 'ms', 's', 'm', 'h', 'd', 'NS', 'auto', 'constructor'];
  const statusOf = async (path: string, precision: string) =>
    (await handlerOf().handle(writeEvent(LINE, { resource: path, queryStringParameters: { precision } })))?.statusCode;

  test.each(NAMES)('%s', async (name) => {
    expect(await statusOf('/api/v2/write', name)).toBe(['ns', 'us', 'ms', 's'].includes(name) ? 204 : 400);
    expect(await statusOf('/write', name)).toBe(['n', 'ns', 'u', 'us', 'ms', 's', 'm', 'h'].includes(name) ? 204 : 400);
    expect([V2_PRECISIONS.has(name), V1_PRECISIONS.has(name)]).toEqual([
      ['ns', 'us', 'ms', 's'].includes(name),
      ['n', 'ns', 'u', 'us', 'ms', 's', 'm', 'h'].includes(name),
    ]);
  });

  test('the error names the units of the path', async () => {
    const event = (resource: string) => writeEvent(LINE, { resource, queryStringParameters: { precision: 'd' } });
    expect(await refusalOf(event('/api/v2/write'))).toEqual([
      400,
      'invalid',
      'invalid precision; valid precision units are ns, us, ms, and s',
    ]);
    expect((await refusalOf(event('/write')))[2]).toContain('n, ns, u, us, ms, s, m, and h');
  });
});
