/** Makes folders, with errors for people. */
import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UsageError } from './ending';

/**
 * Makes a folder and those above it. Node's own recursive mkdir never returns where a file system such as /proc refuses.
 * @param option that names the folder, for the message
 * @throws UsageError where it cannot be made or written to
 */
export function makeFolder(folder: string, option: string): void {
  const missing: string[] = [];
  let path = resolve(folder);
  for (; !existsSync(path) && dirname(path) !== path; path = dirname(path)) missing.unshift(path);
  const choose = `choose another folder with ${option}`;
  if (!statSync(path).isDirectory())
    throw new UsageError(`${folder} cannot be a folder, as ${path} is a file: ${choose}`);
  try {
    for (const each of missing) mkdirSync(each);
    accessSync(folder, constants.W_OK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new UsageError(`the folder ${folder} cannot be written to (${code}): ${choose}`);
  }
}
