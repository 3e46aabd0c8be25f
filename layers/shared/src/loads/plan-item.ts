/** The lines of a plan: what one LoadBatch loads, and what could not be planned. */
import { z } from 'zod';

const count = z.number().int().min(0);

export const planItemSchema = z.object({
  bucket: z.string(),
  key: z.string(),
  etag: z.string(),
  /** Bytes of the file. */
  size: count,
  dataset: z.string(),
  /** From 0. */
  firstRowGroup: count,
  rowGroups: z.number().int().min(1),
  /** The file's rows before this item. */
  firstRow: count,
  rows: count,
  /** Compressed bytes of the columns that will be read. */
  bytes: count,
  /** Rows of the whole file. */
  fileRows: count,
  /** Names that the unit's fields take in this file, so that columns of the same name get another. */
  taken: z.array(z.string()),
});

/** A run of row groups of one version of a file: the unit of work, of validation and of repetition. */
export type PlanItem = z.output<typeof planItemSchema>;

/** A file that has no items because it cannot be planned. */
export const unplannedSchema = z.object({ bucket: z.string(), key: z.string() });

export interface Unplanned extends z.output<typeof unplannedSchema> {
  readonly error: string;
  readonly cause: string;
}

/** A line of `failed-items.jsonl`, whose error and cause are for people: a plan that is made of it leaves them out. */
export const repeatedSchema = z.union([planItemSchema, unplannedSchema]);

/** Names an item among all of a load. */
export function itemId({ bucket, key, firstRowGroup }: Pick<PlanItem, 'bucket' | 'key' | 'firstRowGroup'>): string {
  return `${firstRowGroup} ${bucket}/${key}`;
}
