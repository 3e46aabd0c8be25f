/** The AWS clients of the function: built here, passed to the code that uses them. */
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
import { callSender, type Target } from './write-call';

export function timestreamClient({ region, timestreamEndpoint }: ConnectorConfig): TimestreamWriteClient {
  return new TimestreamWriteClient({
    region,
    // With an endpoint the SDK goes straight there; without, it asks Timestream for one.
    ...(timestreamEndpoint !== undefined && { endpoint: timestreamEndpoint }),
    requestHandler: { requestTimeout: 3_000, throwOnRequestTimeout: true, connectionTimeout: 1_000 },
    maxAttempts: 1,
  });
}

/** Sends WriteRecords calls with the client's credentials. */
export function writeRecordsSender(client: TimestreamWriteClient, config: ConnectorConfig): SendWriteRecords {
  // With the offset of the SDK's own calls: what one of them learns of the clock, the others know.
  return callSender(writeTarget(client, config), config.region, client.config.credentials, client.config);
}

/** Where write calls go: the endpoint given, or the one that Timestream assigns. */
function writeTarget(client: TimestreamWriteClient, { timestreamEndpoint }: ConnectorConfig): Target {
  if (timestreamEndpoint !== undefined) {
    const url = new URL(timestreamEndpoint);
    return { resolve: () => Promise.resolve({ url, invalidate: () => undefined }) };
  }
  const endpoints = new EndpointCache(async (signal) => {
    const { Endpoints } = await client.send(new DescribeEndpointsCommand({}), { abortSignal: signal });
    const [endpoint] = Endpoints ?? [];
    if (endpoint?.Address === undefined) throw new Error('Timestream names no endpoint');
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
