/**
 * Columns that a key supplies: in its folders' names, as Hive, Spark and Athena write them (`region=norte/year=2024/part.parquet`), or by
 * the pattern of a mapping (`exports/{table}/**`).
 */
import { DataConversionError } from '../errors';
import type { DatasetMapping } from './mapping';
import { pathPattern } from './path-pattern';

/** What Hive writes for null. */
const NULL_PARTITION = '__HIVE_DEFAULT_PARTITION__';

/** Column values by name; null is a null value. */
export type PartitionColumns = ReadonlyMap<string, string | null>;

export const NO_PARTITIONS: PartitionColumns = new Map();

/**
 * The columns that a path supplies to a mapping. A named part of the mapping's pattern takes precedence over a folder `name=value`. Both are
 * percent-decoded, and `__HIVE_DEFAULT_PARTITION__` is null.
 * @param path the key of an object or the path of a file, not URL-encoded, with `/` between its segments
 * @throws DataConversionError if the path does not match the mapping's pattern
 */
export function suppliedColumns(path: string, { name, path: pattern }: DatasetMapping): PartitionColumns {
  const folders = partitionColumns(path);
  if (pattern === undefined) return folders;
  const parts = pathPattern(pattern)(path);
  if (!parts)
    throw new DataConversionError(`${path}: does not match \`path\` of the mapping "${name}": ${pattern}`, {
      object: path,
    });
  return new Map([...folders, ...[...parts].map(([column, value]) => [column, columnValue(value)] as const)]);
}

/**
 * The columns in a key's folders `name=value`, both percent-decoded. If two folders have one name, the folder nearer to the file counts.
 * The file's own name is not a folder. Source: "Partition Discovery" in Spark's SQL guide, and Hive's FileUtils.unescapePathName.
 * @param key not URL-encoded, with `/` between its segments
 */
export function partitionColumns(key: string): PartitionColumns {
  const columns = new Map<string, string | null>();
  for (const folder of key.split('/').slice(0, -1)) {
    const end = folder.indexOf('=');
    if (end < 1) continue;
    columns.set(unescapePath(folder.slice(0, end)), columnValue(folder.slice(end + 1)));
  }
  return columns;
}

function columnValue(text: string): string | null {
  const value = unescapePath(text);
  return value === NULL_PARTITION ? null : value;
}

/** Percent-encoding that is invalid or not UTF-8 stays unchanged, as in Spark; `+` is a plus sign. */
function unescapePath(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (run) => {
    try {
      return decodeURIComponent(run);
    } catch {
      return run;
    }
  });
}
