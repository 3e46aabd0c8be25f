/** Finds the migrations that earlier runs of the command have left in the work folder. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Target } from 'shared/influxdb/protocol';
import { type Migration, migrationSchema } from 'shared/migration/records';
import type { MigrationRequest } from 'shared/migration/request';
import { type ReportOutput, reportOutputSchema } from 'shared/migration/steps';

export interface Earlier {
  readonly migration: Migration;
  /** Undefined for a migration that has not ended. */
  readonly status: ReportOutput['status'] | undefined;
}

/** The migrations, the latest first. */
export function earlierMigrations(workFolder: string): Earlier[] {
  const root = join(workFolder, 'migrations');
  if (!existsSync(root)) return [];
  const found = readdirSync(root).flatMap((id): Earlier[] => {
    const migration = migrationSchema.safeParse(jsonOf(join(root, id, 'migration.json'))).data;
    const status = reportOutputSchema.pick({ status: true }).safeParse(jsonOf(join(root, id, 'report.json')))
      .data?.status;
    return migration ? [{ migration, status }] : [];
  });
  return found.sort((a, b) => (a.migration.started < b.migration.started ? 1 : -1));
}

/** The latest migration with the same request and target; a dry run does not count. */
export function sameMigration(
  earlier: readonly Earlier[],
  request: MigrationRequest,
  target: Target,
): Earlier | undefined {
  const comparable = (value: MigrationRequest) => ({
    ...value,
    from: value.from ?? null,
    to: value.to ?? null,
    verifyOnly: false,
  });
  return earlier.find(
    ({ migration }) =>
      isDeepStrictEqual(comparable(migration.request), comparable(request)) &&
      isDeepStrictEqual(migration.target, target),
  );
}

function jsonOf(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
