/** The S3 client with a server that delays its responses until it has received all requests. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bucketSchema, parseS3Uri } from 'shared/loads/objects';
import { s3Objects } from '../../../functions/clients/s3';

/** The number of files that PlanLoad reads at once, plus the ranges of one file. */
const AT_ONCE = 64 + 4;

test('PlanLoad reads its maximum number of files at once', async () => {
  const waiting: ServerResponse[] = [];
  const server = createServer((_request, response) => {
    waiting.push(response);
    if (waiting.length === AT_ONCE) for (const each of waiting) each.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const objects = s3Objects({ endpoint, region: 'us-east-1', credentials, forcePathStyle: true });
    const found = Array.from({ length: AT_ONCE }, (_, n) => objects.find({ bucket: 'b', key: String(n) }));
    expect(new Set(await Promise.all(found))).toEqual(new Set([undefined]));
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

/** "Referencing access points" and "Access point aliases" in the Amazon S3 user guide. */
const BUCKETS = [
  'energy-data',
  'my-access-point-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias',
  'bucket-base-name--usw2-az1--x-s3',
  'arn:aws:s3:us-east-1:123456789012:accesspoint/ap',
  'arn:aws-cn:s3:cn-north-1:123456789012:accesspoint:ap',
  'arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap',
  'arn:aws:s3-object-lambda:us-west-2:123456789012:accesspoint/mine',
  'arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-01ac5d28a6a232904/accesspoint/ap',
];

test.each(BUCKETS)('accepts %s as a bucket, also in an s3:// address', (bucket) => {
  expect(bucketSchema.parse(bucket)).toBe(bucket);
  for (const key of ['a', 'loads/x/failed-items.jsonl', 'a b/é=1//x']) {
    expect(parseS3Uri(`s3://${bucket}/${key}`)).toEqual({ bucket, key });
  }
});

test.each([
  ['an empty name', ''],
  ['a path', 'a/b'],
  ['a name with a space', 'a b'],
  ['the ARN of a bucket', 'arn:aws:s3:::energy-data'],
  ['the ARN of an object', 'arn:aws:s3:::energy-data/key'],
  ['an access point with a key', 'arn:aws:s3:us-east-1:123456789012:accesspoint/ap/object/key'],
  ['the ARN of a queue', 'arn:aws:sqs:us-east-1:123456789012:queue'],
])('rejects %s as a bucket', (_, bucket) => {
  expect(bucketSchema.safeParse(bucket).success).toBe(false);
});
