/** Builds the destination InfluxDB with its client. */
import type { RequestBounds } from 'shared/config';
import type { InfluxDBDestination } from 'shared/destination-config';
import type { Logger } from 'shared/logger';
import { influxClient } from '../clients/influxdb';
import type { Destination } from './destination';
import { influxdbDestination } from './influxdb-destination';

/** A body below the size of one network packet gains nothing from compression. */
const MIN_GZIP_BYTES = 1_400;

export function buildInfluxDB(config: InfluxDBDestination, bounds: RequestBounds, logger: Logger): Destination {
  const gzipLevel = isThisMachine(config.target.url) ? 0 : config.gzipLevel;
  const client = influxClient({ ...config, gzipLevel }, { minGzipBytes: MIN_GZIP_BYTES });
  // Lambda gives more CPU while the function starts than at its first request. If the token cannot be read, the next write tries again.
  client.tokens.get().catch(() => undefined);
  return influxdbDestination(config, bounds, client, logger);
}

const isThisMachine = (url: string): boolean => /^(?:127\.|localhost$|\[::1\]$)/.test(new URL(url).hostname);
