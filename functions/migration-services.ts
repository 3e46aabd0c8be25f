/** The clients and settings of the steps of a migration. */
import type { MigrationConfig } from 'shared/loader-config';
import { type MigrationServices, UNLOAD_INTERVAL_MS } from 'shared/migration/services';
import { systemClock } from 'shared/resilience/clock';
import { Pacer } from 'shared/resilience/pacer';
import { influxClient } from './clients/influxdb';
import { s3Objects } from './clients/s3';
import { once } from './step';

/** Made once per function, so that its clients keep their connections. */
export function migrationServices(config: MigrationConfig): Omit<MigrationServices, 'deadline'> {
  const timestream = once(async () => {
    const { timestreamQuery } = await import('./clients/timestream-query');
    return timestreamQuery(config.queryEndpoint === undefined ? {} : { endpoint: config.queryEndpoint });
  });
  return {
    query: async (input, signal) => (await timestream())(input, signal),
    objects: s3Objects(),
    workBucket: config.workBucket,
    influxdb: influxClient(config),
    clock: systemClock,
    now: Date.now,
    unloads: new Pacer(UNLOAD_INTERVAL_MS),
    exportKmsKey: config.exportKmsKey,
  };
}
