/** Finds the migrations that earlier runs of the command have left in the work folder. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Target } from 'shared/influxdb/protocol';
import { proofSchema } from 'shared/migration/proof';
import { type Migration, migrationSchema } from 'shared/migration/records';
import type { MigrationRequest } from 'shared/migration/request';
import { type ReportOutput, reportOutputSchema } from 'shared/migration/steps';
import { z } from 'zod';

export interface Earlier {
  readonly migration: Migration;
  readonly places: GivenPlaces;
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
    const places = placesSchema.safeParse(jsonOf(placesFile(workFolder, id))).data;
    return migration && places ? [{ migration, places, status }] : [];
  });
  return found.sort((a, b) => (a.migration.started < b.migration.started ? 1 : -1));
}

/** Whether the last report of the migration and its proof say that it is proved. */
export function hasProof(workFolder: string, { migration, status }: Earlier): boolean {
  const proof = jsonOf(join(workFolder, 'migrations', migration.migrationId, 'proof.json'));
  return status === 'proved' && proofSchema.safeParse(proof).data?.proved === true;
}

/** The latest migration with the same request, places and target. */
export function sameMigration(
  earlier: readonly Earlier[],
  request: MigrationRequest,
  places: GivenPlaces,
  target: Target,
): Earlier | undefined {
  const comparable = (value: MigrationRequest) => ({
    ...value,
    from: value.from ?? null,
    to: value.to ?? null,
    verifyOnly: false,
  });
  const wanted = [comparable(request), places, target];
  return earlier.find((each) =>
    isDeepStrictEqual([comparable(each.migration.request), each.places, each.migration.target], wanted),
  );
}

/** The places of a migration, as the user gave them. */
const placesSchema = z.object({
  /** A folder or an s3:// address. */
  exportTo: z.string(),
  /** A URL or a region. */
  timestream: z.string(),
});
export type GivenPlaces = z.output<typeof placesSchema>;

const placesFile = (workFolder: string, migrationId: string) =>
  join(workFolder, 'migrations', migrationId, 'places.json');

export function saveGivenPlaces(workFolder: string, migrationId: string, places: GivenPlaces): void {
  const file = placesFile(workFolder, migrationId);
  if (existsSync(file)) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(places));
}

function jsonOf(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
