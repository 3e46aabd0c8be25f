/** Which keys are not data, by their names: what listings and notifications leave out. A key that somebody names is never left out. */

/**
 * Whether a key is a marker, or lies in a hidden folder or under a hidden name: one that begins with `.`, or with `_` unless it is a
 * partition `_name=value`. Spark, Hive and Delta keep there what is not committed (`_temporary/`) and what is not data (`_SUCCESS`,
 * `_delta_log/`). Markers are folders (`name/`) and Hadoop's `name_$folder$`.
 */
export function isLeftOut(key: string): boolean {
  if (key.endsWith('/') || key.endsWith('_$folder$')) return true;
  return key
    .split('/')
    .some((segment) => segment.startsWith('.') || (segment.startsWith('_') && !segment.includes('=')));
}

/**
 * Whether a key under a prefix is taken for a Parquet file: it is not left out, and its name ends in .parquet, .parq or .pq, or has no
 * extension. So the `_manifest.json` and `_metadata.json` of an UNLOAD are none.
 * @param prefix its folders are named by the load, and may have any names
 */
export function isParquetKey(key: string, prefix = ''): boolean {
  const below = key.slice(prefix.lastIndexOf('/') + 1);
  const name = key.slice(key.lastIndexOf('/') + 1);
  return !isLeftOut(below) && (/\.(parquet|parq|pq)$/i.test(name) || !name.includes('.'));
}
