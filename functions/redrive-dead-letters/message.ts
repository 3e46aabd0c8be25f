/** What a dead-letter message holds, told by its shape, and what of it is replayed. */
import { createHash } from 'node:crypto';
import { isPermanent } from 'shared/errors';
import { objectsOf } from 'shared/loads/object-events';
import type { WriteEvent } from '../write-line-protocol/request';

/** A message as the queue has it. */
export interface DeadLetterMessage {
  readonly body: string;
  /** When it first came into the queue, ms since 1970. */
  readonly firstSent: number;
  /** Replays that failed. */
  readonly tries: number;
  /** What EventBridge could not reach with it; undefined for a message of anyone else. */
  readonly target: string | undefined;
}

export type Content =
  | { readonly kind: 'write'; readonly event: WriteEvent }
  | { readonly kind: 'object'; readonly event: object }
  | ({ readonly kind: 'load' } & LoadContent)
  /** Can never succeed as it is, or is of no known shape. */
  | { readonly kind: 'unreplayable'; readonly reason: string };

/** An execution of the workflow to start. */
export interface LoadContent {
  readonly name: string;
  /** Undefined where the message lacks it: then it is that of the execution `failed`. */
  readonly input: string | undefined;
  /** The execution that failed, and the name of its error; undefined where none was ever started. */
  readonly failed: { readonly name: string; readonly error: string } | undefined;
  /** Whether somebody asked for it, who may have changed what it failed at. */
  readonly wanted: boolean;
}

export interface MessageRules {
  /** Of the loader's workflow; undefined where there is none. */
  readonly stateMachineArn: string | undefined;
  /** A load that failed again after so many replays is not started once more. */
  readonly maxTries: number;
  /** Whether messages come from the parking queue, which nothing but a person replays: then what failed for good is tried again. */
  readonly fromParking: boolean;
}

interface Fields {
  readonly [name: string]: unknown;
}

/**
 * Reads a message: an event of the write function, of an object, or of an execution that failed; each also within the record that
 * Lambda sends to a destination. Source: "Capturing records of Lambda asynchronous invocations" in the AWS Lambda developer guide,
 * "Step Functions events" in that of EventBridge.
 */
export function readMessage(message: DeadLetterMessage, rules: MessageRules): Content {
  const event = eventOf(message.body);
  if (event === undefined) return unreplayable('the message is no JSON object');
  if (event['detail-type'] === 'Step Functions Execution Status Change') return failedLoad(event, message, rules);
  if (event['detail-type'] === 'Object Created' && message.target && message.target === rules.stateMachineArn) {
    const input = JSON.stringify(event);
    return { kind: 'load', name: executionName(message.body, 1), input, failed: undefined, wanted: rules.fromParking };
  }
  if (Array.isArray(event.rejectedLines)) {
    const reasons = event.rejectedLines.filter((reason) => typeof reason === 'string');
    const [reason = 'the lines can never be stored as they are'] = reasons;
    return unreplayable(`rejected lines, which have to be mended first: ${reason}`);
  }
  if (typeof event.body === 'string') return { kind: 'write', event: timed(event, message.firstSent) };
  return isObjectEvent(event) ? { kind: 'object', event } : unreplayable('no event of this stack has this shape');
}

const unreplayable = (reason: string): Content => ({ kind: 'unreplayable', reason });

/** The event in a message, which a destination has within a record of its invocation. */
function eventOf(body: string): Fields | undefined {
  try {
    const message: unknown = JSON.parse(body);
    if (!isFields(message)) return undefined;
    const { requestContext, requestPayload } = message;
    return isFields(requestContext) && 'functionArn' in requestContext && isFields(requestPayload)
      ? requestPayload
      : message;
  } catch {
    return undefined;
  }
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function failedLoad(
  { detail }: Fields,
  { body }: DeadLetterMessage,
  { stateMachineArn, maxTries, fromParking }: MessageRules,
): Content {
  if (!isFields(detail) || typeof detail.name !== 'string') return unreplayable('the event names no execution');
  if (stateMachineArn === undefined || detail.stateMachineArn !== stateMachineArn) {
    return unreplayable(
      `an execution of another state machine than ${stateMachineArn ?? 'this stack, which has none'}`,
    );
  }
  if (detail.status === 'ABORTED')
    return unreplayable('the load was aborted by somebody, and is theirs to start again');
  const error = textOf(detail.error);
  const [, replays = '0'] = /^redrive-(\d+)-/.exec(detail.name) ?? [];
  if (!fromParking) {
    if (isPermanent(error)) return unreplayable(`the load cannot end otherwise: ${error}: ${textOf(detail.cause)}`);
    if (Number(replays) >= maxTries) return unreplayable(`the load failed again after ${replays} replays`);
  }
  return {
    kind: 'load',
    name: executionName(body, Number(replays) + 1),
    // EventBridge leaves out what is too large for it.
    input: typeof detail.input === 'string' ? detail.input : undefined,
    failed: { name: detail.name, error },
    wanted: fromParking,
  };
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The same for the same message, so that a message replayed twice starts one load. */
const executionName = (body: string, replay: number): string =>
  `redrive-${replay}-${createHash('sha256').update(body).digest('hex').slice(0, 32)}`;

/**
 * The event as one that was handed over, for which the write function throws what it could not store. One without a time of its own,
 * which nobody but a direct caller sends, gets that of its message: the same at each replay, and older than any write after it.
 */
function timed(event: WriteEvent, firstSent: number): WriteEvent {
  const context = event.requestContext;
  const requestTimeEpoch = context?.requestTimeEpoch ?? context?.timeEpoch ?? firstSent;
  return { ...event, asynchronous: true, requestContext: { ...context, requestTimeEpoch } };
}

function isObjectEvent(event: Fields): boolean {
  try {
    return objectsOf(event).length > 0;
  } catch {
    return false;
  }
}
