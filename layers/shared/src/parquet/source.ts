/** Sources of Parquet bytes: anything that returns byte ranges, such as an object in S3 or a local file. */
import { type FileHandle, open } from 'node:fs/promises';
import { DataConversionError } from '../errors';

/** A readable object of a known size. Ranges are read many times, concurrently, in any order. */
export interface ParquetSource {
  /** Its name in error messages: `s3://bucket/key` or a path. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** The object's version; readRange must fail once the object has another version. */
  readonly etag: string;
  /** The bytes from `start` up to, not including, `end`. Throws if there are fewer. */
  readRange(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array>;
}

/**
 * Opens a local file. Its etag consists of size and modification time; reading a file that has changed throws a DataConversionError.
 * Close it after use.
 */
export async function openFile(path: string): Promise<ParquetSource & { close(): Promise<void> }> {
  const file = await open(path, 'r');
  const { size, etag } = await identify(file);
  return {
    name: path,
    size,
    etag,
    async readRange(start, end, signal) {
      const bytes = new Uint8Array(end - start);
      for (let read = 0; read < bytes.length; ) {
        signal?.throwIfAborted();
        const { bytesRead } = await file.read(bytes, read, bytes.length - read, start + read);
        if (bytesRead === 0) break;
        read += bytesRead;
      }
      if ((await identify(file)).etag !== etag) {
        throw new DataConversionError(`${path} was changed while it was read: load it again`, { object: path });
      }
      return bytes;
    },
    close: () => file.close(),
  };
}

async function identify(file: FileHandle): Promise<{ size: number; etag: string }> {
  const { size, mtimeNs } = await file.stat({ bigint: true });
  return { size: Number(size), etag: `${size.toString(16)}-${mtimeNs.toString(16)}` };
}

/** The same source with at most `limit` ranges in flight; others wait. */
export function boundedSource(source: ParquetSource, limit: number): ParquetSource {
  let free = limit;
  const waiting: (() => void)[] = [];
  return {
    name: source.name,
    size: source.size,
    etag: source.etag,
    async readRange(start, end, signal) {
      if (free > 0) free--;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await source.readRange(start, end, signal);
      } finally {
        const next = waiting.shift();
        if (next) next();
        else free++;
      }
    },
  };
}
