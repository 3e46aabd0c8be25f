/** Recognizes failures of the disk by the error texts of DuckDB and the operating system. */

/** A change could not be written to the disk, and no part of it is stored. The message may be shown to clients. */
export class StorageFault extends Error {
  override readonly name = 'StorageFault';
}

export const GONE = 'the file was deleted or replaced while the server was running: restart the server';

/** Texts of strerror(3) for a disk that cannot be written to. DuckDB puts the path before them. */
const PROBLEMS = [
  'No space left on device',
  'Disk quota exceeded',
  'File too large',
  'Read-only file system',
  'Input/output error',
  'Permission denied',
] as const;

/** The problem of the disk; undefined if the error has another reason. */
export function storageProblem(error: unknown): string | undefined {
  const message = error instanceof Error ? error.message : '';
  if (message === GONE) return GONE;
  const problem = PROBLEMS.find((text) => message.includes(text));
  if (problem !== undefined) return `${problem[0]?.toLowerCase()}${problem.slice(1)}`;
  return /Could not (?:write|sync|truncate|open) file/.test(message) ? 'the file cannot be written' : undefined;
}
