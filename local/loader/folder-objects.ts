/** Serves local folders as buckets. Each folder has a bucket name; a key is the path below the folder. */
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { DataConversionError, InvalidEventError } from 'shared/errors';
import type { ObjectRef, ObjectStore, ObjectVersion, OpenSource } from 'shared/loads/objects';
import { openFile } from 'shared/parquet/source';

export class FolderObjects implements ObjectStore {
  /** @param folders the path of the folder for each bucket name */
  constructor(private readonly folders: Readonly<Record<string, string>>) {}

  nameOf({ bucket, key }: ObjectRef): string {
    const folder = this.folders[bucket];
    if (folder === undefined) throw new InvalidEventError(`unknown folder ${bucket}`);
    return join(folder, key);
  }

  pathOf(ref: ObjectRef): string {
    return this.nameOf(ref).split(sep).join('/');
  }

  async find(ref: ObjectRef): Promise<ObjectVersion | undefined> {
    const stats = await stat(this.nameOf(ref), { bigint: true }).catch(() => undefined);
    if (!stats?.isFile()) return undefined;
    return { bucket: ref.bucket, key: ref.key, size: Number(stats.size), etag: etagOf(stats) };
  }

  async *list(bucket: string, prefix: string, after = ''): AsyncGenerator<ObjectVersion[]> {
    const parent = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    const folder = this.nameOf({ bucket, key: parent });
    const paths = await readdir(folder, { recursive: true }).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return [];
      throw new InvalidEventError(`cannot list ${folder}: ${cause.message}`, { cause });
    });
    const keys = paths
      .map((path) => parent + path.split(sep).join('/'))
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
    throw new DataConversionError(`${name} has changed since it was planned: load it again`, { object: name });
  }

  async read(ref: ObjectRef): Promise<AsyncIterable<Uint8Array> | undefined> {
    return (await this.find(ref)) && createReadStream(this.nameOf(ref));
  }

  async write(ref: ObjectRef, body: Uint8Array): Promise<void> {
    const path = this.nameOf(ref);
    await mkdir(dirname(path), { recursive: true });
    // A program that is killed while it writes must not leave a part of a file under its name.
    const partial = join(dirname(path), `.${basename(path)}.partial`);
    await writeFile(partial, body);
    await rename(partial, path);
  }
}

/** The same format as in openFile. */
function etagOf({ size, mtimeNs }: { size: bigint; mtimeNs: bigint }): string {
  return `${size.toString(16)}-${mtimeNs.toString(16)}`;
}

/** Combines two stores: `folders` serves the buckets in `names`, `others` serves all other buckets. */
export function combined(names: readonly string[], folders: ObjectStore, others: ObjectStore): ObjectStore {
  const of = (bucket: string) => (names.includes(bucket) ? folders : others);
  return {
    nameOf: (ref) => of(ref.bucket).nameOf(ref),
    pathOf: (ref) => of(ref.bucket).pathOf?.(ref) ?? ref.key,
    find: (ref) => of(ref.bucket).find(ref),
    list: (bucket, prefix, after) => of(bucket).list(bucket, prefix, after),
    open: (version) => of(version.bucket).open(version),
    read: (ref) => of(ref.bucket).read(ref),
    write: (ref, body, contentType) => of(ref.bucket).write(ref, body, contentType),
  };
}
