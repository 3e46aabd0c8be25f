/** Sends metrics to CloudWatch. Imported on first use. */
import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import type { PutMetricData } from 'shared/metrics';

let client: CloudWatchClient | undefined;

export const putMetricData: PutMetricData = (input, signal) => {
  client ??= new CloudWatchClient({ maxAttempts: 2 });
  return client.send(new PutMetricDataCommand(input), { abortSignal: signal });
};
