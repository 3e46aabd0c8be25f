/** Names that a mapping may have: of the dataset, the measurement, tags and fields. */

import { isKey } from '../names';

/** The key for a column whose own name is not accepted. */
function acceptedKey(column: string): string {
  const key = column
    .replace(/\p{Cc}+/gu, ' ')
    .replace(/^_+/, '')
    .replace(/\\+$/, '')
    .trim();
  return key === '' ? 'column' : key === 'time' ? 'time_value' : key;
}

/** Whether a column's name becomes a key as it is. */
function isAccepted(name: string): boolean {
  return isKey(name) && name.trim() !== '' && !/\p{Cc}/u.test(name);
}

/** Keys by column. Columns whose own names are accepted keep them; others get a name that is not in use. */
export function keysOf(columns: readonly string[]): ReadonlyMap<string, string> {
  const keys = new Map(columns.filter(isAccepted).map((column) => [column, column]));
  const used = new Set(keys.values());
  for (const column of columns) {
    if (keys.has(column)) continue;
    const wanted = acceptedKey(column);
    let key = wanted;
    for (let number = 2; used.has(key); number++) key = `${wanted}_${number}`;
    keys.set(column, key);
    used.add(key);
  }
  return keys;
}

/** A date at the end of a name: `tripdata_2024-01`. */
const DATE = /(?<=\D)[-_. ](?:19|20)\d\d(?:[-_.]?\d\d){0,2}$/;
/** Names of files that say nothing about their data: those that Spark, DuckDB, Athena and others number. */
const NUMBERED =
  /^(?:part|data|file|chunk|output|export|run|batch)?[-_.\d]*(?:c\d+)?$|^part-|^[0-9a-f-]{16,}|^\d{8}_\d{6}_/i;

/**
 * The measurement of the files with these paths: the folder `dataset=NAME`, else the name of a single file, else the folder that all
 * files share.
 */
export function measurementOf(paths: readonly string[]): string {
  const all = paths.map((path) => path.split('/'));
  const datasets = new Set(
    all.flatMap((segments) => segments.slice(0, -1).filter((segment) => /^dataset=./i.test(segment))),
  );
  const [dataset] = datasets;
  if (dataset !== undefined && datasets.size === 1) return accepted(dataset.slice(dataset.indexOf('=') + 1));
  const stem = (all[0]?.at(-1) ?? '').replace(
    /(?:\.(?:parquet|parq|pq|snappy|gz|gzip|zstd|lz4|brotli|uncompressed))+$/i,
    '',
  );
  if (all.length === 1 && !NUMBERED.test(stem)) return accepted(stem.replace(DATE, ''));
  const shared = (all[0] ?? [])
    .slice(0, -1)
    .filter((segment, index) => all.every((segments) => segments[index] === segment));
  const folder = shared.reverse().find((segment) => !segment.includes('=') && segment !== '' && segment !== '.');
  return accepted(folder ?? (NUMBERED.test(stem) ? 'data' : stem.replace(/[-_.\d]+$/, '')));
}

/** A measurement may not begin with `_` or `#`. */
function accepted(name: string): string {
  return (
    name
      .replace(/\p{Cc}+/gu, ' ')
      .replace(/^[_#\s]+/, '')
      .replace(/[\\\s]+$/, '') || 'data'
  );
}

/** The name of a dataset: lower-case letters, digits, - and _. */
export function datasetName(measurement: string): string {
  const name = measurement
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^[-_]+|-+$/g, '');
  return name || 'data';
}
