/** Finds the dataset of an object by its key. */
import { DataConversionError, InvalidEventError } from '../errors';
import type { DatasetMapping } from './mapping';

/**
 * Returns the mapping for an object: the explicit dataset if there is one, else a path segment `dataset=NAME`, else a path segment NAME,
 * else NAME as a word of the file name. Case does not matter. The first step that finds a name decides.
 * @param key the object's key or path, URL-decoded, without the bucket.
 * @throws InvalidEventError for an unknown explicit dataset; DataConversionError for a key that names no dataset, an unknown dataset,
 *   or several at the same step.
 */
export function detectDataset(key: string, mappings: readonly DatasetMapping[], explicit?: string): DatasetMapping {
  const known = mappings.map(({ name }) => name).join(', ');
  if (explicit !== undefined) {
    const mapping = mappings.find(({ name }) => name === explicit.trim().toLowerCase());
    if (!mapping)
      throw new InvalidEventError(`unknown dataset '${explicit}': expected one of ${known}, or of DATASET_MAPPINGS`);
    return mapping;
  }

  const segments = key.toLowerCase().split('/');
  const fileName = segments.at(-1) ?? '';
  const named = segments.filter((segment) => segment.startsWith('dataset=')).map((segment) => segment.slice(8).trim());
  const steps = [
    named,
    segments.filter((segment) => mappings.some(({ name }) => name === segment)),
    mappings.filter(({ name }) => isWordOf(fileName, name)).map(({ name }) => name),
  ];
  const found = [...new Set(steps.find((names) => names.length > 0))];
  if (found.length === 0) throw undetected(key, `no dataset named in it, expected one of ${known}`);
  if (found.length > 1) throw undetected(key, `several datasets named in it: ${found.join(', ')}`);
  const mapping = mappings.find(({ name }) => name === found[0]);
  if (!mapping)
    throw undetected(key, `unknown dataset '${found[0]}', expected one of ${known}, or of DATASET_MAPPINGS`);
  return mapping;
}

function undetected(key: string, why: string): DataConversionError {
  return new DataConversionError(`cannot tell the dataset of '${key}': ${why}; or name it as \`dataset\``, {
    object: key,
  });
}

/** Whether the file name has the name without a letter or digit before or after it: `generation_2024.parquet` has `generation`. */
function isWordOf(fileName: string, name: string): boolean {
  return new RegExp(`(?<![\\p{L}\\p{N}])${name}(?![\\p{L}\\p{N}])`, 'u').test(fileName);
}
