/** How write calls reach Timestream: with which credentials, by which clock, and at which endpoint. */
import { environmentCredentials, hasStandardEndpoints } from 'shared/aws-config';
import type { ConnectorConfig } from 'shared/config';
import { EndpointCache } from 'shared/timestream/endpoints';
import { failureOf, type SendWriteRecords } from 'shared/timestream/service';
import { type ClockOffset, type CredentialProvider, callSender, type Target } from './write-call';

export interface Connection {
  readonly credentials: CredentialProvider;
  readonly clock: ClockOffset;
  /**
   * The response of DescribeEndpoints.
   * @throws an Error with the service's error type as `name`
   */
  readonly describeEndpoints: (signal: AbortSignal) => Promise<DescribedEndpoints>;
}

/** Source: DescribeEndpoints in the Timestream for LiveAnalytics API reference. */
interface DescribedEndpoints {
  readonly Endpoints?:
    | readonly { readonly Address?: string | undefined; readonly CachePeriodInMinutes?: number | undefined }[]
    | undefined;
}

export function writeRecordsSender(connection: Connection, config: ConnectorConfig): SendWriteRecords {
  const { credentials, clock } = connection;
  return callSender(writeTarget(connection, config), config.region, credentials, clock);
}

/** The endpoint of write calls: the configured one, or the one that Timestream assigns. */
function writeTarget({ describeEndpoints }: Connection, { timestreamEndpoint }: ConnectorConfig): Target {
  if (timestreamEndpoint !== undefined) return fixedTarget(timestreamEndpoint);
  const endpoints = new EndpointCache(async (signal) => {
    const [endpoint] = (await describeEndpoints(signal)).Endpoints ?? [];
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

function fixedTarget(endpoint: string): Target {
  const url = new URL(endpoint);
  return { resolve: () => Promise.resolve({ url, invalidate: () => undefined }) };
}

/**
 * A connection without the SDK, for which the environment must have the credentials and leave no doubt about the endpoint. That is so in
 * Lambda. Undefined elsewhere: the SDK then also reads profiles and configuration files.
 */
export function environmentConnection(config: ConnectorConfig): Connection | undefined {
  const { region, timestreamEndpoint, functionName } = config;
  const keys = environmentCredentials();
  if (keys === undefined) return undefined;
  if (timestreamEndpoint === undefined && (functionName === undefined || !hasStandardEndpoints(region)))
    return undefined;
  const credentials = () => Promise.resolve(keys);
  const clock = { systemClockOffset: 0 };
  const target = fixedTarget(timestreamEndpoint ?? `https://ingest.timestream.${region}.amazonaws.com`);
  const send = callSender(target, region, credentials, clock, { operation: 'DescribeEndpoints' });
  const describeEndpoints = async (signal: AbortSignal): Promise<DescribedEndpoints> => {
    const response = await send(Buffer.from('{}'), signal);
    if (response.status !== 200) throw failureOf(response);
    return JSON.parse(response.body.toString()) as DescribedEndpoints;
  };
  return { credentials, clock, describeEndpoints };
}
