/** Which events the function takes. Any other one must fail: a response would acknowledge data that nobody read. */
import { InvalidEventError } from 'shared/errors';
import type { WriteEvent } from './request';

/** The keys of an event that is no HTTP request: a body, and how to read it. */
const BARE_KEYS = new Set([
  'body',
  'isBase64Encoded',
  'headers',
  'queryParameters',
  'queryStringParameters',
  'multiValueQueryStringParameters',
  'requestContext',
  'asynchronous',
  'rejectedLines',
]);
const BARE_CONTEXT_KEYS = new Set(['requestId', 'requestTimeEpoch', 'timeEpoch']);

type Fields = Readonly<Record<string, unknown>>;

const EXPECTED =
  'the function takes HTTP requests (of API Gateway, a function URL or a load balancer) and {"body": "<line protocol>"}';

/**
 * The event, if it is an HTTP request of API Gateway (REST, or HTTP with payload version 1.0 or 2.0), a function URL or an
 * Application Load Balancer, or a bare write.
 * @throws InvalidEventError for every other event, such as one of SQS, Kinesis, S3, EventBridge or a WebSocket API
 */
export function assertWriteEvent(event: unknown): asserts event is WriteEvent {
  if (!isFields(event)) throw new InvalidEventError(`${EXPECTED}: the event must be an object`);
  if (isHttpRequest(event)) return;
  const foreign = foreignKey(event);
  if (foreign === undefined && typeof event.body === 'string') return;
  if (foreign === undefined && 'body' in event) throw new InvalidEventError('the body of the event must be a string');
  throw new InvalidEventError(`${EXPECTED}, not ${describe(event)}`);
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Sources: the proxy events in the developer guides of API Gateway, Lambda function URLs and Application Load Balancers. */
function isHttpRequest({ httpMethod, path, resource, rawPath, requestContext }: Fields): boolean {
  if (typeof httpMethod === 'string') return typeof path === 'string' || typeof resource === 'string';
  const http = isFields(requestContext) ? requestContext.http : undefined;
  return typeof rawPath === 'string' && isFields(http) && typeof http.method === 'string';
}

/** A key that no bare write has. */
function foreignKey(event: Fields): string | undefined {
  const key = Object.keys(event).find((each) => !BARE_KEYS.has(each));
  if (key !== undefined) return key;
  const { requestContext: context } = event;
  return isFields(context) ? Object.keys(context).find((each) => !BARE_CONTEXT_KEYS.has(each)) : undefined;
}

/** What an event is, as far as its keys show. */
function describe(event: Fields): string {
  const { Records: records, requestContext: context } = event;
  if (Array.isArray(records)) {
    const [first] = records as unknown[];
    const source = isFields(first) ? (first.eventSource ?? first.EventSource) : undefined;
    return typeof source === 'string' ? `records of ${source}` : 'Records';
  }
  if (typeof event.eventSource === 'string') return `an event of ${event.eventSource}`;
  if (typeof event.source === 'string' && 'detail-type' in event) return `an EventBridge event of ${event.source}`;
  if (isFields(context) && 'connectionId' in context) return 'an event of a WebSocket API';
  const keys = Object.keys(event);
  return keys.length === 0 ? 'an event without keys' : `an event with the keys ${keys.slice(0, 10).join(', ')}`;
}
