/** Reads a bucket of InfluxDB 2: its retention, and the types of its fields. */
import { z } from 'zod';
import { type BucketState, ColumnCollector, jsonOf, type Send } from './bucket-state';
import type { Target } from './protocol';

const bucketsSchema = z.object({
  buckets: z.array(
    z.object({
      id: z.string(),
      orgID: z.string(),
      name: z.string(),
      retentionRules: z.array(z.object({ everySeconds: z.number() })).default([]),
    }),
  ),
});
const mappingsSchema = z.object({
  content: z.array(z.object({ database: z.string(), retention_policy: z.string(), bucketID: z.string() })),
});
const fieldKeysSchema = z.object({
  results: z.array(
    z.object({
      error: z.string().optional(),
      series: z
        .array(
          z.object({
            name: z.string(),
            values: z.array(z.tuple([z.string(), z.enum(['float', 'integer', 'unsigned', 'boolean', 'string'])])),
          }),
        )
        .default([]),
    }),
  ),
});

/**
 * Flux lists the names of fields but no types, unless it reads points. `SHOW FIELD KEYS` of InfluxQL reads the types from the index. It
 * names a bucket by database and retention policy; InfluxDB has such a pair for every bucket.
 * Source: the API reference of InfluxDB OSS 2.7 (`/api/v2/buckets`, `/api/v2/dbrps`, `/query`), and the responses of 2.7.12.
 * @throws Error if the bucket cannot be read
 */
export async function readBucketV2({ org, bucket: name }: Target, send: Send): Promise<BucketState> {
  const get = async <T>(path: string, parameters: Record<string, string>, schema: z.ZodType<T>): Promise<T> =>
    jsonOf(await send({ method: 'GET', path: `${path}?${new URLSearchParams(parameters)}` }), schema, path);
  const { buckets } = await get('/api/v2/buckets', { org, name }, bucketsSchema);
  const bucket = buckets.find((each) => each.name === name);
  if (!bucket) throw new Error('the token may not read this bucket');
  const retentionSeconds = Math.max(0, ...bucket.retentionRules.map(({ everySeconds }) => everySeconds)) || undefined;

  const ids = { orgID: bucket.orgID, bucketID: bucket.id };
  const { content } = await get('/api/v2/dbrps', ids, mappingsSchema);
  const pair = content.find(({ bucketID }) => bucketID === bucket.id);
  if (!pair) throw new Error('InfluxDB has no database and retention policy for this bucket');
  const query = { db: pair.database, rp: pair.retention_policy, q: 'SHOW FIELD KEYS' };
  const collector = new ColumnCollector();
  for (const { error, series } of (await get('/query', query, fieldKeysSchema)).results) {
    if (error !== undefined) throw new Error(error);
    for (const { name: measurement, values } of series)
      for (const [field, type] of values) collector.add(measurement, field, type);
  }
  return { retentionSeconds, columns: collector.columns };
}
