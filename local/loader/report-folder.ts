/** The folder that a load leaves: its plan, results, invalid rows, summary, and the items to load again. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { ObjectRef } from 'shared/loads/objects';
import { workKey } from 'shared/loads/work-keys';
import { UsageError } from '../cli/ending';
import { makeOptionFolder } from '../folder';
import { FolderObjects } from './folder-objects';

/** A name that no bucket of S3 can have. */
export const WORK = 'LOCAL_WORK';
/** Where loads report by default, a folder each. */
const DEFAULT_PARENT = '.data/loads';
const ORIGIN = 'origin.json';

export interface ReportFolder {
  /** As given, for messages. */
  readonly path: string;
  readonly loadId: string;
  readonly objects: FolderObjects;
  /** The path of something in it. */
  file(name: string): string;
  /** Removes it where the load ended before its plan: it was empty or missing before. */
  discardUnused(): void;
}

/**
 * @param given undefined for a folder named by the time
 * @throws UsageError where it cannot be written to, or holds the report of another load
 */
export function openReport(given: string | undefined, now: Date): ReportFolder {
  const loadId = now.toISOString().replace(/[:.]/g, '-');
  const path = given ?? join(DEFAULT_PARENT, loadId);
  makeOptionFolder(path, '--report');
  if (readdirSync(path).length > 0) throw new UsageError(`--report ${path} is not empty: name a new folder`);
  // Paths of items are below the current folder: a later load may be started elsewhere.
  writeFileSync(join(path, ORIGIN), JSON.stringify({ folder: process.cwd() }));
  return {
    path,
    loadId,
    objects: new ReportObjects(resolve(path), workKey(loadId, '')),
    file: (name) => join(path, name),
    discardUnused: () => {
      if (!existsSync(join(path, 'plan-0.jsonl'))) rmSync(path, { recursive: true });
    },
  };
}

/** The folder in which the load was started whose `failed-items.jsonl` this is; undefined where that is unknown. */
export function originOf(failedItems: string): string | undefined {
  const file = join(dirname(failedItems), ORIGIN);
  if (!existsSync(file)) return undefined;
  const { folder } = JSON.parse(readFileSync(file, 'utf8')) as { folder?: unknown };
  return typeof folder === 'string' ? folder : undefined;
}

/** Keeps `loads/<id>/name` as `name`. */
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
