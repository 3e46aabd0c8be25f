/** Checks that the exports of a local server can be read here, before anything is exported. The server's folder of exports is its own option. */
import { createHash } from 'node:crypto';
import { type ObjectStore, type ObjectVersion, parseS3Folder, parseS3Uri } from 'shared/loads/objects';
import { type QueryServices, run, single } from 'shared/migration/query';
import { literal } from 'shared/migration/sql';
import { UsageError } from '../cli/ending';

const ADVICE =
  'The local server writes s3://BUCKET/KEY to BUCKET/KEY in its --export-dir (default: .data/exports where it was started): ' +
  'name that folder with --export EXPORT-DIR/BUCKET. If it was started with --s3-endpoint, give an s3:// address, and set ' +
  'AWS_ENDPOINT_URL_S3, AWS_REGION and credentials here too';

export interface ExportPlace {
  /** As the user gave it. */
  readonly exportTo: string;
  /** `s3://bucket/prefix/` */
  readonly exportUri: string;
  readonly objects: ObjectStore;
  /** Deletes files of the place. */
  readonly remove: (files: readonly ObjectVersion[]) => Promise<void>;
}

/**
 * Exports one row, looks for its manifest, and deletes its files.
 * @param name of the folder of these files; it must not exist
 * @throws UsageError if the files are not found; TimestreamQueryError or TimestreamUnavailableError
 */
export async function assertExportsAreFound(place: ExportPlace, name: string, services: QueryServices): Promise<void> {
  const folder = `${place.exportUri}${name}/`;
  const sql = `UNLOAD (SELECT 1 AS one) TO ${literal(folder)} WITH (format = 'PARQUET')`;
  const clientToken = createHash('sha256').update(folder).digest('hex');
  const result = await run({ sql, clientToken }, services);
  const row = single(result, 3, sql);
  const manifest = row[result.columns.findIndex(({ Name }) => Name?.toLowerCase() === 'manifestfile')] ?? '';
  const reason = await place.objects.find(parseS3Uri(manifest)).then(
    (found) => (found ? undefined : 'the local server exports to another place'),
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  if (reason !== undefined) throw new UsageError(`--export ${place.exportTo}: ${reason}. ${ADVICE}`);
  const { bucket, prefix } = parseS3Folder(folder);
  for await (const page of place.objects.list(bucket, prefix)) await place.remove(page);
}
