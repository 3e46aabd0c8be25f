/** Tells failures of the disk from all others, by the texts of DuckDB and of the operating system. */

/** A change that could not be written to the disk; nothing of it is stored. The message may be shown to clients. */
export class StorageFault extends Error {
  override readonly name = 'StorageFault';
}

/** Texts of strerror(3) for a disk that takes no more. DuckDB puts the path before them. */
const PROBLEMS = [
  'No space left on device',
  'Disk quota exceeded',
  'File too large',
  'Read-only file system',
  'Input/output error',
  'Permission denied',
] as const;

/** What is wrong with the disk; undefined for an error that has another reason. */
export function storageProblem(error: unknown): string | undefined {
  const message = error instanceof Error ? error.message : '';
  const problem = PROBLEMS.find((text) => message.includes(text));
  if (problem !== undefined) return `${problem[0]?.toLowerCase()}${problem.slice(1)}`;
  return /Could not (?:write|sync|truncate|open) file/.test(message) ? 'the file cannot be written' : undefined;
}
