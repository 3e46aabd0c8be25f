/** The dataset mappings that a function works with: the built-in ones and the user's. */
import { BUILT_IN_MAPPINGS } from '../datasets/built-in';
import { type DatasetMapping, mergeMappings, parseMappings } from '../datasets/mapping';
import { ConfigurationError } from '../errors';
import { type ObjectStore, parseS3Uri, readText } from './objects';

/**
 * @param own JSON, or `s3://bucket/key` of an object that holds it; undefined for the built-in mappings alone
 * @throws ConfigurationError for an object that does not exist, and for every problem of the mappings
 */
export async function loadMappings(
  own: string | undefined,
  objects: Pick<ObjectStore, 'read'>,
): Promise<readonly DatasetMapping[]> {
  if (own === undefined) return BUILT_IN_MAPPINGS;
  if (!own.startsWith('s3://')) return mergeMappings(BUILT_IN_MAPPINGS, parseMappings(own, 'DATASET_MAPPINGS'));
  const text = await readText(objects, parseS3Uri(own));
  if (text === undefined) throw new ConfigurationError([`DATASET_MAPPINGS: ${own} does not exist`]);
  return mergeMappings(BUILT_IN_MAPPINGS, parseMappings(text, own));
}
