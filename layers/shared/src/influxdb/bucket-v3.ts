/** Reads a database of InfluxDB 3: the types of its columns. */
import { z } from 'zod';
import type { ColumnKind } from '../points/series-counts';
import { type BucketState, ColumnCollector, jsonOf, type Send } from './bucket-state';
import type { Target } from './protocol';

const rowsSchema = z.array(z.object({ table_name: z.string(), column_name: z.string(), data_type: z.string() }));

/** Arrow types by their beginnings, because versions write them with different parameters. The column `time` is left out. */
const KINDS: readonly (readonly [type: string, kind: ColumnKind])[] = [
  ['Dictionary', 'tag'],
  ['Float64', 'float'],
  ['Int64', 'integer'],
  ['UInt64', 'unsigned'],
  ['Boolean', 'boolean'],
  ['Utf8', 'string'],
];

const PATH = '/api/v3/query_sql';
const QUERY =
  "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'iox' AND column_name <> 'time'";

/**
 * Source: the SQL reference of InfluxDB 3 Core, "Information schema". A database that does not exist is empty: the first write creates it.
 * @throws Error if the database cannot be read
 */
export async function readBucketV3({ bucket }: Target, send: Send): Promise<BucketState> {
  const body = { db: bucket, q: QUERY, format: 'json' };
  const exchange = await send({ method: 'POST', path: PATH, body });
  const collector = new ColumnCollector();
  const isMissing = exchange.kind === 'response' && exchange.status === 404 && /database/i.test(exchange.body);
  if (!isMissing) {
    const rows = jsonOf(exchange, rowsSchema, PATH);
    for (const { table_name: table, column_name: column, data_type: type } of rows) {
      const kind = KINDS.find(([start]) => type.startsWith(start))?.[1];
      if (kind !== undefined) collector.add(table, column, kind);
    }
  }
  return { retentionSeconds: undefined, columns: collector.columns };
}
