/** One interface to read and write objects, in S3 buckets or in local folders. */
import { z } from 'zod';
import { InvalidEventError } from '../errors';
import type { ParquetSource } from '../parquet/source';

/**
 * The ARN of an access point, including multi-Region, Object Lambda and Outposts access points. Source: "Referencing access points" in the
 * Amazon S3 user guide.
 */
const ACCESS_POINT = String.raw`arn:[^:/\s]+:s3[a-z-]*:[^:/\s]*:\d{12}:(?:outpost[/:][^:/\s]+[/:])?accesspoint[/:][^:/\s]+`;
const BUCKET = new RegExp(String.raw`^(?:${ACCESS_POINT}|(?!arn:)[^/\s]+)$`);
const S3_URI = new RegExp(`^s3://(${ACCESS_POINT}|[^/]+)/(.+)$`, 's');
const S3_FOLDER = new RegExp(`^s3://(${ACCESS_POINT}|[^/]+)/(.*)$`, 's');

/** A value that the S3 API accepts as a bucket. */
export const bucketSchema = z
  .string()
  .regex(BUCKET, 'must be the name of a bucket, or the ARN or alias of an access point')
  .max(2048, 'is longer than an ARN of an access point may be');

/** The limit of S3 is in bytes. A text has at least as many bytes as UTF-16 units, so no valid key is rejected. */
export const keySchema = z.string().min(1, 'must not be empty').max(1024, 'is longer than a key may be');

export interface ObjectRef {
  /** The name of the bucket, or the ARN or alias of an access point. */
  readonly bucket: string;
  /** Not URL-encoded. */
  readonly key: string;
}

/** One version of an object, identified by its ETag. */
export interface ObjectVersion extends ObjectRef {
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
}

export interface OpenSource extends ParquetSource {
  close(): Promise<void>;
}

export interface ObjectStore {
  /** The name in messages: `s3://bucket/key`, or a path. */
  nameOf(ref: ObjectRef): string;
  /** The path whose folders supply partition columns, with `/` between its segments; without this method, the key. */
  pathOf?(ref: ObjectRef): string;
  /** The current version of the object; undefined if it does not exist. */
  find(ref: ObjectRef): Promise<ObjectVersion | undefined>;
  /** The objects under a prefix, in the order of their keys, from the first key after `after`. */
  list(bucket: string, prefix: string, after?: string): AsyncIterable<readonly ObjectVersion[]>;
  /** Reads ranges of exactly this version. If the object has changed, reading throws a DataConversionError. */
  open(version: ObjectVersion): Promise<OpenSource>;
  /** The whole object, in chunks; undefined if it does not exist. */
  read(ref: ObjectRef): Promise<AsyncIterable<Uint8Array> | undefined>;
  write(ref: ObjectRef, body: Uint8Array, contentType: string): Promise<void>;
}

/** The bucket and key in `s3://bucket/key`. The bucket may be the ARN of an access point. @throws InvalidEventError for anything else */
export function parseS3Uri(uri: string): ObjectRef {
  const [, bucket, key] = S3_URI.exec(uri) ?? [];
  if (bucket === undefined || key === undefined) throw new InvalidEventError(`'${uri}' is not an s3://bucket/key`);
  return { bucket, key };
}

/** The bucket and prefix of a folder `s3://bucket/prefix/` or of a whole bucket. @throws InvalidEventError for anything else */
export function parseS3Folder(uri: string): { readonly bucket: string; readonly prefix: string } {
  const [, bucket, rest] = S3_FOLDER.exec(uri) ?? [];
  if (bucket === undefined || rest === undefined) throw new InvalidEventError(`'${uri}' is not an s3://bucket/prefix/`);
  return { bucket, prefix: rest === '' || rest.endsWith('/') ? rest : `${rest}/` };
}

/** The text of an object; undefined if it does not exist. */
export async function readText(objects: Pick<ObjectStore, 'read'>, ref: ObjectRef): Promise<string | undefined> {
  const chunks = await objects.read(ref);
  if (!chunks) return undefined;
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts).toString('utf8');
}
