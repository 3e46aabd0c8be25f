/** Reads the results of items that failed after they had written points. LoadBatch saves them in the work bucket. */

import { validate } from '../validation';
import { inOrder } from './in-order';
import { type ItemResult, itemResultSchema, UNFINISHED } from './item-result';
import { type ObjectRef, type ObjectStore, readText } from './objects';
import { itemId } from './plan-item';
import { workKey } from './work-keys';

/** Enough to hide the latency of S3. */
const READS_AT_ONCE = 50;

export interface UnfinishedServices {
  readonly objects: ObjectStore;
  readonly workBucket: string;
  /** Aborts when the time to read results is over. */
  readonly deadline: AbortSignal;
}

export interface Unfinished {
  /** By the id of the item. */
  readonly results: Map<string, ItemResult>;
  /** Number of results that were not read before the deadline. */
  readonly unread: number;
}

/** Reads the results until the deadline. There may be one for each item of a load. */
export async function unfinishedItems(
  loadId: string,
  { objects, workBucket, deadline }: UnfinishedServices,
): Promise<Unfinished> {
  const pages = objects.list(workBucket, workKey(loadId, `${UNFINISHED}/`));
  const read = async (ref: ObjectRef): Promise<ItemResult | undefined> => {
    if (deadline.aborted) return undefined;
    return validate(itemResultSchema, JSON.parse((await readText(objects, ref)) ?? 'null'), objects.nameOf(ref));
  };
  const results = new Map<string, ItemResult>();
  let unread = 0;
  for await (const result of inOrder(flat(pages), READS_AT_ONCE, read)) {
    if (result) results.set(itemId(result.item), result);
    else unread += 1;
  }
  return { results, unread };
}

async function* flat<T>(pages: AsyncIterable<readonly T[]>): AsyncGenerator<T> {
  for await (const page of pages) yield* page;
}
