/** The content of a dead-letter message, recognized by its shape, and the part of it that is replayed. */
import { createHash } from 'node:crypto';
import { isPermanent } from 'shared/errors';
import { objectsOf } from 'shared/loads/object-events';
import { ledgerId } from 'shared/migration/request';
import type { WriteEvent } from '../write-line-protocol/request';

/** A message of the queue. */
export interface DeadLetterMessage {
  readonly body: string;
  /** When it first entered the queue, ms since 1970. */
  readonly firstSent: number;
  /** Replays that failed. */
  readonly tries: number;
  /** The target that EventBridge could not reach; undefined for other senders. */
  readonly target: string | undefined;
}

export type Content =
  | { readonly kind: 'write'; readonly event: WriteEvent }
  | { readonly kind: 'object'; readonly event: object }
  | ({ readonly kind: 'load' } & LoadContent)
  | ({ readonly kind: 'migration' } & MigrationContent)
  /** Cannot succeed without a change, or has an unknown shape. */
  | {
      readonly kind: 'unreplayable';
      readonly reason: string;
      /** The reason without data of the message. */
      readonly loggedReason: string;
    };

/** An execution of the workflow to start. */
export interface LoadContent {
  readonly name: string;
  /** Undefined if the message has none: then the input of the execution `failed` is used. */
  readonly input: string | undefined;
  /** The failed execution and the name of its error; undefined if none was started. */
  readonly failed: { readonly name: string; readonly error: string } | undefined;
  /** Whether a person requested the replay, who may have fixed the cause. */
  readonly requested: boolean;
}

/** A migration to continue. */
export interface MigrationContent {
  readonly name: string;
  /** The migration whose ledger the failed execution used. */
  readonly migrationId: string;
  /** The input of the failed execution; undefined if it was too large for the event. */
  readonly input: string | undefined;
}

export interface MessageRules {
  /** ARN of the loader's workflow; undefined without a loader. */
  readonly stateMachineArn: string | undefined;
  /** ARN of the migration's workflow; undefined without a migration. */
  readonly migrationArn?: string | undefined;
  /** Maximum replays of a load or a migration. */
  readonly maxTries: number;
  /** Whether messages come from the parking queue, which only a person replays: then permanent errors are tried again. */
  readonly fromParking: boolean;
  /** Whether the stack may have a loader that is not configured here: then messages for any state machine are loads. */
  readonly mayHaveLoader: boolean;
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
  if (event === undefined) return unreplayable('the message is not a JSON object');
  if (event['detail-type'] === 'Step Functions Execution Status Change') return failedExecution(event, message, rules);
  if (event['detail-type'] === 'Object Created' && isWorkflow(message.target, rules)) {
    const input = JSON.stringify(event);
    return {
      kind: 'load',
      name: executionName(message.body, 1),
      input,
      failed: undefined,
      requested: rules.fromParking,
    };
  }
  if (Array.isArray(event.rejectedLines)) {
    const reasons = event.rejectedLines.filter((reason) => typeof reason === 'string');
    const [reason = 'the lines cannot be stored without a change'] = reasons;
    const count = event.rejectedLines.length;
    return unreplayable(
      `rejected lines, which must be fixed first: ${reason}`,
      `${count} rejected ${count === 1 ? 'line' : 'lines'}, which must be fixed first`,
    );
  }
  if (typeof event.body === 'string') return { kind: 'write', event: timed(event, message.firstSent) };
  return isObjectEvent(event) ? { kind: 'object', event } : unreplayable('the message has an unknown shape');
}

function isWorkflow(target: string | undefined, { stateMachineArn, mayHaveLoader }: MessageRules): boolean {
  if (target === undefined) return false;
  if (stateMachineArn === undefined) return mayHaveLoader && /^arn:[^:]*:states:/.test(target);
  return target === stateMachineArn;
}

const unreplayable = (reason: string, loggedReason = reason): Content => ({
  kind: 'unreplayable',
  reason,
  loggedReason,
});

/** The event of a message. A destination wraps it in the record of the invocation. */
function eventOf(body: string): Fields | undefined {
  const message = fieldsOf(body);
  if (message === undefined) return undefined;
  const { requestContext, requestPayload } = message;
  return isFields(requestContext) && 'functionArn' in requestContext && isFields(requestPayload)
    ? requestPayload
    : message;
}

/** The object that a text has as JSON. */
function fieldsOf(text: string | undefined): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function failedExecution(
  { detail }: Fields,
  { body }: DeadLetterMessage,
  { stateMachineArn, migrationArn, maxTries, fromParking, mayHaveLoader }: MessageRules,
): Content {
  if (!isFields(detail) || typeof detail.name !== 'string') return unreplayable('the event does not name an execution');
  const isMigration = migrationArn !== undefined && detail.stateMachineArn === migrationArn;
  const noun = isMigration ? 'migration' : 'load';
  const isOwnUnknown = stateMachineArn === undefined && mayHaveLoader;
  if (!isOwnUnknown && !isMigration && (stateMachineArn === undefined || detail.stateMachineArn !== stateMachineArn)) {
    return unreplayable(
      `the execution belongs to another state machine; this stack ${stateMachineArn === undefined ? 'has none' : `has ${stateMachineArn}`}`,
    );
  }
  if (detail.status === 'ABORTED' && !isOwnUnknown)
    return unreplayable(`somebody aborted the ${noun}, and may start it again`);
  const error = textOf(detail.error);
  const [, replays = '0'] = /^redrive-(\d+)-/.exec(detail.name) ?? [];
  if (!fromParking && !isOwnUnknown) {
    if (isPermanent(error))
      return unreplayable(`a replay would fail in the same way: ${error}: ${textOf(detail.cause)}`);
    if (Number(replays) >= maxTries) return unreplayable(`the ${noun} failed again after ${replays} replays`);
  }
  const name = executionName(body, Number(replays) + 1);
  // EventBridge omits an input that is too large.
  const input = typeof detail.input === 'string' ? detail.input : undefined;
  if (isMigration) return { kind: 'migration', name, migrationId: ledgerId(detail.name, fieldsOf(input)), input };
  return { kind: 'load', name, input, failed: { name: detail.name, error }, requested: fromParking };
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Derived from the message, so that a message that is replayed twice starts one load. */
const executionName = (body: string, replay: number): string =>
  `redrive-${replay}-${createHash('sha256').update(body).digest('hex').slice(0, 32)}`;

/**
 * The event as one of asynchronous mode, for which the write function throws if a valid line is not stored. An event without a time, which
 * only a direct caller sends, gets the time of its message: the same at each replay, and older than any later write.
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
