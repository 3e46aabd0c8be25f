/** The keys of the objects that a load keeps in the work bucket. */
import { createHash } from 'node:crypto';
import type { PlanItem } from './plan-item';

/** The key of an object of a load. */
export const workKey = (loadId: string, name: string): string => `loads/${loadId}/${name}`;

/** The key of an object of one item. */
export function itemKey(
  loadId: string,
  folder: string,
  { bucket, key, firstRowGroup }: Pick<PlanItem, 'bucket' | 'key' | 'firstRowGroup'>,
  extension: string,
): string {
  const hash = createHash('sha256').update(`${bucket}/${key}`).digest('hex').slice(0, 16);
  return workKey(loadId, `${folder}/${hash}-${firstRowGroup}.${extension}`);
}
