/** Which objects an event asks to load, whatever service sent it. */

import { z } from 'zod';
import { InvalidEventError } from '../errors';
import { check } from './load';

const requestSchema = z.strictObject({
  bucket: z.string().min(1, 'must not be empty').max(255, 'is longer than a bucket or an access point can be named'),
  key: z.string().min(1, 'must not be empty').max(1024, 'is longer than a key can be'),
  dataset: z.string().trim().min(1, 'must not be empty').nullish(),
});

export type ObjectRequest = z.output<typeof requestSchema>;

const recordSchema = z.object({
  eventName: z.string().optional(),
  s3: z.object({ bucket: z.object({ name: z.string() }), object: z.object({ key: z.string() }) }),
});
const messageSchema = z.object({ messageId: z.string(), body: z.string() });
const createdSchema = z.object({
  detail: z.object({ bucket: z.object({ name: z.string() }), object: z.object({ key: z.string() }) }),
});

/** A message of a queue; `body` is an event of another kind. */
export type QueueMessage = z.output<typeof messageSchema>;

const EXPECTED =
  '{bucket, key, dataset?}, a notification of S3 (directly or through SQS), or "Object Created" of EventBridge';

/** The messages of an event of SQS; undefined for any other. */
export function queueMessages(event: unknown): QueueMessage[] | undefined {
  const records = recordsOf(event);
  const [first] = records ?? [];
  if ((first as { eventSource?: unknown } | undefined)?.eventSource !== 'aws:sqs') return undefined;
  return check(z.array(messageSchema), records, 'the event of SQS');
}

/** Whether an event was sent by a service that waits for no answer. */
export function isNotification(event: unknown): boolean {
  return recordsOf(event) !== undefined || isTestEvent(event) || isCreated(event);
}

/**
 * The objects of an event that is not of SQS; none for a notification about anything but created objects.
 * @throws InvalidEventError for an event of no known kind
 */
export function objectsOf(event: unknown): ObjectRequest[] {
  if (isTestEvent(event)) return [];
  if (isCreated(event)) {
    const { detail } = check(createdSchema, event, 'the event of EventBridge');
    return [{ bucket: detail.bucket.name, key: detail.object.key }];
  }
  const records = recordsOf(event);
  if (!records) return [readRequest(event)];
  return check(z.array(recordSchema), records, 'the notification of S3')
    .filter(({ eventName = 'ObjectCreated' }) => /^(s3:)?ObjectCreated/.test(eventName))
    .map(({ s3 }) => ({ bucket: s3.bucket.name, key: decoded(s3.object.key) }));
}

/** A request that names one object. @throws InvalidEventError for anything else */
export function readRequest(event: unknown): ObjectRequest {
  return check(requestSchema, event, `the event must be ${EXPECTED}; this one`);
}

/** As notifications write keys: percent-encoded, with `+` for a space. */
function decoded(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch (cause) {
    throw new InvalidEventError(`the notification's key '${key}' is not URL-encoded`, { cause });
  }
}

function recordsOf(event: unknown): unknown[] | undefined {
  const records = (event as { Records?: unknown } | null | undefined)?.Records;
  return Array.isArray(records) ? records : undefined;
}

/** What S3 sends when a notification is set up. */
const isTestEvent = (event: unknown): boolean => (event as { Event?: unknown } | null)?.Event === 's3:TestEvent';

const isCreated = (event: unknown): boolean =>
  (event as { 'detail-type'?: unknown } | null)?.['detail-type'] === 'Object Created';
