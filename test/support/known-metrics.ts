/** The metrics that this project's code emits, and the documented metrics of the AWS services that it uses. */
import type { PutMetricDataCommandInput } from '@aws-sdk/client-cloudwatch';
import { CONNECTOR_METRICS, type ConnectorTotals } from 'shared/connector-metrics';
import { embeddedMetrics } from 'shared/embedded-metrics';
import { metricsInput } from 'shared/metrics';
import { sendMigrationMetrics } from '../../functions/report/metrics';
import { extractMetrics } from './embedded-metric-format';
import { recordingLogger } from './influx-writing';
import { stdoutLines } from './stdout-lines';

/** A metric with the names of its dimensions, sorted. */
export interface KnownMetric {
  readonly namespace: string;
  readonly name: string;
  readonly unit: string;
  readonly dimensions: readonly string[];
}

/** Source: the pages of metrics and dimensions in the developer guides of Lambda, API Gateway, SQS, Step Functions and Timestream. */
const DOCUMENTED: Readonly<Record<string, readonly [dimensions: readonly string[], names: readonly string[]]>> = {
  'AWS/Lambda': [['FunctionName'], ['Invocations', 'Errors', 'Throttles', 'Duration', 'ConcurrentExecutions']],
  'AWS/ApiGateway': [
    ['ApiName', 'Stage'],
    ['Count', '4XXError', '5XXError', 'Latency', 'IntegrationLatency'],
  ],
  'AWS/SQS': [['QueueName'], ['ApproximateNumberOfMessagesVisible', 'ApproximateAgeOfOldestMessage']],
  'AWS/States': [
    ['StateMachineArn'],
    [
      ...['ExecutionTime', 'ExecutionsStarted', 'ExecutionsSucceeded', 'ExecutionsFailed'],
      ...['ExecutionsTimedOut', 'ExecutionsAborted'],
    ],
  ],
  'AWS/Timestream': [['Operation'], ['UserErrors', 'SystemErrors']],
};

export const documentedMetrics = (): KnownMetric[] =>
  Object.entries(DOCUMENTED).flatMap(([namespace, [dimensions, names]]) =>
    names.map((name) => ({ namespace, name, unit: '', dimensions })),
  );

/** Recorded from the code that emits them. */
export async function emittedMetrics(
  namespace: string,
): Promise<Record<'connector' | 'loader' | 'migration', KnownMetric[]>> {
  return {
    connector: await connectorMetrics(namespace),
    loader: fromInput(
      metricsInput(
        { pointsWritten: 1, batches: 1, failedBatches: 0, sourceRecords: 1, durationMs: 1, errors: { E: 1 } },
        { namespace, datasetType: 'd', functionName: 'load-batch', timestamp: new Date() },
      ),
    ),
    migration: await migrationMetrics(namespace),
  };
}

async function connectorMetrics(namespace: string): Promise<KnownMetric[]> {
  const totals = Object.fromEntries(
    Object.keys(CONNECTOR_METRICS).map((name) => [name, 1]),
  ) as unknown as ConnectorTotals;
  const lines = await stdoutLines(() =>
    embeddedMetrics({ namespace, service: 'connector', logLevel: 'INFO' }).record(
      'timestream',
      totals,
      new Map([['cpu', totals]]),
    ),
  );
  return lines.flatMap(extractMetrics).map(({ name, unit, dimensions }) => ({
    namespace,
    name,
    unit,
    dimensions: Object.keys(dimensions).sort(),
  }));
}

async function migrationMetrics(namespace: string): Promise<KnownMetric[]> {
  const inputs: PutMetricDataCommandInput[] = [];
  const windows = { windows: 1, exported: 1, failed: 0, loaded: 1, verified: 1, differing: 0 };
  const points = { pointsWritten: 1, rejectedPoints: 0, failedPoints: 0 };
  await sendMigrationMetrics(
    { status: 'proved' },
    () => Promise.resolve({ ...windows, ...points, rows: 1, points: 1 }),
    {
      metricsNamespace: namespace,
      logger: recordingLogger(),
      put: (input) => Promise.resolve(inputs.push(input)),
    },
  );
  return inputs.flatMap(fromInput);
}

const fromInput = ({ Namespace = '', MetricData = [] }: PutMetricDataCommandInput): KnownMetric[] =>
  MetricData.map(({ MetricName = '', Unit = '', Dimensions = [] }) => ({
    namespace: Namespace,
    name: MetricName,
    unit: Unit,
    dimensions: Dimensions.map(({ Name = '' }) => Name).sort(),
  }));
