/** What only asynchronous mode calls: Lambda, to hand over, and the dead letter queue. A bundle of its own, loaded on first use. */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { ConnectorConfig } from 'shared/config';
import type { RejectedLinesLetter } from './asynchronous';
import type { WriteEvent } from './request';

let lambda: LambdaClient | undefined;
let sqs: SQSClient | undefined;

export async function invokeSelf({ region, functionName }: ConnectorConfig, event: WriteEvent): Promise<void> {
  lambda ??= new LambdaClient({ region });
  const payload = Buffer.from(JSON.stringify(event));
  await lambda.send(new InvokeCommand({ FunctionName: functionName, InvocationType: 'Event', Payload: payload }));
}

export async function sendLetter(config: ConnectorConfig, letter: RejectedLinesLetter): Promise<void> {
  const { region, deadLetterQueueUrl: QueueUrl } = config;
  sqs ??= new SQSClient({ region });
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(letter) }));
}
