/** Builds the configured destinations. */
import type { ConnectorConfig } from 'shared/config';
import type { Logger } from 'shared/logger';
import type { Destination } from './destination';
import { buildInfluxDB } from './influxdb-clients';
import { buildTimestream } from './timestream-clients';

/**
 * The destinations of each request. Timestream is the first, because InfluxDB gets the lines that it does not refuse.
 * @param timestream builds a Timestream of its own, such as the embedded one
 */
export async function buildDestinations(
  config: ConnectorConfig,
  logger: Logger,
  timestream?: () => Destination,
): Promise<Destination[]> {
  const { destination, influxdb, bounds } = config;
  const destinations: Destination[] = [];
  if (destination !== 'influxdb') destinations.push(timestream?.() ?? (await buildTimestream(config)));
  if (influxdb !== undefined) destinations.push(buildInfluxDB(influxdb, bounds, logger));
  return destinations;
}
