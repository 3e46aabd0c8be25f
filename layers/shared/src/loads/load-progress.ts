/** Counts the points of a running load: each finished item writes an empty object with the count in its key, so that a listing is enough. */
import type { ObjectRef, ObjectStore } from './objects';
import { itemKey, workKey } from './work-keys';

const FOLDER = 'progress';
/** Maximum number of objects to list, which takes about 5 s. */
const MAX_LISTED = 100_000;

/** Saves the number of points of an item that was loaded. */
export async function savePointCount(
  loadId: string,
  item: ObjectRef & { readonly firstRowGroup: number },
  points: number,
  { objects, workBucket }: { readonly objects: Pick<ObjectStore, 'write'>; readonly workBucket: string },
): Promise<void> {
  const ref = { bucket: workBucket, key: itemKey(loadId, FOLDER, item, String(points)) };
  await objects.write(ref, new Uint8Array(), 'application/octet-stream');
}

/** The points of the items that were loaded so far; null if there are too many items to count during a request. */
export async function pointsSoFar(
  loadId: string,
  { objects, workBucket }: { readonly objects: Pick<ObjectStore, 'list'>; readonly workBucket: string },
): Promise<number | null> {
  // An item that was loaded twice counts once, because both times it wrote the same points.
  const points = new Map<string, number>();
  let listed = 0;
  for await (const page of objects.list(workBucket, workKey(loadId, `${FOLDER}/`))) {
    listed += page.length;
    if (listed > MAX_LISTED) return null;
    for (const { key } of page) {
      const [, item, count] = /^(.*)\.(\d+)$/.exec(key) ?? [];
      if (item !== undefined) points.set(item, Math.max(Number(count), points.get(item) ?? 0));
    }
  }
  return [...points.values()].reduce((sum, count) => sum + count, 0);
}
