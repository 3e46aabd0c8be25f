/** Where objects lie that are read and written: a bucket of S3, or a folder of this machine, behind one interface. */
import { InvalidEventError } from '../errors';
import type { ParquetSource } from '../parquet/source';

export interface ObjectRef {
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

/** The bucket and key in `s3://bucket/key`. @throws InvalidEventError for anything else */
export function parseS3Uri(uri: string): ObjectRef {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri) ?? [];
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
