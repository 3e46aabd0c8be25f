/** Where objects lie that are read and written: a bucket of S3, or a folder of this machine, behind one interface. */
import { z } from 'zod';
import { InvalidEventError } from '../errors';
import type { ParquetSource } from '../parquet/source';

/**
 * The ARN of an access point, also of a multi-Region one, of Object Lambda or of Outposts. Source: "Referencing access points" in the
 * Amazon S3 user guide.
 */
const ACCESS_POINT = String.raw`arn:[^:/\s]+:s3[a-z-]*:[^:/\s]*:\d{12}:(?:outpost[/:][^:/\s]+[/:])?accesspoint[/:][^:/\s]+`;
const BUCKET = new RegExp(String.raw`^(?:${ACCESS_POINT}|(?!arn:)[^/\s]+)$`);
const S3_URI = new RegExp(`^s3://(${ACCESS_POINT}|[^/]+)/(.+)$`, 's');

/** What S3's API takes as a bucket. */
export const bucketSchema = z
  .string()
  .regex(BUCKET, 'must be the name of a bucket, or the ARN or alias of an access point')
  .max(2048, 'is longer than the ARN of an access point can be');

/** S3 counts bytes, which are at least as many as these UTF-16 units. */
export const keySchema = z.string().min(1, 'must not be empty').max(1024, 'is longer than a key can be');

export interface ObjectRef {
  /** Its name, or what else S3's API takes in its place: an access point's ARN or alias. */
  readonly bucket: string;
  /** Not URL-encoded. */
  readonly key: string;
}

/** An object as it was when it was looked at. */
export interface ObjectVersion extends ObjectRef {
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
}

export interface OpenSource extends ParquetSource {
  close(): Promise<void>;
}

export interface ObjectStore {
  /** What messages call it: `s3://bucket/key`, or a path. */
  nameOf(ref: ObjectRef): string;
  /** The object as it is now; undefined where there is none. */
  find(ref: ObjectRef): Promise<ObjectVersion | undefined>;
  /** The objects whose keys begin with `prefix`, in the order of their keys, from behind the key `after`. */
  list(bucket: string, prefix: string, after?: string): AsyncIterable<readonly ObjectVersion[]>;
  /** Reads ranges of exactly this version: another one is a DataConversionError that says so. */
  open(version: ObjectVersion): Promise<OpenSource>;
  /** The whole object, piece by piece; undefined where there is none. */
  read(ref: ObjectRef): Promise<AsyncIterable<Uint8Array> | undefined>;
  write(ref: ObjectRef, body: Uint8Array, contentType: string): Promise<void>;
}

/** The bucket and key in `s3://bucket/key`, whose bucket may be an access point's ARN. @throws InvalidEventError for anything else */
export function parseS3Uri(uri: string): ObjectRef {
  const [, bucket, key] = S3_URI.exec(uri) ?? [];
  if (bucket === undefined || key === undefined) throw new InvalidEventError(`'${uri}' is not an s3://bucket/key`);
  return { bucket, key };
}

/** The text of an object; undefined where there is none. */
export async function readText(objects: Pick<ObjectStore, 'read'>, ref: ObjectRef): Promise<string | undefined> {
  const chunks = await objects.read(ref);
  if (!chunks) return undefined;
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts).toString('utf8');
}
