/** Calls Timestream's Query API. Imported on first use. */
import {
  QueryCommand,
  TimestreamQueryClient,
  type TimestreamQueryClientConfig,
} from '@aws-sdk/client-timestream-query';
import type { QueryCall } from 'shared/migration/query';

/** The service holds a call up to 60 s while a query runs. */
const REQUEST_TIMEOUT_MS = 90_000;

export function timestreamQuery(options: TimestreamQueryClientConfig = {}): QueryCall {
  const client = new TimestreamQueryClient({
    requestHandler: { connectionTimeout: 2_000, requestTimeout: REQUEST_TIMEOUT_MS, throwOnRequestTimeout: true },
    ...options,
  });
  return (input, signal) => client.send(new QueryCommand(input), { abortSignal: signal });
}
