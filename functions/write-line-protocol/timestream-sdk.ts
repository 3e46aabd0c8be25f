/**
 * The SDK's client for Timestream. It creates and describes databases and tables, and finds the credentials and the endpoint that the
 * environment does not have. A separate bundle, because compiling and evaluating the SDK takes 40 % of a cold start.
 */
import {
  CreateDatabaseCommand,
  CreateTableCommand,
  DescribeDatabaseCommand,
  DescribeEndpointsCommand,
  TimestreamWriteClient,
} from '@aws-sdk/client-timestream-write';
import type { ConnectorConfig } from 'shared/config';
import type { TableAdministration } from 'shared/timestream/service';
import type { Connection } from './timestream-connection';
import type { ClockOffset } from './write-call';

export function timestreamClient({ region, timestreamEndpoint }: ConnectorConfig): TimestreamWriteClient {
  return new TimestreamWriteClient({
    region,
    // Without an endpoint the SDK requests one from Timestream.
    ...(timestreamEndpoint !== undefined && { endpoint: timestreamEndpoint }),
    requestHandler: { requestTimeout: 3_000, throwOnRequestTimeout: true, connectionTimeout: 1_000 },
    maxAttempts: 1,
  });
}

/** A connection by the client's settings. It shares the client's clock, so that a correction found by one call serves all. */
export function sdkConnection(client: TimestreamWriteClient): Connection {
  return {
    credentials: client.config.credentials,
    clock: client.config,
    describeEndpoints: (signal) => client.send(new DescribeEndpointsCommand({}), { abortSignal: signal }),
  };
}

/** Creates and describes databases and tables with a client that shares the given clock. */
export function administrationWith(config: ConnectorConfig, clock: ClockOffset): TableAdministration {
  const client = timestreamClient(config);
  Object.defineProperty(client.config, 'systemClockOffset', {
    get: () => clock.systemClockOffset,
    set: (ms: number) => {
      clock.systemClockOffset = ms;
    },
  });
  return tableAdministration(client);
}

export function tableAdministration(client: TimestreamWriteClient): TableAdministration {
  return {
    databaseExists: (name, signal) =>
      client.send(new DescribeDatabaseCommand({ DatabaseName: name }), { abortSignal: signal }).then(
        () => true,
        (error: unknown) => {
          if (error instanceof Error && error.name === 'ResourceNotFoundException') return false;
          throw error;
        },
      ),
    createDatabase: (request, signal) => client.send(new CreateDatabaseCommand(request), { abortSignal: signal }),
    createTable: (request, signal) => client.send(new CreateTableCommand(request), { abortSignal: signal }),
  };
}
