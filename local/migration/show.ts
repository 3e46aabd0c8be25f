/** Prints the report of a migration. */
import { readText } from 'shared/loads/objects';
import { fileOf, type MigrateOutcome } from './migrate';

/** Prints the page of text, or the report as JSON. */
export async function show({ objects, migrationId, page, proof }: MigrateOutcome, isJson: boolean): Promise<void> {
  const text = await readText(objects, fileOf(migrationId, isJson ? 'report.json' : 'report.txt'));
  process.stdout.write(text ?? '');
  if (!isJson) console.log(`Report: ${page}${proof === null ? '' : `\nProof: ${proof}`}`);
}
