/** The clients and settings of the steps. */
import type { InfluxClient } from '../influxdb/client';
import type { ObjectStore } from '../loads/objects';
import type { Pacer } from '../resilience/pacer';
import type { QueryServices } from './query';
import type { WindowLimits } from './windows';

/**
 * Time between two UNLOADs, ms. The service accepts one per second. The rest is for requests that take different times to arrive: with
 * 1,000 ms, more than half of them were throttled.
 */
export const UNLOAD_INTERVAL_MS = 1_100;

export interface MigrationServices extends QueryServices {
  /** The work bucket, and the bucket of the exports. */
  readonly objects: ObjectStore;
  readonly workBucket: string;
  readonly influxdb: InfluxClient;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** One turn for each request that starts an UNLOAD. */
  readonly unloads: Pacer;
  /** ARN of the KMS key that encrypts the exported files; without it, S3's own key does. */
  readonly exportKmsKey?: string | undefined;
  readonly limits?: WindowLimits;
  /** Called with each step forward, to show progress. */
  readonly onEvent?: (event: MigrationEvent) => void;
}

export type MigrationEvent =
  | { readonly kind: 'surveyed'; readonly table: string; readonly rows: number; readonly windows: number }
  | { readonly kind: 'exporting'; readonly table: string; readonly window: string; readonly percent: number }
  | { readonly kind: 'exported'; readonly table: string; readonly window: string; readonly rows: number }
  | { readonly kind: 'split' | 'failed'; readonly table: string; readonly window: string; readonly reason: string }
  | { readonly kind: 'verified'; readonly table: string; readonly window: string; readonly differences: number };
