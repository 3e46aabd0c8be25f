/** Decides by the name of a key whether it is data. Listings and notifications leave out other keys; a key in a request is always loaded. */

/**
 * Whether a key is a marker or hidden. Markers are folders (`name/`) and Hadoop's `name_$folder$`. A key is hidden if the name of a folder
 * or of the object begins with `.`, or with `_` unless it is a partition `_name=value`. Spark, Hive and Delta use such names for
 * uncommitted files (`_temporary/`) and metadata (`_SUCCESS`, `_delta_log/`).
 */
export function isLeftOut(key: string): boolean {
  if (key.endsWith('/') || key.endsWith('_$folder$')) return true;
  return key
    .split('/')
    .some((segment) => segment.startsWith('.') || (segment.startsWith('_') && !segment.includes('=')));
}

/**
 * Whether a key under a prefix is loaded as a Parquet file: it is not left out, and its name ends in .parquet, .parq or .pq, or has no
 * extension. UNLOAD also writes `_manifest.json` and `_metadata.json`; these are not loaded.
 * @param prefix of the load; its folders may have any names, because the request names them
 */
export function isParquetKey(key: string, prefix = ''): boolean {
  const below = key.slice(prefix.lastIndexOf('/') + 1);
  const name = key.slice(key.lastIndexOf('/') + 1);
  return !isLeftOut(below) && (/\.(parquet|parq|pq)$/i.test(name) || !name.includes('.'));
}
