/** Prints the report of a migration. */
import { type ObjectStore, readText } from 'shared/loads/objects';
import { migrationKey } from 'shared/migration/work-keys';

export interface Reported {
  readonly objects: ObjectStore;
  /** The bucket of the report. */
  readonly workBucket: string;
  readonly migrationId: string;
}

/** Prints the page of text and where the files are, or the report as JSON. */
export async function show({ objects, workBucket, migrationId }: Reported, isJson: boolean): Promise<void> {
  const file = (name: string) => ({ bucket: workBucket, key: migrationKey(migrationId, name) });
  process.stdout.write((await readText(objects, file(isJson ? 'report.json' : 'report.txt'))) ?? '');
  if (isJson) return;
  console.log(`Report: ${objects.nameOf(file('report.txt'))}`);
  if (await objects.find(file('proof.json'))) console.log(`Proof: ${objects.nameOf(file('proof.json'))}`);
}
