/** The lines of a plan: items that LoadBatch loads, and files that could not be planned. */
import { z } from 'zod';

const count = z.number().int().min(0);

/** A column or pattern that the mapping names, and a similar name in the file. */
const absentSchema = z.object({ column: z.string(), similar: z.string().optional() });
export type AbsentColumn = z.output<typeof absentSchema>;

/** What belongs to a file of an export. */
const exportPartSchema = z.object({
  table: z.string(),
  /** The query that wrote the file, with its folder below the prefix. */
  query: z.string(),
  /** The document that says how the file is read. */
  mapping: z.object({ bucket: z.string(), key: z.string() }),
  /** By the manifest: bytes and rows of the file. */
  size: count,
  rows: count,
});
export type ExportPart = z.output<typeof exportPartSchema>;

export const planItemSchema = z.object({
  bucket: z.string(),
  key: z.string(),
  etag: z.string(),
  /** Size of the file, bytes. */
  size: count,
  dataset: z.string(),
  /** From 0. */
  firstRowGroup: count,
  rowGroups: z.number().int().min(1),
  /** Rows of the file before this item. */
  firstRow: count,
  rows: count,
  /** Compressed size of the columns to read, bytes. */
  bytes: count,
  /** Rows of the whole file. */
  fileRows: count,
  /** Field names that units take in this file. A column with such a name gets another field name. */
  taken: z.array(z.string()),
  /** Optional columns that the file lacks and probably should have, and patterns that match none of its columns, only in the first item of the file. */
  absent: z.array(absentSchema).optional(),
  /** Only of an export: `dataset` is then the table. */
  export: exportPartSchema.optional(),
});

/** A run of row groups of one version of a file. Items are loaded, validated and retried one by one. */
export type PlanItem = z.output<typeof planItemSchema>;

/** A file without items because it could not be planned. */
export const unplannedSchema = z.object({
  bucket: z.string(),
  key: z.string(),
  export: exportPartSchema.optional(),
});

export interface Unplanned extends z.output<typeof unplannedSchema> {
  readonly error: string;
  readonly cause: string;
}

/** A line of `failed-items.jsonl`. Its error and cause are for people and are not read. */
export const repeatedSchema = z.union([planItemSchema, unplannedSchema]);
export type Repeated = z.output<typeof repeatedSchema>;

/** The id of an item, unique in a load. */
export function itemId({ bucket, key, firstRowGroup }: Pick<PlanItem, 'bucket' | 'key' | 'firstRowGroup'>): string {
  return `${firstRowGroup} ${bucket}/${key}`;
}
