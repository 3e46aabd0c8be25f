/** Counts the points of a running load: each finished item writes an empty object with its counts in its key, so that a listing is enough. */
import type { ItemResult } from './item-result';
import type { ObjectRef, ObjectStore } from './objects';
import { itemKey, workKey } from './work-keys';

const FOLDER = 'progress';
/** Maximum number of objects to list, which takes about 5 s. */
const MAX_LISTED = 100_000;

/** What became of the rows of the items that were loaded so far. */
export interface PointCounts {
  /** Points that InfluxDB acknowledged. */
  readonly points: number;
  readonly rejectedPoints: number;
  /** Points of batches that failed. */
  readonly failedPoints: number;
  readonly invalidRows: number;
}

const COUNTS = ['points', 'rejectedPoints', 'failedPoints', 'invalidRows'] as const;

/** Saves the counts of an item that was loaded. */
export async function savePointCounts(
  loadId: string,
  item: ObjectRef & { readonly firstRowGroup: number },
  {
    pointsWritten,
    rejectedPoints,
    failedPoints,
    invalidRecords,
  }: Pick<ItemResult, 'pointsWritten' | 'rejectedPoints' | 'failedPoints' | 'invalidRecords'>,
  { objects, workBucket }: { readonly objects: Pick<ObjectStore, 'write'>; readonly workBucket: string },
): Promise<void> {
  const invalidRows = Object.values(invalidRecords).reduce((sum, count) => sum + count, 0);
  const counts = [pointsWritten, rejectedPoints, failedPoints, invalidRows].join('.');
  const ref = { bucket: workBucket, key: itemKey(loadId, FOLDER, item, counts) };
  await objects.write(ref, new Uint8Array(), 'application/octet-stream');
}

/** The counts of the items that were loaded so far; null if there are too many items to count during a request. */
export async function pointsSoFar(
  loadId: string,
  { objects, workBucket }: { readonly objects: Pick<ObjectStore, 'list'>; readonly workBucket: string },
): Promise<PointCounts | null> {
  // An item that was loaded twice counts once, with the try that wrote more points.
  const byItem = new Map<string, PointCounts>();
  let listed = 0;
  for await (const page of objects.list(workBucket, workKey(loadId, `${FOLDER}/`))) {
    listed += page.length;
    if (listed > MAX_LISTED) return null;
    for (const { key } of page) {
      const [, item, points, ...errors] = /^(.*\/[^./]+)\.(\d+)(?:\.(\d+)\.(\d+)\.(\d+))?$/.exec(key) ?? [];
      if (item === undefined) continue;
      // Items that an earlier version loaded have only their points.
      const [rejectedPoints = 0, failedPoints = 0, invalidRows = 0] = errors.map((text = '0') => Number(text));
      const counts = { points: Number(points), rejectedPoints, failedPoints, invalidRows };
      if (counts.points >= (byItem.get(item)?.points ?? 0)) byItem.set(item, counts);
    }
  }
  const sum = { points: 0, rejectedPoints: 0, failedPoints: 0, invalidRows: 0 };
  for (const counts of byItem.values()) for (const name of COUNTS) sum[name] += counts[name];
  return sum;
}

/** Points per second of a load from its start to its end, or until now; null if the times or points are not known. */
export function pointRate(
  points: number | undefined,
  started: Date | undefined,
  ended: Date | undefined,
  now: number,
): number | null {
  if (points === undefined || started === undefined) return null;
  const seconds = ((ended?.getTime() ?? now) - started.getTime()) / 1000;
  return seconds > 0 ? Math.round(points / seconds) : null;
}
