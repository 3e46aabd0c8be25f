/** What the input of a migration has by default in a deployed stack. */
import type { MigrationDefaults } from 'shared/loader-config';

/** Adds the stack's database and folder of exports to an input that does not name its own. */
export function withDefaults(input: unknown, { database, export: folder }: MigrationDefaults): unknown {
  if (typeof input !== 'object' || input === null || Array.isArray(input) || 'resume' in input) return input;
  return { ...(database !== undefined && { database }), export: folder, ...input };
}
