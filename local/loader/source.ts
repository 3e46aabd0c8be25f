/** What a path on the command line means: an object or a prefix, and the store in which it lies. */
import { existsSync, statSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { type ObjectRef, type ObjectStore, parseS3Uri } from 'shared/loads/objects';
import { UsageError } from '../command/program';
import { combined, FolderObjects } from './folder-objects';

/** Names that no bucket of S3 can have. */
const FILES = 'LOCAL_FILES';
export const WORK = 'LOCAL_WORK';

export interface LocalSource {
  /** As an execution's input. */
  readonly input:
    | { readonly bucket: string; readonly key: string }
    | { readonly bucket: string; readonly prefix: string };
  readonly objects: ObjectStore;
}

/**
 * @param work the folder that takes what the load writes beside its points
 * @throws UsageError where there is no such file or folder, or the address is none
 */
export async function localSource(source: string, work: string): Promise<LocalSource> {
  if (source.startsWith('s3://')) {
    const { bucket, key } = addressOf(source);
    const { s3Objects } = await import('../../functions/clients/s3');
    const objects = combined([WORK], new FolderObjects({ [WORK]: work }), s3Objects());
    return { input: /\.(parquet|parq|pq)$/i.test(key) ? { bucket, key } : { bucket, prefix: key }, objects };
  }
  const path = resolve(source);
  if (!existsSync(path)) throw new UsageError(`there is no file or folder ${source}`);
  // What lies above the folder that one works in does not tell a dataset.
  const below = relative(process.cwd(), path);
  const isBelow = below !== '' && !below.startsWith('..') && !isAbsolute(below);
  const key = (isBelow ? below : path.slice(1)).split(sep).join('/');
  const objects = new FolderObjects({ [FILES]: isBelow ? process.cwd() : '/', [WORK]: work });
  return {
    input: statSync(path).isDirectory() ? { bucket: FILES, prefix: `${key}/` } : { bucket: FILES, key },
    objects,
  };
}

/** @throws UsageError for what is no address of an object or a prefix */
function addressOf(source: string): ObjectRef {
  try {
    return parseS3Uri(source);
  } catch {
    throw new UsageError(`${source} must be s3://BUCKET/KEY-OR-PREFIX`);
  }
}
