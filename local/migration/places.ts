/** Where a migration from this machine keeps its files: the work folder, and the folder or bucket of the exports. */
import { basename, dirname, relative, resolve } from 'node:path';
import type { ObjectStore } from 'shared/loads/objects';
import { combined, FolderObjects } from '../loader/folder-objects';
import { WORK } from '../loader/report-folder';

/** Migrations are in its folder `migrations`, their loads in `loads`. */
export const WORK_FOLDER = '.data';

export interface Places {
  readonly objects: ObjectStore;
  /** `s3://bucket/prefix/`, as UNLOAD and the manifests name it. */
  readonly exportUri: string;
}

/**
 * @param given an s3:// address, or the folder in which the embedded Timestream keeps a bucket: `<its folder of exports>/<bucket>`
 * @param region of the bucket; undefined for the default of the SDK
 */
export async function places(given: string, region: string | undefined): Promise<Places> {
  const work = new FolderObjects({ [WORK]: resolve(WORK_FOLDER) });
  if (given.startsWith('s3://')) {
    const { s3Objects } = await import('../../functions/clients/s3');
    const objects = combined([WORK], work, s3Objects(region === undefined ? {} : { region }));
    return { objects, exportUri: given.endsWith('/') ? given : `${given}/` };
  }
  const bucket = basename(resolve(given));
  const exported = new FolderObjects({ [bucket]: resolve(given) });
  return { objects: combined([WORK], work, exported), exportUri: `s3://${bucket}/` };
}

/** The folder to name with `start --export-dir`, so that UNLOAD writes to the folder of the exports. */
export const exportDirOf = (given: string): string => relative(process.cwd(), dirname(resolve(given))) || '.';
