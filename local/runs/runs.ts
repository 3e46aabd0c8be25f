/** Reads the progress of the loads and migrations of this machine. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive } from '../is-alive';
import { type Run, type RunFile, runFileSchema } from './run';

/** A run that has not renewed its file for this time was killed, or its machine stopped. */
const STALE_MS = 15_000;

/** The runs, the latest first. A run whose process was killed is `interrupted`. @param now ms since 1970 */
export async function readRuns(folder: string, now: number): Promise<Run[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const files = await Promise.all(
    names.filter((name) => name.endsWith('.json')).map((name) => read(join(folder, name))),
  );
  const runs = files.filter((file) => file !== undefined).map((file) => settled(file, now));
  return runs.sort((a, b) => (a.started < b.started ? 1 : -1));
}

/** Undefined for a file that was removed in the meantime, or is of another version. */
async function read(file: string): Promise<RunFile | undefined> {
  try {
    return runFileSchema.safeParse(JSON.parse(await readFile(file, 'utf8'))).data;
  } catch {
    return undefined;
  }
}

function settled({ process: owner, updated, ...run }: RunFile, now: number): Run {
  if (run.status !== 'running' || (now - updated < STALE_MS && isAlive(owner))) return run;
  return { ...run, status: 'interrupted', ended: new Date(updated).toISOString() };
}
