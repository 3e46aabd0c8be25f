/** What a dead letter holds, told by its shape, and what of it is replayed. */
import { createHash } from 'node:crypto';
import { objectsOf } from 'shared/loads/object-events';
import type { WriteEvent } from '../write-line-protocol/request';

/** A letter as the queue has it. */
export interface DeadLetter {
  readonly body: string;
  /** When it first came into the queue, ms since 1970. */
  readonly firstSent: number;
  /** Replays that failed. */
  readonly tries: number;
  /** What EventBridge could not reach with it; undefined for a letter of anyone else. */
  readonly target: string | undefined;
}

export type Content =
  | { readonly kind: 'write'; readonly event: WriteEvent }
  | { readonly kind: 'object'; readonly event: object }
  /** An execution of the workflow; without an input it is that of the execution `failed`. */
  | { readonly kind: 'load'; readonly name: string; readonly input: string | undefined; readonly failed: string }
  /** Can never succeed as it is, or is of no known shape. */
  | { readonly kind: 'unreplayable'; readonly reason: string };

interface Fields {
  readonly [name: string]: unknown;
}

/**
 * Reads a letter: an event of the write function, of an object, or of an execution that failed; each also within the record that
 * Lambda sends to a destination. Source: "Capturing records of Lambda asynchronous invocations" in the AWS Lambda developer guide,
 * "Step Functions events" in that of EventBridge.
 * @param stateMachineArn of the loader's workflow; undefined where there is none
 * @param maxTries a load that failed again after so many replays is not started once more
 */
export function readLetter(letter: DeadLetter, stateMachineArn: string | undefined, maxTries: number): Content {
  const event = eventOf(letter.body);
  if (event === undefined) return unreplayable('the letter is no JSON object');
  if (event['detail-type'] === 'Step Functions Execution Status Change') {
    return failedLoad(event, letter, stateMachineArn, maxTries);
  }
  if (event['detail-type'] === 'Object Created' && letter.target !== undefined && letter.target === stateMachineArn) {
    return { kind: 'load', name: executionName(letter.body, 1), input: JSON.stringify(event), failed: '' };
  }
  if (Array.isArray(event.rejectedLines)) {
    const reasons = event.rejectedLines.filter((reason) => typeof reason === 'string');
    const [reason = 'the lines can never be stored as they are'] = reasons;
    return unreplayable(`rejected lines, which have to be mended first: ${reason}`);
  }
  if (typeof event.body === 'string') return { kind: 'write', event: timed(event, letter.firstSent) };
  return isObjectEvent(event) ? { kind: 'object', event } : unreplayable('no event of this stack has this shape');
}

const unreplayable = (reason: string): Content => ({ kind: 'unreplayable', reason });

/** The event in a letter, which a destination has within a record of its invocation. */
function eventOf(body: string): Fields | undefined {
  try {
    const letter: unknown = JSON.parse(body);
    if (!isFields(letter)) return undefined;
    const { requestContext, requestPayload } = letter;
    return isFields(requestContext) && 'functionArn' in requestContext && isFields(requestPayload)
      ? requestPayload
      : letter;
  } catch {
    return undefined;
  }
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function failedLoad(
  { detail }: Fields,
  { body }: DeadLetter,
  stateMachineArn: string | undefined,
  maxTries: number,
): Content {
  if (!isFields(detail) || typeof detail.name !== 'string') return unreplayable('the event names no execution');
  if (stateMachineArn === undefined || detail.stateMachineArn !== stateMachineArn) {
    return unreplayable(
      `an execution of another state machine than ${stateMachineArn ?? 'this stack, which has none'}`,
    );
  }
  if (detail.status === 'ABORTED')
    return unreplayable('the load was aborted by somebody, and is theirs to start again');
  const [, replays = '0'] = /^redrive-(\d+)-/.exec(detail.name) ?? [];
  if (Number(replays) >= maxTries) return unreplayable(`the load failed again after ${replays} replays`);
  // EventBridge leaves out what is too large for it.
  const input = typeof detail.input === 'string' ? detail.input : undefined;
  return { kind: 'load', name: executionName(body, Number(replays) + 1), input, failed: detail.name };
}

/** The same for the same letter, so that a letter replayed twice starts one load. */
const executionName = (body: string, replay: number): string =>
  `redrive-${replay}-${createHash('sha256').update(body).digest('hex').slice(0, 32)}`;

/**
 * The event as one that was handed over, for which the write function throws what it could not store. One without a time of its own,
 * which nobody but a direct caller sends, gets that of its letter: the same at each replay, and older than any write after it.
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
