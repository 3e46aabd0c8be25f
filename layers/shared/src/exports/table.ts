/** The table that a query exported. Neither manifest nor metadata names it, so it comes from the folders or from the user. */
import { InvalidEventError } from '../errors';

/**
 * The name of the table: the measurement that the user gives, or the folder of the table in `<database>/<table>/` or
 * `<database>/<table>/<chunk>/` below the prefix.
 * @param folder of the manifest, below the prefix
 * @throws InvalidEventError that says what to give
 */
export function tableOf(folder: string, measurement: string | undefined): string {
  if (measurement !== undefined) return measurement;
  const folders = folder === '' ? [] : folder.split('/');
  const [, table] = folders;
  if (table !== undefined && folders.length <= 3) return table;
  const found = folder === '' ? 'the manifest is in the folder itself' : `the manifest is in ${folder}/ below it`;
  throw new InvalidEventError(
    `the table of the export is unknown: ${found}. Give its name as measurement, or give the folder that has <database>/<table>/ below it`,
  );
}
