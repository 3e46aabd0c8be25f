/** Folders of this machine as buckets: a bucket is the path of a folder, a key the path below it. */
import { createReadStream } from 'node:fs';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { DataConversionError, InvalidEventError } from 'shared/errors';
import type { ObjectRef, ObjectStore, ObjectVersion, OpenSource } from 'shared/loads/objects';
import { openFile } from 'shared/parquet/source';

export class FolderObjects implements ObjectStore {
  nameOf({ bucket, key }: ObjectRef): string {
    return join(bucket, key);
  }

  async find(ref: ObjectRef): Promise<ObjectVersion | undefined> {
    const stats = await stat(this.nameOf(ref), { bigint: true }).catch(() => undefined);
    if (!stats?.isFile()) return undefined;
    return { bucket: ref.bucket, key: ref.key, size: Number(stats.size), etag: etagOf(stats) };
  }

  async *list(bucket: string, prefix: string, after = ''): AsyncGenerator<ObjectVersion[]> {
    const paths = await readdir(bucket, { recursive: true }).catch((cause: unknown) => {
      throw new InvalidEventError(`cannot list ${bucket}: ${(cause as Error).message}`, { cause });
    });
    const keys = paths
      .map((path) => path.split(sep).join('/'))
      .filter((key) => key.startsWith(prefix) && key > after)
      .sort((a, b) => (a < b ? -1 : 1));
    const versions = await Promise.all(keys.map((key) => this.find({ bucket, key })));
    yield versions.filter((version) => version !== undefined);
  }

  async open(version: ObjectVersion): Promise<OpenSource> {
    const name = this.nameOf(version);
    const source = await openFile(name).catch((cause: unknown) => {
      throw new DataConversionError(`${name} cannot be read: ${(cause as Error).message}`, { object: name, cause });
    });
    if (source.etag === version.etag) return source;
    await source.close();
    throw new DataConversionError(`${name} was changed since it was planned: load it again`, { object: name });
  }

  async read(ref: ObjectRef): Promise<AsyncIterable<Uint8Array> | undefined> {
    return (await this.find(ref)) && createReadStream(this.nameOf(ref));
  }

  async write(ref: ObjectRef, body: Uint8Array): Promise<void> {
    const path = this.nameOf(ref);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, body);
  }
}

/** As openFile makes it. */
function etagOf({ size, mtimeNs }: { size: bigint; mtimeNs: bigint }): string {
  return `${size.toString(16)}-${mtimeNs.toString(16)}`;
}
