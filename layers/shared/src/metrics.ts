/** The CloudWatch metrics of one invocation of the loader: one PutMetricData call, which may fail without consequence. */
import type { PutMetricDataCommandInput } from '@aws-sdk/client-cloudwatch';
import type { Logger } from './logger';
import { withinLimit } from './resilience/time-limit';

/** What an invocation did; the counts are of lines, batches and rows. */
export interface LoadCounts {
  readonly pointsWritten: number;
  readonly batches: number;
  readonly failedBatches: number;
  readonly sourceRecords: number;
  readonly durationMs: number;
  /** How often each type of error occurred, by the error's name. */
  readonly errors: Readonly<Record<string, number>>;
}

export interface MetricsScope {
  readonly namespace: string;
  readonly datasetType: string;
  readonly functionName: string;
  readonly timestamp: Date;
}

export const DEFAULT_NAMESPACE = 'ONS/InfluxDB';

/** Without an endpoint for CloudWatch in a private network the call would hang. */
const SEND_LIMIT_MS = 2000;

/**
 * The input of PutMetricData: PointsWritten, BatchesProcessed, FailedBatches, SourceRecords, ProcessingTime in s, ConversionRate
 * (points for 100 source records), BatchSuccessRate, and ProcessingErrors with a third dimension, ErrorType. A rate of nothing is
 * left out.
 */
export function metricsInput(counts: LoadCounts, scope: MetricsScope): PutMetricDataCommandInput {
  const Dimensions = [
    { Name: 'DatasetType', Value: scope.datasetType },
    { Name: 'Function', Value: scope.functionName },
  ];
  const metric = (MetricName: string, Value: number, Unit: 'Count' | 'Percent' | 'Seconds', errorType?: string) => ({
    MetricName,
    Value,
    Unit,
    Timestamp: scope.timestamp,
    Dimensions: errorType === undefined ? Dimensions : [...Dimensions, { Name: 'ErrorType', Value: errorType }],
  });
  const rate = (name: string, part: number, whole: number) =>
    whole > 0 ? [metric(name, (100 * part) / whole, 'Percent')] : [];
  return {
    Namespace: scope.namespace,
    MetricData: [
      metric('PointsWritten', counts.pointsWritten, 'Count'),
      metric('BatchesProcessed', counts.batches, 'Count'),
      metric('FailedBatches', counts.failedBatches, 'Count'),
      metric('SourceRecords', counts.sourceRecords, 'Count'),
      metric('ProcessingTime', counts.durationMs / 1000, 'Seconds'),
      ...rate('ConversionRate', counts.pointsWritten, counts.sourceRecords),
      ...rate('BatchSuccessRate', counts.batches - counts.failedBatches, counts.batches),
      ...Object.entries(counts.errors).map(([type, count]) => metric('ProcessingErrors', count, 'Count', type)),
    ],
  };
}

/** Sends a PutMetricData input, and stops when the signal aborts. */
export type PutMetricData = (input: PutMetricDataCommandInput, signal: AbortSignal) => Promise<unknown>;

/** Sends the metrics within 2 s; a failure is logged and never thrown, since it must not fail a load. */
export async function sendMetrics(
  input: PutMetricDataCommandInput,
  put: PutMetricData,
  logger: Logger,
  limitMs = SEND_LIMIT_MS,
): Promise<void> {
  try {
    await withinLimit(limitMs, (signal) => put(input, signal));
  } catch (error) {
    logger.warn('the metrics could not be sent', { error });
  }
}
