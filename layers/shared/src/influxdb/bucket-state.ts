/** What a bucket holds before a load, and how responses about it are read. */
import type { z } from 'zod';
import type { ColumnKind } from '../points/series-counts';
import { validate } from '../validation';
import { messageOf } from './outcome';
import type { Exchange } from './transport';

export interface BucketState {
  /** Points older than this are refused, unless a shard group still covers their time, s; undefined: all are kept. InfluxDB 3 accepts every time, so it is undefined there. */
  readonly retentionSeconds: number | undefined;
  readonly columns: BucketColumns;
}

/** Kinds by measurement and column: one, unless shards of InfluxDB 2 differ. InfluxDB 2 lists fields only, InfluxDB 3 tags too. */
export type BucketColumns = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<ColumnKind>>>;

export type Send = (request: {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
}) => Promise<Exchange>;

/** The JSON of a response. @throws Error with the reason if it has another status than 200 or is not valid */
export function jsonOf<T>(exchange: Exchange, schema: z.ZodType<T>, path: string): T {
  if (exchange.kind === 'no-response') throw new Error(exchange.reason);
  const { status, body } = exchange;
  if (status !== 200) throw new Error(`InfluxDB returned ${status}: ${messageOf(body) || 'no reason given'}`);
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new Error(`the response of ${path} is not JSON`);
  }
  return validate(schema, value, `the response of ${path}`);
}

/** Collects kinds by measurement and column. */
export class ColumnCollector {
  readonly columns = new Map<string, Map<string, Set<ColumnKind>>>();

  add(measurement: string, name: string, kind: ColumnKind): void {
    const columns = this.columns.get(measurement) ?? new Map<string, Set<ColumnKind>>();
    this.columns.set(measurement, columns);
    columns.set(name, (columns.get(name) ?? new Set<ColumnKind>()).add(kind));
  }
}
