/** Finds the dataset of an object by its key. */
import { DataConversionError, InvalidEventError } from '../errors';
import { BUILT_IN_MAPPINGS } from './built-in';
import type { DatasetMapping } from './mapping';

/** How a user names datasets and mappings: by options of a command, or by the input and the parameters of the workflow. */
export interface DatasetAdvice {
  /** Names the dataset of a file, such as `add --dataset air`. */
  readonly choose: (name: string) => string;
  /** Supplies mappings of further datasets, such as `--mapping FILE`. */
  readonly mapping: string;
  /** Proposes a mapping for a file, such as `influxdb-timestream infer FILE`. */
  readonly propose?: (file: string) => string;
}

/** Settings of the detection. */
export interface Detection {
  /** The dataset of keys that name none. */
  readonly fallback?: DatasetMapping | undefined;
  readonly advice?: DatasetAdvice;
}

export const WORKFLOW_ADVICE: DatasetAdvice = {
  choose: (name) => `set \`dataset\` to ${name} in the input`,
  mapping: 'DATASET_MAPPINGS',
};

/**
 * Returns the mapping for an object: the explicit dataset if there is one, else a path segment `dataset=NAME`, else a path segment NAME,
 * else NAME as a word of the file name. Case does not matter. The first step that finds a name decides.
 * @param key the object's key or path, URL-decoded, without the bucket.
 * @param name of the object in messages
 * @throws InvalidEventError for an unknown explicit dataset; DataConversionError for a key that names no dataset, an unknown dataset,
 *   or several at the same step.
 */
export function detectDataset(
  key: string,
  mappings: readonly DatasetMapping[],
  explicit?: string,
  { fallback, advice = WORKFLOW_ADVICE }: Detection = {},
  name = key,
): DatasetMapping {
  const known = mappings.map((mapping) => mapping.name).join(', ');
  if (explicit !== undefined) {
    const mapping = mappings.find((each) => each.name === explicit.trim().toLowerCase());
    if (mapping) return mapping;
    throw new InvalidEventError(
      `unknown dataset '${explicit}': expected one of ${known}, or one that ${advice.mapping} describes`,
    );
  }

  const segments = key.toLowerCase().split('/');
  const fileName = segments.at(-1) ?? '';
  const named = segments.filter((segment) => segment.startsWith('dataset=')).map((segment) => segment.slice(8).trim());
  const steps = [
    named,
    segments.filter((segment) => mappings.some((mapping) => mapping.name === segment)),
    mappings.filter((mapping) => isWordOf(fileName, mapping.name)).map((mapping) => mapping.name),
  ];
  const found = [...new Set(steps.find((names) => names.length > 0))];
  if (found.length === 0 && fallback !== undefined) return fallback;
  const fail = (why: string): never => {
    throw new DataConversionError(`${name}: cannot tell the dataset of this file: ${why}`, { object: key });
  };
  if (found.length > 1)
    fail(`its path names several: ${found.join(', ')}. To choose, ${advice.choose(found[0] ?? '')}`);
  const mapping = mappings.find((each) => each.name === found[0]);
  if (mapping) return mapping;
  if (found.length > 0)
    return fail(`its path names '${found[0]}', expected one of ${known}, or one that ${advice.mapping} describes`);
  return fail(unnamed(mappings, advice, name));
}

/** What to do if a path names no dataset. */
function unnamed(
  mappings: readonly DatasetMapping[],
  { choose, mapping, propose }: DatasetAdvice,
  file: string,
): string {
  const own = mappings.filter((each) => !BUILT_IN_MAPPINGS.includes(each)).map(({ name }) => name);
  const folder = (name: string): string => `put it into a folder dataset=${name}`;
  if (own.length === 1) return `${choose(own[0] ?? '')}, or ${folder(own[0] ?? '')}`;
  if (own.length > 1) return `${choose('NAME')}, or ${folder('NAME')} (${own.join(', ')})`;
  const names = mappings.map(({ name }) => name).join(', ');
  return (
    `its path names none of the built-in datasets (${names}). If it is one of them, ${choose('NAME')}; ` +
    (propose
      ? `otherwise get a mapping with \`${propose(file)} > mapping.json\`, and load with --mapping mapping.json`
      : `otherwise describe its columns with ${mapping} (docs/datasets.md)`)
  );
}

/** Whether the file name has the name without a letter or digit before or after it: `generation_2024.parquet` has `generation`. */
function isWordOf(fileName: string, name: string): boolean {
  return new RegExp(`(?<![\\p{L}\\p{N}])${name}(?![\\p{L}\\p{N}])`, 'u').test(fileName);
}
