/** The points of a load that still runs: each item leaves its count in the name of an empty object, so that a listing adds them up. */
import type { ObjectRef, ObjectStore } from './objects';
import { itemKey, workKey } from './work-keys';

const FOLDER = 'progress';
/** Objects that one count lists: about 5 s. */
const MAX_LISTED = 100_000;

/** Notes the points of an item that is loaded. */
export async function savePointCount(
  loadId: string,
  item: ObjectRef & { readonly firstRowGroup: number },
  points: number,
  { objects, workBucket }: { readonly objects: Pick<ObjectStore, 'write'>; readonly workBucket: string },
): Promise<void> {
  const ref = { bucket: workBucket, key: itemKey(loadId, FOLDER, item, String(points)) };
  await objects.write(ref, new Uint8Array(), 'application/octet-stream');
}

/** The points of the items that are loaded; null where there are too many items to count while somebody waits. */
export async function pointsSoFar(
  loadId: string,
  { objects, workBucket }: { readonly objects: Pick<ObjectStore, 'list'>; readonly workBucket: string },
): Promise<number | null> {
  // An item that was done twice counts once, as the points of both are the same ones.
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
