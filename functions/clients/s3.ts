/** Reads, lists and writes objects in S3. */
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { DataConversionError, InvalidEventError, S3UnavailableError } from 'shared/errors';
import type { ObjectRef, ObjectStore, ObjectVersion, OpenSource } from 'shared/loads/objects';
import { tracer } from 'shared/tracing';

/**
 * More than any step needs at once: PlanLoad reads 64 files, and 4 ranges of one file. The time to wait for a socket counts towards
 * connectionTimeout.
 */
const MAX_SOCKETS = 128;

export function s3Objects(options: S3ClientConfig = {}): ObjectStore {
  return new S3Objects(
    new S3Client({
      requestHandler: {
        connectionTimeout: 2_000,
        requestTimeout: 30_000,
        throwOnRequestTimeout: true,
        httpsAgent: { maxSockets: MAX_SOCKETS },
        httpAgent: { maxSockets: MAX_SOCKETS },
      },
      maxAttempts: 5,
      ...options,
    }),
  );
}

class S3Objects implements ObjectStore {
  constructor(private readonly client: S3Client) {}

  nameOf({ bucket, key }: ObjectRef): string {
    return `s3://${bucket}/${key}`;
  }

  async find(ref: ObjectRef): Promise<ObjectVersion | undefined> {
    try {
      const head = await this.client.send(new HeadObjectCommand({ Bucket: ref.bucket, Key: ref.key }));
      return { bucket: ref.bucket, key: ref.key, etag: head.ETag ?? '', size: head.ContentLength ?? 0 };
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw readError(this.nameOf(ref), error);
    }
  }

  async *list(bucket: string, prefix: string, after?: string): AsyncGenerator<ObjectVersion[]> {
    let token: string | undefined;
    do {
      const input = { Bucket: bucket, Prefix: prefix, StartAfter: after, ContinuationToken: token };
      const page = await this.client.send(new ListObjectsV2Command(input)).catch((error: unknown) => {
        throw listError(`s3://${bucket}/${prefix}`, error);
      });
      yield (page.Contents ?? []).map(({ Key = '', ETag = '', Size = 0 }) => ({
        bucket,
        key: Key,
        etag: ETag,
        size: Size,
      }));
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  open(version: ObjectVersion): Promise<OpenSource> {
    const { bucket, key, etag, size } = version;
    const name = this.nameOf(version);
    const readRange = (start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> =>
      tracer.trace('S3 read', () => readBytes(start, end, signal));
    const readBytes = async (start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> => {
      const input = { Bucket: bucket, Key: key, Range: `bytes=${start}-${end - 1}`, IfMatch: etag };
      try {
        const { Body } = await this.client.send(new GetObjectCommand(input), signal ? { abortSignal: signal } : {});
        return (await Body?.transformToByteArray()) ?? new Uint8Array();
      } catch (error) {
        throw signal?.aborted ? signal.reason : readError(name, error);
      }
    };
    return Promise.resolve({ name, size, etag, readRange, close: () => Promise.resolve() });
  }

  async read(ref: ObjectRef): Promise<AsyncIterable<Uint8Array> | undefined> {
    try {
      const get = () => this.client.send(new GetObjectCommand({ Bucket: ref.bucket, Key: ref.key }));
      const { Body } = await tracer.trace('S3 read', get);
      return Body as AsyncIterable<Uint8Array> | undefined;
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw readError(this.nameOf(ref), error);
    }
  }

  async write(ref: ObjectRef, body: Uint8Array, contentType: string): Promise<void> {
    const input = { Bucket: ref.bucket, Key: ref.key, Body: body, ContentType: contentType };
    const put = () => this.client.send(new PutObjectCommand(input));
    await tracer.trace('S3 write', put).catch((cause: unknown) => {
      throw new S3UnavailableError(`cannot write ${this.nameOf(ref)}: ${errorText(cause)}`, { cause });
    });
  }
}

/** The error of a failed read: about the object, or S3UnavailableError. */
function readError(name: string, cause: unknown): Error {
  const status = statusOf(cause);
  if (isTransient(cause)) return new S3UnavailableError(`cannot read ${name}: ${errorText(cause)}`, { cause });
  if (status === 412 || status === 416) {
    return new DataConversionError(`${name} has changed since it was planned: load it again`, { object: name, cause });
  }
  if (status === 404) return new DataConversionError(`${name} no longer exists`, { object: name, cause });
  if (status === 403) {
    return new DataConversionError(`${name}: access denied, or the object does not exist: ${errorText(cause)}`, {
      object: name,
      cause,
    });
  }
  if (isRefusal(cause)) {
    const message = `${name}: S3 refused the request with status ${status}: ${errorText(cause)}`;
    return new DataConversionError(message, { object: name, cause });
  }
  return new S3UnavailableError(`cannot read ${name}: ${errorText(cause)}`, { cause });
}

function listError(name: string, cause: unknown): Error {
  const message = `cannot list ${name}: ${errorText(cause)}`;
  return isRefusal(cause) ? new InvalidEventError(message, { cause }) : new S3UnavailableError(message, { cause });
}

/** Codes of responses with a status of 4xx that a later request may not get. Source: "Error responses" in the Amazon S3 API reference. */
const TRANSIENT = /^(SlowDown|RequestTimeout|RequestTimeTooSkewed|ExpiredToken|(KMS\.)?ThrottlingException)$/;

function isTransient(error: unknown): boolean {
  return [307, 408, 429].includes(statusOf(error) ?? 0) || (error instanceof Error && TRANSIENT.test(error.name));
}

/** Whether the same request fails again: the object is in another region (301), has another key (400), is a delete marker (405). */
function isRefusal(error: unknown): boolean {
  const status = statusOf(error) ?? 0;
  return status >= 300 && status < 500 && !isTransient(error);
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}

function errorText(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
