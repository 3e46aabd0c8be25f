/** Loads the dataset mappings of a function: the built-in ones and the user's. */
import { BUILT_IN_MAPPINGS } from '../datasets/built-in';
import { type DatasetMapping, mergeMappings, parseMappings } from '../datasets/mapping';
import { ConfigurationError } from '../errors';
import { type ObjectStore, parseS3Uri, readText } from './objects';

/**
 * @param own JSON, or `s3://bucket/key` of an object with the JSON; undefined for only the built-in mappings
 * @throws ConfigurationError if the object does not exist; otherwise it lists every problem of the mappings
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
