/** Which objects an event asks to load, whatever services it came through. */

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

/** A message of a queue; `body` is an event of another kind. */
export type QueueMessage = z.output<typeof messageSchema>;

const EXPECTED =
  '{bucket, key, dataset?}, a notification of S3 or "Object Created" of EventBridge (directly, or through SNS, SQS or both)';

/** The messages of an event of SQS; undefined for any other. */
export function queueMessages(event: unknown): QueueMessage[] | undefined {
  const records = recordsOf(event);
  const [first] = records ?? [];
  if ((first as { eventSource?: unknown } | undefined)?.eventSource !== 'aws:sqs') return undefined;
  return validate(z.array(messageSchema), records, 'the event of SQS');
}

/** Whether an event was sent by a service that waits for no answer. */
export function isNotification(event: unknown): boolean {
  return recordsOf(event) !== undefined || isTestEvent(event) || isCreated(event) || isEnvelope(event);
}

export interface ObjectsToLoad {
  readonly objects: readonly ObjectRequest[];
  /** Objects of a notification that are not data: markers and hidden objects. */
  readonly ignored: number;
}

/**
 * The objects to load of an event that is not of SQS. What a notification names is left out where a listing would leave it out; what
 * somebody asks for by its key is loaded whatever its name.
 * @throws InvalidEventError for an event of no known kind
 */
export function objectsToLoad(event: unknown): ObjectsToLoad {
  const named = unwrapped(event).map((inner) => ({ objects: objectsIn(inner), isNotified: isNotification(inner) }));
  const objects = named.flatMap((part) => part.objects.filter(({ key }) => !part.isNotified || !isLeftOut(key)));
  return { objects, ignored: named.reduce((sum, part) => sum + part.objects.length, 0) - objects.length };
}

/**
 * All objects that an event names, which is not of SQS; none for a notification about anything but created objects.
 * @throws InvalidEventError for an event of no known kind
 */
export function objectsOf(event: unknown): ObjectRequest[] {
  return unwrapped(event).flatMap(objectsIn);
}

/** The events within those of SNS, which Lambda gets as records, and a queue as an envelope unless its delivery is raw. */
function unwrapped(event: unknown): unknown[] {
  if (isEnvelope(event)) return unwrapped(parsed(validate(envelopeSchema, event, 'the message of SNS').Message));
  const records = recordsOf(event);
  if ((records?.[0] as { EventSource?: unknown } | undefined)?.EventSource !== 'aws:sns') return [event];
  const topics = validate(z.array(topicSchema), records, 'the event of SNS');
  return topics.flatMap(({ Sns }) => unwrapped(parsed(Sns.Message)));
}

function parsed(message: string): unknown {
  try {
    return JSON.parse(message);
  } catch (cause) {
    throw new InvalidEventError('the message of SNS is not JSON: expected a notification of S3', { cause });
  }
}

function objectsIn(event: unknown): ObjectRequest[] {
  if (isTestEvent(event)) return [];
  if (isCreated(event)) {
    const { detail } = validate(createdSchema, event, 'the event of EventBridge');
    return [{ bucket: detail.bucket.name, key: detail.object.key }];
  }
  const records = recordsOf(event);
  if (!records) return [readObjectRequest(event)];
  return validate(z.array(recordSchema), records, 'the notification of S3')
    .filter(({ eventName = 'ObjectCreated' }) => /^(s3:)?ObjectCreated/.test(eventName))
    .map(({ s3 }) => ({ bucket: s3.bucket.name, key: decoded(s3.object.key) }));
}

/** A request that names one object. @throws InvalidEventError for anything else */
export function readObjectRequest(event: unknown): ObjectRequest {
  return validate(requestSchema, event, `the event must be ${EXPECTED}; this one`);
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

const isEnvelope = (event: unknown): boolean => envelopeSchema.safeParse(event).success;

const isCreated = (event: unknown): boolean =>
  (event as { 'detail-type'?: unknown } | null)?.['detail-type'] === 'Object Created';
