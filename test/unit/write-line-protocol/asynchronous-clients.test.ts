/** The calls of the function to Lambda, to the dead-letter queue and to the bucket for rejected lines. */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { loadConnectorConfig } from 'shared/config';
import { invokeSelf, sendDeadLetter } from '../../../functions/write-line-protocol/asynchronous-clients';
import { storeRejected } from '../../../functions/write-line-protocol/rejected-lines-bucket';
import { ASYNCHRONOUS, writeEvent } from '../../support/connector-handler';

const lambda = mockClient(LambdaClient);
const sqs = mockClient(SQSClient);
const s3 = mockClient(S3Client);
beforeEach(() => {
  for (const client of [lambda, sqs, s3]) client.reset();
});

const NEVER = new AbortController().signal;
const MESSAGE = { ...writeEvent('broken\n'), asynchronous: true, rejectedLines: ['why'] };

test('invokes the function itself without waiting for the invocation to end', async () => {
  const event = writeEvent('m,t=é v=1');
  await invokeSelf(loadConnectorConfig(ASYNCHRONOUS), event, NEVER);
  const [call] = lambda.commandCalls(InvokeCommand);
  expect(call?.args[0].input).toMatchObject({ FunctionName: 'connector', InvocationType: 'Event' });
  expect(JSON.parse(Buffer.from(call?.args[0].input.Payload as Uint8Array).toString())).toEqual(event);
});

test('sends a message to the dead-letter queue', async () => {
  await sendDeadLetter(loadConnectorConfig(ASYNCHRONOUS), MESSAGE, NEVER);
  const [call] = sqs.commandCalls(SendMessageCommand);
  expect(call?.args[0].input.QueueUrl).toBe(ASYNCHRONOUS.dead_letter_queue_url);
  expect(JSON.parse(call?.args[0].input.MessageBody ?? '')).toEqual(MESSAGE);
});

test('puts rejected lines into the bucket, and returns the address of the object', async () => {
  const config = loadConnectorConfig({ rejected_lines_bucket: 'rejected' });
  const object = { key: 'rejected-lines/2024/03/01/request-1.jsonl.gz', body: Buffer.from('gzip') };
  const address = await storeRejected(config, object, new AbortController().signal);
  expect(address).toBe('s3://rejected/rejected-lines/2024/03/01/request-1.jsonl.gz');
  const [call] = s3.commandCalls(PutObjectCommand);
  expect(call?.args[0].input).toEqual({
    Bucket: 'rejected',
    Key: object.key,
    Body: object.body,
    ContentType: 'application/gzip',
  });
});

test('fails the invocation if the queue accepts no message, so that Lambda keeps the event', async () => {
  sqs.rejects(new Error('queue is unavailable'));
  await expect(sendDeadLetter(loadConnectorConfig(ASYNCHRONOUS), MESSAGE, NEVER)).rejects.toThrow(
    'queue is unavailable',
  );
});
