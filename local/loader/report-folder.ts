/** Makes the report folder of a load: plan, results, invalid rows, summary, and the failed items. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { ObjectRef } from 'shared/loads/objects';
import { workKey } from 'shared/loads/work-keys';
import { UsageError } from '../cli/ending';
import { makeOptionFolder } from '../folder';
import { FolderObjects } from './folder-objects';

/** Not a valid name for an S3 bucket, so it cannot be mistaken for one. */
export const WORK = 'LOCAL_WORK';
/** Each load has a folder in it by default. */
const DEFAULT_PARENT = '.data/loads';
const ORIGIN = 'origin.json';

export interface ReportFolder {
  /** As the user gave it, for messages. */
  readonly path: string;
  readonly loadId: string;
  readonly objects: FolderObjects;
  /** The path of a file in the folder. */
  file(name: string): string;
  save(name: string, text: string): void;
  /** Removes the folder if the load ended before it had a plan. The folder was empty or missing before the load. */
  discardUnused(): void;
}

/**
 * @param given undefined for a folder named after the current time
 * @throws UsageError if the folder cannot be written to, or is not empty
 */
export function openReport(given: string | undefined, now: Date): ReportFolder {
  const loadId = now.toISOString().replace(/[:.]/g, '-');
  const path = given ?? join(DEFAULT_PARENT, loadId);
  makeOptionFolder(path, '--report');
  if (readdirSync(path).length > 0) throw new UsageError(`--report ${path} is not empty: name a new folder`);
  // Paths of items are relative to the current folder. A later load of them may be started in another folder.
  writeFileSync(join(path, ORIGIN), JSON.stringify({ folder: process.cwd() }));
  return {
    path,
    loadId,
    objects: new ReportObjects(resolve(path), workKey(loadId, '')),
    file: (name) => join(path, name),
    save: (name, text) => writeFileSync(join(path, name), text),
    discardUnused: () => {
      if (!existsSync(join(path, 'plan-0.jsonl'))) rmSync(path, { recursive: true });
    },
  };
}

/** Whether a folder is the report of a load that has ended. */
export const isReport = (path: string): boolean =>
  existsSync(join(path, ORIGIN)) && existsSync(join(path, 'summary.json'));

/** The current folder of the load that wrote `failedItems`; undefined if it is unknown. */
export function originOf(failedItems: string): string | undefined {
  const file = join(dirname(failedItems), ORIGIN);
  if (!existsSync(file)) return undefined;
  const { folder } = JSON.parse(readFileSync(file, 'utf8')) as { folder?: unknown };
  return typeof folder === 'string' ? folder : undefined;
}

/** Stores the object `loads/<id>/name` as the file `name`. */
class ReportObjects extends FolderObjects {
  constructor(
    folder: string,
    private readonly prefix: string,
  ) {
    super({ [WORK]: folder });
  }

  override nameOf({ bucket, key }: ObjectRef): string {
    return super.nameOf({ bucket, key: key.startsWith(this.prefix) ? key.slice(this.prefix.length) : key });
  }
}
