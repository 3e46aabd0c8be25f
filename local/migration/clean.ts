/** Deletes the exported files of proved migrations, after asking. The work folder keeps their reports and proofs. */
import { createInterface } from 'node:readline/promises';
import { number } from 'shared/count-text';
import { type ObjectVersion, parseS3Folder } from 'shared/loads/objects';
import { type Earlier, earlierMigrations, hasProof } from './earlier';
import { places, regionOf, removeObjects, WORK_FOLDER } from './places';

/** @returns whether everything was deleted that could be */
export async function cleanExports(): Promise<boolean> {
  const proved = earlierMigrations(WORK_FOLDER).filter((earlier) => hasProof(WORK_FOLDER, earlier));
  const found: { readonly earlier: Earlier; readonly files: readonly ObjectVersion[] }[] = [];
  for (const earlier of proved) {
    const { migration } = earlier;
    const files = await exportedFiles(earlier);
    if (files.length === 0) continue;
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    console.log(
      `${migration.migrationId} (${migration.request.database}): ${number(files.length, 'file')}, ${(bytes / 1e6).toFixed(1)} MB in ${earlier.places.exportTo}`,
    );
    found.push({ earlier, files });
  }
  if (found.length === 0) {
    console.log('No proved migration has exported files');
    return true;
  }
  if (!(await isConfirmed('Delete these files? The tables in Timestream and the points in InfluxDB stay. [y/N] '))) {
    console.log('Nothing was deleted');
    return true;
  }
  for (const { earlier, files } of found) {
    const { exportTo, timestream } = earlier.places;
    await removeObjects(exportTo, regionOf(timestream), files);
  }
  return true;
}

/** The files of all attempts of a migration. Their folders end in its id and the number of the attempt. */
async function exportedFiles({ migration, places: given }: Earlier): Promise<ObjectVersion[]> {
  const { migrationId, request } = migration;
  const { objects, exportUri } = await places(given.exportTo, regionOf(given.timestream));
  const { bucket, prefix } = parseS3Folder(exportUri);
  const attempt = new RegExp(`/-?\\d+--?\\d+-${migrationId}-\\d+/`);
  const files: ObjectVersion[] = [];
  for await (const page of objects.list(bucket, `${prefix}${request.database}/`)) {
    files.push(...page.filter(({ key }) => attempt.test(key)));
  }
  return files;
}

async function isConfirmed(question: string): Promise<boolean> {
  const reader = createInterface({ input: process.stdin, output: process.stdout });
  // Without an answer, such as at the end of stdin, nothing is deleted.
  const closed = new Promise<string>((resolve) => reader.once('close', () => resolve('')));
  const answer = await Promise.race([reader.question(question), closed]);
  reader.close();
  return /^y(es)?$/i.test(answer.trim());
}
