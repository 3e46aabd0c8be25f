/** Reads what the command `migrate` keeps in its folder. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folders of exports by window: each attempt has one. A finished window has its folder in its record. */
export function finishedFolders(folder: string): Map<string, string> {
  const found = new Map<string, string>();
  const root = join(folder, '.data/migrations');
  if (!existsSync(root)) return found;
  for (const file of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (!/windows.*\d\.json$/.test(file)) continue;
    const record = JSON.parse(readFileSync(join(root, file), 'utf8')) as {
      state: string;
      exported?: { folder: string };
    };
    if (record.state === 'exported' && record.exported) found.set(file, record.exported.folder);
  }
  return found;
}
