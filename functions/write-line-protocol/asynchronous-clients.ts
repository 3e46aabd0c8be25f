/** What only asynchronous mode calls: Lambda, to hand over, and the dead letter queue. A bundle of its own, loaded on first use. */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { ConnectorConfig } from 'shared/config';
import type { RejectedLinesLetter } from './asynchronous';
import type { WriteEvent } from './request';

/** A call that is silent is aborted, and tried again by the SDK, within the deadline that the caller's signal sets. */
const requestHandler = { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true };

let lambda: LambdaClient | undefined;
let sqs: SQSClient | undefined;

export async function invokeSelf(
  { region, functionName }: ConnectorConfig,
  event: WriteEvent,
  signal: AbortSignal,
): Promise<void> {
  lambda ??= new LambdaClient({ region, requestHandler });
  const payload = Buffer.from(JSON.stringify(event));
  const command = new InvokeCommand({ FunctionName: functionName, InvocationType: 'Event', Payload: payload });
  await lambda.send(command, { abortSignal: signal });
}

export async function sendLetter(
  config: ConnectorConfig,
  letter: RejectedLinesLetter,
  signal: AbortSignal,
): Promise<void> {
  const { region, deadLetterQueueUrl: QueueUrl } = config;
  sqs ??= new SQSClient({ region, requestHandler });
  const command = new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(letter) });
  await sqs.send(command, { abortSignal: signal });
}
