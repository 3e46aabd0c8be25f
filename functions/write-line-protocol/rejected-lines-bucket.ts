/** Puts rejected lines into their bucket. A separate bundle, loaded when the first line is rejected. */
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { ConnectorConfig } from 'shared/config';
import type { RejectedLinesObject } from './rejected-lines';

let s3: S3Client | undefined;

/** Returns the address of the object, `s3://bucket/key`. */
export async function storeRejected(
  { region, rejectedLinesBucket: Bucket }: ConnectorConfig,
  { key: Key, body: Body }: RejectedLinesObject,
  signal: AbortSignal,
): Promise<string> {
  s3 ??= new S3Client({ region });
  const command = new PutObjectCommand({ Bucket, Key, Body, ContentType: 'application/gzip' });
  await s3.send(command, { abortSignal: signal });
  return `s3://${Bucket}/${Key}`;
}
