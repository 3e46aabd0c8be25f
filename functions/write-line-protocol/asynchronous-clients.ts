/** The clients that only asynchronous mode needs: Lambda and the dead-letter queue. A separate bundle, loaded on first use. */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { ConnectorConfig } from 'shared/config';
import type { DeadLetter } from './dead-letters';
import type { WriteEvent } from './request';

/** The SDK aborts and retries a call that gets no response. The caller's signal ends all tries at the deadline. */
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

export async function sendDeadLetter(config: ConnectorConfig, message: DeadLetter, signal: AbortSignal): Promise<void> {
  const { region, deadLetterQueueUrl: QueueUrl } = config;
  sqs ??= new SQSClient({ region, requestHandler });
  const command = new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(message) });
  await sqs.send(command, { abortSignal: signal });
}
