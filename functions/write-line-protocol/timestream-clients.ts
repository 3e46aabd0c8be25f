/** Builds the destination Timestream with its AWS clients. A separate bundle, loaded only where points are stored in Timestream. */
import {
  CreateDatabaseCommand,
  CreateTableCommand,
  DescribeDatabaseCommand,
  DescribeEndpointsCommand,
  TimestreamWriteClient,
} from '@aws-sdk/client-timestream-write';
import type { ConnectorConfig } from 'shared/config';
import { EndpointCache } from 'shared/timestream/endpoints';
import type { SendWriteRecords, TableAdministration } from 'shared/timestream/service';
import { TableCreator } from 'shared/timestream/tables';
import type { Destination } from './destination';
import { timestreamDestination } from './timestream-destination';
import { callSender, type Target } from './write-call';

export function buildTimestream(config: ConnectorConfig): Destination {
  const client = timestreamClient(config);
  const administration = tableAdministration(client);
  return timestreamDestination(config, {
    send: writeRecordsSender(client, config),
    tables: new TableCreator(config.tables, administration),
    check: (signal) => administration.databaseExists(config.tables.database, signal),
    countsTables: config.metrics?.perTable,
  });
}

export function timestreamClient({ region, timestreamEndpoint }: ConnectorConfig): TimestreamWriteClient {
  return new TimestreamWriteClient({
    region,
    // Without an endpoint the SDK requests one from Timestream.
    ...(timestreamEndpoint !== undefined && { endpoint: timestreamEndpoint }),
    requestHandler: { requestTimeout: 3_000, throwOnRequestTimeout: true, connectionTimeout: 1_000 },
    maxAttempts: 1,
  });
}

/** Sends WriteRecords calls with the client's credentials. */
export function writeRecordsSender(client: TimestreamWriteClient, config: ConnectorConfig): SendWriteRecords {
  // Shares the clock offset of the SDK's own calls, so that a correction found by one call serves all.
  return callSender(writeTarget(client, config), config.region, client.config.credentials, client.config);
}

/** The endpoint of write calls: the configured one, or the one that Timestream assigns. */
function writeTarget(client: TimestreamWriteClient, { timestreamEndpoint }: ConnectorConfig): Target {
  if (timestreamEndpoint !== undefined) {
    const url = new URL(timestreamEndpoint);
    return { resolve: () => Promise.resolve({ url, invalidate: () => undefined }) };
  }
  const endpoints = new EndpointCache(async (signal) => {
    const { Endpoints } = await client.send(new DescribeEndpointsCommand({}), { abortSignal: signal });
    const [endpoint] = Endpoints ?? [];
    if (endpoint?.Address === undefined) throw new Error('Timestream returned no endpoint');
    return { address: endpoint.Address, cacheMinutes: endpoint.CachePeriodInMinutes ?? 1 };
  });
  return {
    resolve: async (signal) => {
      const address = await endpoints.get(signal);
      return { url: new URL(`https://${address}`), invalidate: () => endpoints.invalidate(address) };
    },
  };
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
