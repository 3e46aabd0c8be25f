/** Reads the dataset mappings of a local load. They may be in a local file. */
import { readFileSync } from 'node:fs';
import { BUILT_IN_MAPPINGS } from 'shared/datasets/built-in';
import { type DatasetMapping, mergeMappings, parseMappings } from 'shared/datasets/mapping';
import { loadMappings } from 'shared/loads/mappings';
import type { ObjectStore } from 'shared/loads/objects';
import { UsageError } from '../cli/ending';

/**
 * @param own JSON, an s3:// address or a path; undefined for the built-in mappings alone
 * @throws UsageError for a file that cannot be read; ConfigurationError with every problem of the mappings
 */
export async function readMappings(
  own: string | undefined,
  objects: Pick<ObjectStore, 'read'>,
): Promise<readonly DatasetMapping[]> {
  if (own === undefined || /^\s*[[{]|^s3:\/\//.test(own)) return await loadMappings(own, objects);
  return mergeMappings(BUILT_IN_MAPPINGS, parseMappings(fileText(own), own));
}

function fileText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`--mapping ${path} cannot be read (${code}): name a JSON file or an s3:// address`);
  }
}
