/** The AWS clients of the function: the queues, and the functions that letters are replayed to. */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SFNClient } from '@aws-sdk/client-sfn';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  type MessageAttributeValue,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { RedriveConfig } from 'shared/config';
import { executionsOf } from '../clients/step-functions';
import type { DeadLetter } from './letter';
import type { LetterQueue } from './redrive';
import type { ReplayTargets } from './replay';

/** Longer than a replay takes: a function runs for 900 s at most. */
const VISIBILITY_SECONDS = 960;
/** The longest there is, and longer than a run on Lambda: a letter that was put back is not received in the same run. */
const DELAY_SECONDS = 900;
/** Any wait at all has every server of the queue asked, so that no answer means no letter. */
const WAIT_SECONDS = 1;
const MAX_REASON = 1_000;

interface SqsLetter extends DeadLetter {
  readonly receipt: string | undefined;
  /** As its sender gave them, and those of earlier tries. */
  readonly attributes: Readonly<Record<string, MessageAttributeValue>>;
}

/**
 * The queue that letters are taken from, and the one where they are parked, which may be the same. Beside what it came with, a letter
 * that is moved has the attributes `Reason`, `Tries` and `FirstSentAt` (ms since 1970).
 */
export function letterQueue(queueUrl: string, parkingUrl: string, client = new SQSClient({})): LetterQueue<SqsLetter> {
  const send = ({ body, attributes, tries, firstSent }: SqsLetter, to: string, reason: string) =>
    client.send(
      new SendMessageCommand({
        QueueUrl: to,
        MessageBody: body,
        MessageAttributes: {
          ...attributes,
          Reason: { DataType: 'String', StringValue: attributeText(reason) },
          Tries: { DataType: 'Number', StringValue: String(tries) },
          FirstSentAt: { DataType: 'Number', StringValue: String(firstSent) },
        },
        ...(to === queueUrl && { DelaySeconds: DELAY_SECONDS }),
      }),
    );
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
      return message && letterOf(message);
    },
    async delete({ receipt }) {
      await client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: receipt }));
    },
    async putBack(letter, reason) {
      await send(letter, queueUrl, reason);
    },
    async park(letter, reason) {
      await send(letter, parkingUrl, reason);
    },
    async release({ receipt }) {
      const now = { QueueUrl: queueUrl, ReceiptHandle: receipt, VisibilityTimeout: 0 };
      await client.send(new ChangeMessageVisibilityCommand(now));
    },
  };
}

function letterOf({ Body = '', ReceiptHandle, Attributes, MessageAttributes = {} }: Message): SqsLetter {
  const { FirstSentAt, Tries, TARGET_ARN } = MessageAttributes;
  return {
    body: Body,
    receipt: ReceiptHandle,
    firstSent: Number(FirstSentAt?.StringValue ?? Attributes?.SentTimestamp),
    tries: Number(Tries?.StringValue ?? 0),
    target: TARGET_ARN?.StringValue,
    attributes: MessageAttributes,
  };
}

/** The characters that an attribute may hold, at least one. Source: SendMessage in the Amazon SQS API reference. */
const attributeText = (text: string): string =>
  text.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]/g, '?').slice(0, MAX_REASON) || 'unknown';

type TargetConfig = Pick<RedriveConfig, 'writeFunction' | 'loadObjectFunction' | 'stateMachineArn'>;

/** What letters are replayed to. */
export function replayTargets(
  { writeFunction, loadObjectFunction, stateMachineArn }: TargetConfig,
  lambda = new LambdaClient({}),
  workflow = new SFNClient({}),
): ReplayTargets {
  return {
    write: (event, signal) => invoke(lambda, writeFunction, event, signal),
    loadObject:
      loadObjectFunction === undefined
        ? undefined
        : (event, signal) => invoke(lambda, loadObjectFunction, event, signal),
    executions: stateMachineArn === undefined ? undefined : executionsOf(stateMachineArn, workflow),
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
