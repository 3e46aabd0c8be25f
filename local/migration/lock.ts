/** Allows one process at a time to work on a migration: two would write the same records. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UsageError } from '../cli/ending';
import { isAlive } from '../is-alive';

/**
 * Locks a migration of this machine. The lock of a process that was killed does not count.
 * @returns a function that releases the lock
 * @throws UsageError if another process has the lock
 */
export function lockMigration(workFolder: string, migrationId: string): () => void {
  const file = join(workFolder, 'migrations', migrationId, 'lock');
  mkdirSync(dirname(file), { recursive: true });
  if (!create(file)) {
    const owner = ownerOf(file);
    if (owner !== undefined && isRunning(owner)) throw isLocked(migrationId, file);
    rmSync(file, { force: true });
    if (!create(file)) throw isLocked(migrationId, file);
  }
  return () => rmSync(file, { force: true });
}

/** @returns false if the file exists */
function create(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function isLocked(migrationId: string, file: string): UsageError {
  const process = `process ${ownerOf(file) ?? 'unknown'}`;
  return new UsageError(
    `the migration ${migrationId} is running in ${process}: wait for its end. If that is another program, delete ${file}`,
  );
}

/** The process that has the lock; undefined without a lock. */
function ownerOf(file: string): number | undefined {
  try {
    const owner = Number(readFileSync(file, 'utf8'));
    return Number.isSafeInteger(owner) && owner > 0 ? owner : undefined;
  } catch {
    return undefined;
  }
}

/** In a container, the process that was killed and this one may have the same number. */
const isRunning = (owner: number): boolean => owner !== process.pid && isAlive(owner);
