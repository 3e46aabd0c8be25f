/** Makes folders, and says what is wrong where one cannot be used. */
import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { UsageError } from './cli/ending';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'it is not writable',
  EPERM: 'it is not writable',
  ENOENT: 'it cannot be created there',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'there is a file of that name',
  ENOSPC: 'no space left on device',
};

/** Makes a folder and those above it. Node's own recursive mkdir hides the reason of a failure, and never returns in /proc. */
export function makeFolder(folder: string): void {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found !== undefined && !found.isDirectory()) throw Object.assign(new Error('not a folder'), { code: 'ENOTDIR' });
  if (found === undefined) {
    makeFolder(dirname(folder));
    mkdirSync(folder);
  }
  accessSync(folder, constants.W_OK);
}

/** Why the file system refused a folder; undefined for an error of another kind. */
export function folderProblem(error: unknown): string | undefined {
  const { code, message = '' } = error as NodeJS.ErrnoException;
  return code === undefined ? undefined : (REASONS[code] ?? message.replace(/, .*$/, ''));
}

/** @param what names the folder's purpose, such as `the report folder` */
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
 * Makes a folder that an option names.
 * @throws UsageError where it cannot be made or written to
 */
export function makeOptionFolder(folder: string, option: string): void {
  try {
    makeFolder(folder);
  } catch (error) {
    const reason = folderProblem(error);
    if (reason === undefined) throw error;
    throw unusableFolder('the folder', folder, reason, `choose another one with ${option}`, error);
  }
}
