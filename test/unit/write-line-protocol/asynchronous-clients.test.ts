/** What asynchronous mode sends to Lambda, to the dead letter queue and to the bucket for rejected lines. */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { loadConnectorConfig } from 'shared/config';
import { invokeSelf, keepRejected } from '../../../functions/write-line-protocol/asynchronous-clients';
import { ASYNCHRONOUS, writeEvent } from '../../connector-handler';

const lambda = mockClient(LambdaClient);
const sqs = mockClient(SQSClient);
const s3 = mockClient(S3Client);
beforeEach(() => {
  for (const client of [lambda, sqs, s3]) client.reset();
});

const LETTER = { ...writeEvent('broken\n'), asynchronous: true, rejectedLines: ['why'] };

test('the function invokes itself, and does not wait for it', async () => {
  const event = writeEvent('m,t=é v=1');
  await invokeSelf(loadConnectorConfig(ASYNCHRONOUS), event);
  const [call] = lambda.commandCalls(InvokeCommand);
  expect(call?.args[0].input).toMatchObject({ FunctionName: 'connector', InvocationType: 'Event' });
  expect(JSON.parse(Buffer.from(call?.args[0].input.Payload as Uint8Array).toString())).toEqual(event);
});

test('rejected lines go to the dead letter queue', async () => {
  await keepRejected(loadConnectorConfig(ASYNCHRONOUS), LETTER);
  const [call] = sqs.commandCalls(SendMessageCommand);
  expect(call?.args[0].input.QueueUrl).toBe(ASYNCHRONOUS.dead_letter_queue_url);
  expect(JSON.parse(call?.args[0].input.MessageBody ?? '')).toEqual(LETTER);
  expect(s3.calls()).toHaveLength(0);
});

test('rejected lines go to the bucket where there is one, a second try to the same object', async () => {
  const config = loadConnectorConfig({ ...ASYNCHRONOUS, rejected_lines_bucket: 'rejected' });
  await keepRejected(config, LETTER);
  await keepRejected(config, LETTER);
  const inputs = s3.commandCalls(PutObjectCommand).map(({ args }) => args[0].input);
  expect(inputs).toHaveLength(2);
  expect(inputs[0]).toMatchObject({
    Bucket: 'rejected',
    Key: 'rejected-lines/2024-03-01T12:34:56.789Z-request-1.json',
    ContentType: 'application/json',
  });
  expect(JSON.parse(String(inputs[0]?.Body))).toEqual(LETTER);
  expect(inputs[1]?.Key).toBe(inputs[0]?.Key);
  expect(sqs.calls()).toHaveLength(0);
});

test('what cannot be kept fails the invocation, so that Lambda keeps the event', async () => {
  sqs.rejects(new Error('queue is away'));
  await expect(keepRejected(loadConnectorConfig(ASYNCHRONOUS), LETTER)).rejects.toThrow('queue is away');
});
