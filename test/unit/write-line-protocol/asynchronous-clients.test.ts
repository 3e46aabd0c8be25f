/** What asynchronous mode sends to Lambda, to the dead letter queue and to the bucket for rejected lines. */
import { gunzipSync } from 'node:zlib';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { loadConnectorConfig } from 'shared/config';
import { invokeSelf, keepRejected } from '../../../functions/write-line-protocol/asynchronous-clients';
import { readRequest } from '../../../functions/write-line-protocol/request';
import { ASYNCHRONOUS, writeEvent } from '../../connector-handler';

const lambda = mockClient(LambdaClient);
const sqs = mockClient(SQSClient);
const s3 = mockClient(S3Client);
beforeEach(() => {
  for (const client of [lambda, sqs, s3]) client.reset();
});

const REJECTED = {
  request: readRequest(writeEvent('good\nbroken\n')),
  lines: [{ line: 2, reason: 'why', text: 'broken' }],
};

test('the function invokes itself, and does not wait for it', async () => {
  const event = writeEvent('m,t=é v=1');
  await invokeSelf(loadConnectorConfig(ASYNCHRONOUS), event);
  const [call] = lambda.commandCalls(InvokeCommand);
  expect(call?.args[0].input).toMatchObject({ FunctionName: 'connector', InvocationType: 'Event' });
  expect(JSON.parse(Buffer.from(call?.args[0].input.Payload as Uint8Array).toString())).toEqual(event);
});

test('rejected lines go to the dead letter queue', async () => {
  await keepRejected(loadConnectorConfig(ASYNCHRONOUS), REJECTED);
  const [call] = sqs.commandCalls(SendMessageCommand);
  expect(call?.args[0].input.QueueUrl).toBe(ASYNCHRONOUS.dead_letter_queue_url);
  expect(JSON.parse(call?.args[0].input.MessageBody ?? '')).toMatchObject({
    asynchronous: true,
    body: 'broken\n',
    rejectedLines: ['why'],
  });
  expect(s3.calls()).toHaveLength(0);
});

test('rejected lines go to the bucket where there is one, a second try to the same object', async () => {
  const config = loadConnectorConfig({ ...ASYNCHRONOUS, rejected_lines_bucket: 'rejected' });
  await keepRejected(config, REJECTED);
  await keepRejected(config, REJECTED);
  const inputs = s3.commandCalls(PutObjectCommand).map(({ args }) => args[0].input);
  expect(inputs).toHaveLength(2);
  expect(inputs[0]).toMatchObject({
    Bucket: 'rejected',
    Key: 'rejected-lines/2024/03/01/request-1.jsonl.gz',
    ContentType: 'application/gzip',
  });
  const text = gunzipSync(inputs[0]?.Body as Buffer).toString();
  expect(
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([{ line: 2, reason: 'why', text: 'broken', requestId: 'request-1', time: '2024-03-01T12:34:56.789Z' }]);
  expect(inputs[1]?.Key).toBe(inputs[0]?.Key);
  expect(sqs.calls()).toHaveLength(0);
});

test('what cannot be kept fails the invocation, so that Lambda keeps the event', async () => {
  sqs.rejects(new Error('queue is away'));
  await expect(keepRejected(loadConnectorConfig(ASYNCHRONOUS), REJECTED)).rejects.toThrow('queue is away');
});
