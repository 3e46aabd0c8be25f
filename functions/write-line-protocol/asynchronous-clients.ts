/**
 * What only asynchronous mode calls: Lambda, to hand over, and the queue or bucket for what it rejects. A bundle of its own,
 * loaded on first use.
 */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { S3Client } from '@aws-sdk/client-s3';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { ConnectorConfig } from 'shared/config';
import type { RejectedLinesLetter } from './asynchronous';
import type { WriteEvent } from './request';

let lambda: LambdaClient | undefined;
let sqs: SQSClient | undefined;
let s3: S3Client | undefined;

export async function invokeSelf({ region, functionName }: ConnectorConfig, event: WriteEvent): Promise<void> {
  lambda ??= new LambdaClient({ region });
  const payload = Buffer.from(JSON.stringify(event));
  await lambda.send(new InvokeCommand({ FunctionName: functionName, InvocationType: 'Event', Payload: payload }));
}

/** Puts the letter into the bucket for rejected lines, or, where there is none, into the dead letter queue. */
export async function keepRejected(config: ConnectorConfig, letter: RejectedLinesLetter): Promise<void> {
  const text = JSON.stringify(letter);
  if (config.rejectedLinesBucket !== undefined)
    await putLetter(config.region, config.rejectedLinesBucket, letter, text);
  else {
    sqs ??= new SQSClient({ region: config.region });
    await sqs.send(new SendMessageCommand({ QueueUrl: config.deadLetterQueueUrl, MessageBody: text }));
  }
}

/** Named by the request: a second try of the same event replaces the object. */
async function putLetter(
  region: string,
  bucket: string,
  { requestContext }: RejectedLinesLetter,
  text: string,
): Promise<void> {
  const { PutObjectCommand, S3Client } = await import('@aws-sdk/client-s3');
  const time = new Date(requestContext?.requestTimeEpoch ?? 0).toISOString();
  const key = `rejected-lines/${time}-${requestContext?.requestId ?? ''}.json`;
  s3 ??= new S3Client({ region });
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: text, ContentType: 'application/json' }));
}
