/** Reads the dataset mappings of a local load. They may be in a local file. */
import { readFileSync } from 'node:fs';
import { BUILT_IN_MAPPINGS } from 'shared/datasets/built-in';
import { type DatasetMapping, mergeMappings, parseMappings } from 'shared/datasets/mapping';
import { type ObjectStore, parseS3Uri, readText } from 'shared/loads/objects';
import { UsageError } from '../cli/ending';

export interface Mappings {
  /** The user's mappings and the built-in ones that they do not replace. */
  readonly all: readonly DatasetMapping[];
  /** The user's mapping if there is exactly one. */
  readonly single: DatasetMapping | undefined;
}

/**
 * @param given JSON, an s3:// address or a path; undefined for the built-in mappings alone
 * @throws UsageError for a file that cannot be read; ConfigurationError with every problem of the mappings
 */
export async function readMappings(given: string | undefined, objects: Pick<ObjectStore, 'read'>): Promise<Mappings> {
  const own = given === undefined ? [] : await ownMappings(given, objects);
  return { all: mergeMappings(BUILT_IN_MAPPINGS, own), single: own.length === 1 ? own[0] : undefined };
}

async function ownMappings(given: string, objects: Pick<ObjectStore, 'read'>): Promise<DatasetMapping[]> {
  if (/^\s*[[{]/.test(given)) return parseMappings(given, '--mapping');
  if (!given.startsWith('s3://')) return parseMappings(fileText(given), given);
  const text = await readText(objects, parseS3Uri(given));
  if (text === undefined) throw new UsageError(`--mapping ${given} does not exist`);
  return parseMappings(text, given);
}

function fileText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`--mapping ${path} cannot be read (${code}): name a JSON file or an s3:// address`);
  }
}
