/** Reads the objects to load from an event of S3, EventBridge, SNS or SQS, or from a direct invocation. */

import { z } from 'zod';
import { InvalidEventError } from '../errors';
import { validate } from '../validation';
import { isLeftOut } from './left-out';
import { bucketSchema, keySchema } from './objects';

const requestSchema = z.strictObject({
  bucket: bucketSchema,
  key: keySchema,
  dataset: z.string().trim().min(1, 'must not be empty').nullish(),
});

export type ObjectRequest = z.output<typeof requestSchema>;

const recordSchema = z.object({
  eventName: z.string().optional(),
  s3: z.object({ bucket: z.object({ name: z.string() }), object: z.object({ key: z.string() }) }),
});
const envelopeSchema = z.object({ Type: z.literal('Notification'), Message: z.string() });
const topicSchema = z.object({ Sns: z.object({ Message: z.string() }) });
const messageSchema = z.object({ messageId: z.string(), body: z.string() });
const createdSchema = z.object({
  detail: z.object({ bucket: z.object({ name: z.string() }), object: z.object({ key: z.string() }) }),
});

/** A message of a queue. Its `body` is an event of another kind. */
export type QueueMessage = z.output<typeof messageSchema>;

const EXPECTED =
  '{bucket, key, dataset?}, an S3 notification or an EventBridge "Object Created" event (directly, or through SNS, SQS or both)';

/** The messages of an SQS event; undefined for any other event. */
export function queueMessages(event: unknown): QueueMessage[] | undefined {
  const records = recordsOf(event);
  const [first] = records ?? [];
  if ((first as { eventSource?: unknown } | undefined)?.eventSource !== 'aws:sqs') return undefined;
  return validate(z.array(messageSchema), records, 'the SQS event');
}

/** Whether the sender of the event is a service that ignores the response. */
export function isNotification(event: unknown): boolean {
  return recordsOf(event) !== undefined || isTestEvent(event) || isCreated(event) || isEnvelope(event);
}

export interface ObjectsToLoad {
  readonly objects: readonly ObjectRequest[];
  /** Number of objects of notifications that are not data: markers and hidden objects. */
  readonly ignored: number;
}

/**
 * The objects to load of any event but an SQS event. Objects of a notification are left out if a listing would leave them out. An object
 * of a request is always loaded, whatever its name.
 * @throws InvalidEventError for an unknown kind of event
 */
export function objectsToLoad(event: unknown): ObjectsToLoad {
  const named = unwrapped(event).map((inner) => ({ objects: objectsIn(inner), isNotified: isNotification(inner) }));
  const objects = named.flatMap((part) => part.objects.filter(({ key }) => !part.isNotified || !isLeftOut(key)));
  return { objects, ignored: named.reduce((sum, part) => sum + part.objects.length, 0) - objects.length };
}

/**
 * All objects of any event but an SQS event; empty for a notification about anything but created objects.
 * @throws InvalidEventError for an unknown kind of event
 */
export function objectsOf(event: unknown): ObjectRequest[] {
  return unwrapped(event).flatMap(objectsIn);
}

/** The events in an SNS event. Lambda gets them as records; a queue gets them in an envelope, unless raw delivery is on. */
function unwrapped(event: unknown): unknown[] {
  if (isEnvelope(event)) return unwrapped(parsed(validate(envelopeSchema, event, 'the SNS message').Message));
  const records = recordsOf(event);
  if ((records?.[0] as { EventSource?: unknown } | undefined)?.EventSource !== 'aws:sns') return [event];
  const topics = validate(z.array(topicSchema), records, 'the SNS event');
  return topics.flatMap(({ Sns }) => unwrapped(parsed(Sns.Message)));
}

function parsed(message: string): unknown {
  try {
    return JSON.parse(message);
  } catch (cause) {
    throw new InvalidEventError('the SNS message is not JSON: expected an S3 notification', { cause });
  }
}

function objectsIn(event: unknown): ObjectRequest[] {
  if (isTestEvent(event)) return [];
  if (isCreated(event)) {
    const { detail } = validate(createdSchema, event, 'the EventBridge event');
    return [{ bucket: detail.bucket.name, key: detail.object.key }];
  }
  const records = recordsOf(event);
  if (!records) return [readObjectRequest(event)];
  return validate(z.array(recordSchema), records, 'the S3 notification')
    .filter(({ eventName = 'ObjectCreated' }) => /^(s3:)?ObjectCreated/.test(eventName))
    .map(({ s3 }) => ({ bucket: s3.bucket.name, key: decoded(s3.object.key) }));
}

/** Reads a request for one object. @throws InvalidEventError for anything else */
export function readObjectRequest(event: unknown): ObjectRequest {
  return validate(requestSchema, event, `the event must be ${EXPECTED}; this event`);
}

/** Decodes a key of a notification: percent-encoded, with `+` for a space. */
function decoded(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch (cause) {
    throw new InvalidEventError(`the key '${key}' of the notification is not URL-encoded`, { cause });
  }
}

function recordsOf(event: unknown): unknown[] | undefined {
  const records = (event as { Records?: unknown } | null | undefined)?.Records;
  return Array.isArray(records) ? records : undefined;
}

/** S3 sends this event when a notification is set up. */
const isTestEvent = (event: unknown): boolean => (event as { Event?: unknown } | null)?.Event === 's3:TestEvent';

const isEnvelope = (event: unknown): boolean => envelopeSchema.safeParse(event).success;

const isCreated = (event: unknown): boolean =>
  (event as { 'detail-type'?: unknown } | null)?.['detail-type'] === 'Object Created';
