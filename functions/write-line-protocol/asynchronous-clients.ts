/** What only asynchronous mode calls: Lambda, to hand over, and where rejected lines are kept. A bundle of its own, loaded on first use. */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { ConnectorConfig } from 'shared/config';
import { type RejectedLines, rejectedLinesLetter, rejectedLinesObject } from './asynchronous';
import type { WriteEvent } from './request';

let lambda: LambdaClient | undefined;
let sqs: SQSClient | undefined;
let s3: S3Client | undefined;

export async function invokeSelf({ region, functionName }: ConnectorConfig, event: WriteEvent): Promise<void> {
  lambda ??= new LambdaClient({ region });
  const payload = Buffer.from(JSON.stringify(event));
  await lambda.send(new InvokeCommand({ FunctionName: functionName, InvocationType: 'Event', Payload: payload }));
}

export async function keepRejected(config: ConnectorConfig, rejected: RejectedLines): Promise<void> {
  const { region, deadLetterQueueUrl: QueueUrl, rejectedLinesBucket: Bucket } = config;
  if (Bucket === undefined) {
    sqs ??= new SQSClient({ region });
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(rejectedLinesLetter(rejected)) }));
  } else {
    const { key, body } = rejectedLinesObject(rejected);
    s3 ??= new S3Client({ region });
    await s3.send(new PutObjectCommand({ Bucket, Key: key, Body: body, ContentType: 'application/gzip' }));
  }
}
