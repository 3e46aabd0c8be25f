/** The keys of the objects that a migration keeps in the work bucket, and the folders of its exports. */
import { createHash } from 'node:crypto';
import type { Window } from './records';

/** The key of an object of a migration. */
export const migrationKey = (migrationId: string, name: string): string => `migrations/${migrationId}/${name}`;

/** Names of tables may have capitals, dots and dashes, which differ in file systems without case; the hash keeps them apart. */
export function tableFolder(table: string): string {
  const hash = createHash('sha256').update(table).digest('hex').slice(0, 8);
  return `${table.replace(/[^\w.-]/g, '_')}-${hash}`;
}

/** The fixed name of a window. */
export const windowName = ({ from, to }: Window): string => `${from}-${to}`;

export const tableKey = (migrationId: string, table: string): string =>
  migrationKey(migrationId, `tables/${tableFolder(table)}.json`);

export const windowKey = (migrationId: string, table: string, window: Window): string =>
  migrationKey(migrationId, `windows/${tableFolder(table)}/${windowName(window)}.json`);

/** The range of a table that is proved. `into` identifies engine, URL, organization, bucket and the mapping. */
export const lastProvedKey = (database: string, table: string, into: string): string => {
  const hash = createHash('sha256')
    .update(JSON.stringify([database, table, into]))
    .digest('hex')
    .slice(0, 32);
  return `migrations/last/${hash}.json`;
};
