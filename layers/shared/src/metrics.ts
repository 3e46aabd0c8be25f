/** The CloudWatch metrics of one loader invocation: one PutMetricData call. Its failure does not fail the load. */
import type { PutMetricDataCommandInput } from '@aws-sdk/client-cloudwatch';
import type { Logger } from './logger';
import { withinLimit } from './resilience/time-limit';

/** What an invocation did: counts of lines, batches and rows. */
export interface LoadCounts {
  readonly pointsWritten: number;
  readonly batches: number;
  readonly failedBatches: number;
  readonly sourceRecords: number;
  readonly durationMs: number;
  /** Number of errors by error name. */
  readonly errors: Readonly<Record<string, number>>;
}

export interface MetricsScope {
  readonly namespace: string;
  readonly datasetType: string;
  readonly functionName: string;
  readonly timestamp: Date;
}

export const DEFAULT_NAMESPACE = 'ONS/InfluxDB';

/** Timeout of the call. In a private network without an endpoint for CloudWatch, it would hang. */
const SEND_LIMIT_MS = 2000;

/**
 * The input of PutMetricData: PointsWritten, BatchesProcessed, FailedBatches, SourceRecords, ProcessingTime in s, ConversionRate
 * (points per 100 source records), BatchSuccessRate, and ProcessingErrors with a third dimension, ErrorType. A rate with the
 * denominator 0 is omitted.
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

/** Makes a PutMetricData call; stops when the signal aborts. */
export type PutMetricData = (input: PutMetricDataCommandInput, signal: AbortSignal) => Promise<unknown>;

/** Sends the metrics within 2 s. Logs a failure but never throws, because it must not fail a load. */
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
