/** Where a migration from this machine keeps its files: the work folder, and the folder or bucket of the exports. */
import { rm } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { ObjectStore, ObjectVersion } from 'shared/loads/objects';
import { combined, FolderObjects } from '../loader/folder-objects';
import { WORK } from '../loader/report-folder';

/** Migrations are in its folder `migrations`, their loads in `loads`. */
export const WORK_FOLDER = '.data';

/** The region of Timestream and of the exports; undefined for the URL of the embedded Timestream. */
export const regionOf = (timestream: string): string | undefined =>
  /^https?:/.test(timestream) ? undefined : timestream;

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

/** Deletes objects of exports. @param given, region as in `places` */
export async function removeObjects(
  given: string,
  region: string | undefined,
  files: readonly ObjectVersion[],
): Promise<void> {
  if (!given.startsWith('s3://')) {
    for (const { key } of files) await rm(resolve(given, key), { force: true });
    return;
  }
  const { deleteObjects } = await import('./delete-objects');
  await deleteObjects(files, region);
}
