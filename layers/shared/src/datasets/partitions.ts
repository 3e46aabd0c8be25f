/** Columns that a key supplies in its folders' names, as Hive, Spark and Athena write them: `region=norte/year=2024/part.parquet`. */

/** What Hive writes for null. */
const NULL_PARTITION = '__HIVE_DEFAULT_PARTITION__';

/** Column values by name; null is a null value. */
export type PartitionColumns = ReadonlyMap<string, string | null>;

export const NO_PARTITIONS: PartitionColumns = new Map();

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
    const value = unescapePath(folder.slice(end + 1));
    columns.set(unescapePath(folder.slice(0, end)), value === NULL_PARTITION ? null : value);
  }
  return columns;
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
