/** The write endpoint with the destination `influxdb`, before a local server, as `start` runs it. */
import { loadConnectorConfig } from 'shared/config';
import { buildDestinations } from '../../functions/write-line-protocol/destinations';
import { createHandler } from '../../functions/write-line-protocol/write-handler';
import { type RunningConnector, startConnector } from '../../local/connector/server';
import { silentLogger } from '../contract/connector/harness';

/** @param environment the settings of InfluxDB, and others */
export async function startInfluxdbEndpoint(environment: Readonly<Record<string, string>>): Promise<RunningConnector> {
  const config = loadConnectorConfig({ destination: 'influxdb', write_deadline_millis: '60000', ...environment });
  const unused = () => Promise.reject(new Error('not in these tests'));
  return await startConnector({
    handler: createHandler({
      config,
      logger: silentLogger,
      destinations: await buildDestinations(config, silentLogger),
      invokeSelf: unused,
      sendDeadLetter: unused,
      storeRejected: unused,
    }),
    host: '127.0.0.1',
    port: 0,
    maxBodyBytes: config.bounds.maxCompressedBytes,
    writeDeadlineMs: config.writeDeadlineMs,
    corsAllowedOrigins: [],
    arrivalMs: 30_000,
    log: () => undefined,
  });
}
