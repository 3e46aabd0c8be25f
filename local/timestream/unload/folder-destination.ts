/** Writes the objects of `s3://bucket/key` to files `<folder>/bucket/key`. Every bucket exists. */
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { folderProblem, makeFolder } from '../../folder';
import { validationError } from '../errors';
import type { ExportObject, UnloadDestination } from './destination';

export class FolderDestination implements UnloadDestination {
  constructor(private readonly folder: string) {}

  assertUsable(bucket: string): Promise<void> {
    const path = join(this.folder, bucket);
    return explaining(path, async () => makeFolder(path));
  }

  create(bucket: string, key: string): Promise<ExportObject> {
    const path = join(this.folder, bucket, key);
    return explaining(path, async () => {
      makeFolder(dirname(path));
      const file = await open(path, 'w');
      return {
        write: (bytes) => explaining(path, () => file.writeFile(bytes)),
        close: () => explaining(path, () => file.close()),
      };
    });
  }
}

async function explaining<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const reason = folderProblem(error);
    if (reason === undefined) throw error;
    throw validationError(`UNLOAD cannot write to ${path}: ${reason}.`);
  }
}
