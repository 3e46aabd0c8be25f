/** Checks that the function accepts an event. Any other event must fail: a response would acknowledge data that nobody read. */
import { InvalidEventError } from 'shared/errors';
import type { WriteEvent } from './request';

/** The keys of a bare write, which is not an HTTP request: a body, and how to read it. */
const BARE_KEYS = new Set([
  'body',
  'isBase64Encoded',
  'headers',
  'queryParameters',
  'queryStringParameters',
  'multiValueQueryStringParameters',
  'requestContext',
  'asynchronous',
  'destination',
  'rejectedLines',
]);
const BARE_CONTEXT_KEYS = new Set(['requestId', 'requestTimeEpoch', 'timeEpoch']);

type Fields = Readonly<Record<string, unknown>>;

const EXPECTED =
  'the function accepts HTTP requests (from API Gateway, a function URL or a load balancer) and {"body": "<line protocol>"}';

/**
 * Accepts HTTP requests from API Gateway (REST, or HTTP with payload version 1.0 or 2.0), a function URL or an Application Load
 * Balancer, and bare writes.
 * @throws InvalidEventError for every other event, such as an event from SQS, Kinesis, S3, EventBridge or a WebSocket API
 */
export function assertWriteEvent(event: unknown): asserts event is WriteEvent {
  if (!isFields(event)) throw new InvalidEventError(`${EXPECTED}: the event must be an object`);
  if (isHttpRequest(event)) return;
  const foreign = foreignKey(event);
  if (foreign === undefined && typeof event.body === 'string') return;
  if (foreign === undefined && 'body' in event) throw new InvalidEventError('the body of the event must be a string');
  throw new InvalidEventError(`${EXPECTED}, not ${eventKind(event)}`);
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Sources: the proxy events in the developer guides of API Gateway, Lambda function URLs and Application Load Balancers. */
function isHttpRequest({ httpMethod, path, resource, rawPath, requestContext }: Fields): boolean {
  if (typeof httpMethod === 'string') return typeof path === 'string' || typeof resource === 'string';
  const http = isFields(requestContext) ? requestContext.http : undefined;
  return typeof rawPath === 'string' && isFields(http) && typeof http.method === 'string';
}

/** A key of the event that a bare write does not have. */
function foreignKey(event: Fields): string | undefined {
  const key = Object.keys(event).find((each) => !BARE_KEYS.has(each));
  if (key !== undefined) return key;
  const { requestContext: context } = event;
  return isFields(context) ? Object.keys(context).find((each) => !BARE_CONTEXT_KEYS.has(each)) : undefined;
}

/** The kind of an event, as far as its keys show it. */
function eventKind(event: Fields): string {
  const { Records: records, requestContext: context } = event;
  if (Array.isArray(records)) {
    const [first] = records as unknown[];
    const source = isFields(first) ? (first.eventSource ?? first.EventSource) : undefined;
    return typeof source === 'string' ? `records from ${source}` : 'Records';
  }
  if (typeof event.eventSource === 'string') return `an event from ${event.eventSource}`;
  if (typeof event.source === 'string' && 'detail-type' in event) return `an EventBridge event from ${event.source}`;
  if (isFields(context) && 'connectionId' in context) return 'an event from a WebSocket API';
  const keys = Object.keys(event);
  return keys.length === 0 ? 'an event without keys' : `an event with the keys ${keys.slice(0, 10).join(', ')}`;
}
