/** Makes folders, and explains why a folder cannot be used. */
import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { UsageError } from './cli/ending';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'it is not writable',
  EPERM: 'it is not writable',
  ENOENT: 'it cannot be created there',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a file of that name exists',
  ENOSPC: 'no space left on device',
};

/** Makes a folder and its parents. Node's own recursive mkdir hides the reason for a failure, and never returns in /proc. */
export function makeFolder(folder: string): void {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found !== undefined && !found.isDirectory()) throw Object.assign(new Error('not a folder'), { code: 'ENOTDIR' });
  if (found === undefined) {
    makeFolder(dirname(folder));
    mkdirSync(folder);
  }
  accessSync(folder, constants.W_OK);
}

/** The reason why the file system refused a folder; undefined for any other error. */
export function folderProblem(error: unknown): string | undefined {
  const { code, message = '' } = error as NodeJS.ErrnoException;
  return code === undefined ? undefined : (REASONS[code] ?? message.replace(/, .*$/, ''));
}

/** @param what the folder's purpose, such as `the report folder` */
export function unusableFolder(
  what: string,
  folder: string,
  reason: string,
  advice: string,
  cause: unknown,
): UsageError {
  return new UsageError(`${what} ${folder} cannot be used (${reason}): ${advice}`, { cause });
}

/**
 * Makes a folder named by an option.
 * @throws UsageError if it cannot be created or written to
 */
export function makeOptionFolder(folder: string, option: string): void {
  try {
    makeFolder(folder);
  } catch (error) {
    const reason = folderProblem(error);
    if (reason === undefined) throw error;
    throw unusableFolder(option, folder, reason, 'choose another folder', error);
  }
}
