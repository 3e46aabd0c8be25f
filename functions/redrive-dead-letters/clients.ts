/** The AWS clients of the function: the queues, and the functions that messages are replayed to. */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SFNClient } from '@aws-sdk/client-sfn';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type MessageAttributeValue,
  type Message as ReceivedMessage,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { type ObjectStore, readText } from 'shared/loads/objects';
import { repetitionOf } from 'shared/loads/repeat';
import { workKey } from 'shared/loads/work-keys';
import { migrationKey } from 'shared/migration/work-keys';
import type { RedriveConfig } from 'shared/redrive-config';
import { s3Objects } from '../clients/s3';
import { type Executions, executionsOf } from '../clients/step-functions';
import type { DeadLetterMessage } from './message';
import type { MessageQueue } from './redrive';
import type { Loads, Migrations, ReplayTargets } from './replay';

/** Longer than any replay: a function runs for at most 900 s. */
const VISIBILITY_SECONDS = 960;
/** The maximum of SQS, and longer than a run on Lambda, so that a run does not receive what it put back. */
const DELAY_SECONDS = 900;
/** Any wait makes SQS query all of its servers, so that an empty response means an empty queue. */
const WAIT_SECONDS = 1;
const MAX_REASON = 1_000;
/** Of one message. Source: "Message attributes" in the Amazon SQS developer guide. */
const MAX_ATTRIBUTES = 10;

interface QueuedMessage extends DeadLetterMessage {
  readonly receipt: string | undefined;
  /** The sender's attributes, and those of earlier tries. */
  readonly attributes: Readonly<Record<string, MessageAttributeValue>>;
}

/**
 * The queue that messages are received from, and the queue where they are parked, which may be the same. A moved message has the attributes
 * `Reason`, `Tries` and `FirstSentAt` (ms since 1970) besides its own. Of more than ten attributes, the last of its own are dropped.
 */
export function messageQueue(
  queueUrl: string,
  parkingUrl: string,
  client = new SQSClient({}),
): MessageQueue<QueuedMessage> {
  const send = ({ body, attributes, tries, firstSent }: QueuedMessage, to: string, reason: string) => {
    const own = {
      Reason: { DataType: 'String', StringValue: attributeText(reason) },
      Tries: { DataType: 'Number', StringValue: String(tries) },
      FirstSentAt: { DataType: 'Number', StringValue: String(firstSent) },
    };
    const { TARGET_ARN, ...others } = attributes;
    // TARGET_ARN tells what the message is, so it is kept first.
    const all = { ...own, ...(TARGET_ARN && { TARGET_ARN }), ...others, ...own };
    return client.send(
      new SendMessageCommand({
        QueueUrl: to,
        MessageBody: body,
        MessageAttributes: Object.fromEntries(Object.entries(all).slice(0, MAX_ATTRIBUTES)),
        ...(to === queueUrl && { DelaySeconds: DELAY_SECONDS }),
      }),
    );
  };
  return {
    async receive() {
      const { Messages: [message] = [] } = await client.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: 1,
          VisibilityTimeout: VISIBILITY_SECONDS,
          WaitTimeSeconds: WAIT_SECONDS,
          MessageAttributeNames: ['All'],
          MessageSystemAttributeNames: ['SentTimestamp'],
        }),
      );
      return message && messageOf(message);
    },
    async delete({ receipt }) {
      await client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: receipt }));
    },
    async putBack(message, reason) {
      await send(message, queueUrl, reason);
    },
    async park(message, reason) {
      await send(message, parkingUrl, reason);
    },
    async release({ receipt }) {
      const now = { QueueUrl: queueUrl, ReceiptHandle: receipt, VisibilityTimeout: 0 };
      await client.send(new ChangeMessageVisibilityCommand(now));
    },
  };
}

function messageOf({ Body = '', ReceiptHandle, Attributes, MessageAttributes = {} }: ReceivedMessage): QueuedMessage {
  const { FirstSentAt, Tries, TARGET_ARN } = MessageAttributes;
  return {
    body: Body,
    receipt: ReceiptHandle,
    firstSent: count(FirstSentAt?.StringValue) ?? count(Attributes?.SentTimestamp) ?? Date.now(),
    tries: count(Tries?.StringValue) ?? 0,
    target: TARGET_ARN?.StringValue,
    attributes: MessageAttributes,
  };
}

/** A whole number from 0; undefined for any other text, since a sender may set any attribute. */
const count = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;

/** The characters that an attribute may hold, at least one. Source: SendMessage in the Amazon SQS API reference. */
const attributeText = (text: string): string =>
  text.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]/g, '?').slice(0, MAX_REASON) || 'unknown';

type TargetConfig = Pick<RedriveConfig, 'writeFunction' | 'loadObjectFunction' | 'workflow'>;

export interface TargetClients {
  readonly lambda: LambdaClient;
  readonly executions: SFNClient;
  readonly objects: Pick<ObjectStore, 'read'>;
}

/** The targets that messages are replayed to. */
export function replayTargets(config: TargetConfig, clients: Partial<TargetClients> = {}): ReplayTargets {
  const { writeFunction, loadObjectFunction, workflow } = config;
  const { lambda = new LambdaClient({}), executions = new SFNClient({}), objects = s3Objects() } = clients;
  return {
    write: (event, signal) => invoke(lambda, writeFunction, event, signal),
    loadObject:
      loadObjectFunction === undefined
        ? undefined
        : (event, signal) => invoke(lambda, loadObjectFunction, event, signal),
    migrations:
      workflow?.migrationArn === undefined
        ? undefined
        : migrationsOf(executionsOf(workflow.migrationArn, executions), objects, workflow.workBucket),
    loads: workflow && loadsOf(executionsOf(workflow.stateMachineArn, executions), objects, workflow.workBucket),
  };
}

function migrationsOf(executions: Executions, objects: Pick<ObjectStore, 'read'>, workBucket: string): Migrations {
  return {
    ...executions,
    async hasLedger(migrationId) {
      const key = migrationKey(migrationId, 'migration.json');
      return (await readText(objects, { bucket: workBucket, key })) !== undefined;
    },
  };
}

function loadsOf(executions: Executions, objects: Pick<ObjectStore, 'read'>, workBucket: string): Loads {
  return {
    ...executions,
    async repetition(loadId) {
      const summary = { bucket: workBucket, key: workKey(loadId, 'summary.json') };
      try {
        const text = await readText(objects, summary);
        return text === undefined ? undefined : repetitionOf(JSON.parse(text));
      } catch (cause) {
        // Another type of error: the store's error names would blame the data of the load.
        throw new Error(`the summary s3://${summary.bucket}/${summary.key} cannot be read: ${String(cause)}`, {
          cause,
        });
      }
    },
  };
}

/** Waits for the function to end. @throws the function's error */
async function invoke(client: LambdaClient, FunctionName: string, event: object, signal: AbortSignal): Promise<void> {
  const command = new InvokeCommand({ FunctionName, Payload: Buffer.from(JSON.stringify(event)) });
  const { FunctionError, Payload } = await client.send(command, { abortSignal: signal });
  if (FunctionError === undefined) return;
  const { errorType = FunctionError, errorMessage = '' } = JSON.parse(Buffer.from(Payload ?? []).toString() || '{}');
  throw Object.assign(new Error(String(errorMessage)), { name: String(errorType) });
}
