/** Helpers for tests of a migration: an embedded Timestream that exports to a folder, a work folder, and the services of the steps. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { _Record as Record_ } from '@aws-sdk/client-timestream-write';
import { InfluxClient } from 'shared/influxdb/client';
import type { Target } from 'shared/influxdb/protocol';
import { staticToken } from 'shared/influxdb/token';
import { Ledger } from 'shared/migration/ledger';
import type { QueryCall } from 'shared/migration/query';
import { type MigrationServices, UNLOAD_INTERVAL_MS } from 'shared/migration/services';
import { Pacer } from 'shared/resilience/pacer';
import { timestreamQuery } from '../../functions/clients/timestream-query';
import { FolderObjects } from '../../local/loader/folder-objects';
import { FolderDestination } from '../../local/timestream/unload/folder-destination';
import type { UnloadOptions } from '../../local/timestream/unload/unloads';
import { DATABASE, type Harness, makeTable, NOW, startHarness, writeRecords } from '../contract/timestream/harness';
import { BUCKET, ORG, TOKEN } from './influxd';
import { VirtualClock } from './virtual-clock';

export const WORK = 'work-bucket';
export const EXPORTS = 'export-bucket';
/** The input of a migration of all tables. */
export const REQUEST = { database: DATABASE, export: `s3://${EXPORTS}/` };

export interface Source {
  readonly harness: Harness;
  readonly folder: string;
  readonly objects: FolderObjects;
  readonly query: QueryCall;
  stop(): Promise<void>;
}

/** An embedded Timestream in memory whose UNLOAD writes to a temporary folder. */
export async function startSource(unload: Partial<UnloadOptions> = {}): Promise<Source> {
  const folder = mkdtempSync(join(tmpdir(), 'migration-'));
  const destination = new FolderDestination(folder);
  const harness = await startHarness({ unload: { destination, intervalMs: 0, waitMs: 20, ...unload } });
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  return {
    harness,
    folder,
    objects: new FolderObjects({ [WORK]: join(folder, WORK), [EXPORTS]: join(folder, EXPORTS) }),
    query: timestreamQuery({ region: 'us-east-1', credentials, endpoint: harness.server.url, maxAttempts: 1 }),
    stop: async () => {
      await harness.close();
      rmSync(folder, { recursive: true });
    },
  };
}

export function servicesOf(
  { objects, query }: Source,
  url: string,
  change: Partial<MigrationServices> = {},
): MigrationServices {
  const target: Target = { engine: 'v2', url, org: ORG, bucket: BUCKET };
  const clock = new VirtualClock();
  return {
    query,
    clock,
    deadline: new AbortController().signal,
    objects,
    workBucket: WORK,
    influxdb: new InfluxClient(target, staticToken(TOKEN)),
    now: () => NOW,
    unloads: new Pacer(UNLOAD_INTERVAL_MS, clock),
    ...change,
  };
}

export const ledgerOf = (migrationId: string, { objects }: Source): Ledger => new Ledger(migrationId, objects, WORK);

type Value = readonly [type: 'DOUBLE' | 'BIGINT' | 'VARCHAR' | 'BOOLEAN' | 'TIMESTAMP', value: string];

/** A multi-measure record. */
export const multi = (
  dimensions: Readonly<Record<string, string>>,
  values: Readonly<Record<string, Value>>,
  ns: bigint,
  measureName = 'metrics',
): Record_ => ({
  Dimensions: Object.entries(dimensions).map(([Name, text]) => ({ Name, Value: text })),
  MeasureName: measureName,
  MeasureValueType: 'MULTI',
  MeasureValues: Object.entries(values).map(([Name, [Type, text]]) => ({ Name, Type, Value: text })),
  Time: String(ns),
  TimeUnit: 'NANOSECONDS',
});

/** Writes records to a new table. */
export async function fill({ harness }: Source, TableName: string, records: readonly Record_[]): Promise<void> {
  await makeTable(harness, {
    TableName,
    RetentionProperties: { MemoryStoreRetentionPeriodInHours: 8_766, MagneticStoreRetentionPeriodInDays: 73_000 },
  });
  for (let i = 0; i < records.length; i += 100) await writeRecords(harness, TableName, records.slice(i, i + 100));
}
