/** The metrics of a migration, sent once at its end. Their failure does not fail the migration. */
import type { PutMetricDataCommandInput } from '@aws-sdk/client-cloudwatch';
import type { LoaderConfig } from 'shared/loader-config';
import type { Logger } from 'shared/logger';
import { type PutMetricData, sendMetrics } from 'shared/metrics';
import type { MigrationProgress } from 'shared/migration/progress';
import type { ReportOutput } from 'shared/migration/steps';

const putMetricData: PutMetricData = async (input, signal) =>
  (await import('../clients/cloudwatch')).putMetricData(input, signal);

export interface MetricsSettings extends Pick<LoaderConfig, 'metricsNamespace'> {
  readonly logger: Pick<Logger, 'warn'> & Logger;
  readonly put?: PutMetricData;
}

/** @param count the state of the windows; undefined if there was no time to count them */
export async function sendMigrationMetrics(
  { status }: Pick<ReportOutput, 'status'>,
  count: () => Promise<MigrationProgress | undefined>,
  { metricsNamespace, logger, put = putMetricData }: MetricsSettings,
): Promise<void> {
  if (metricsNamespace === undefined) return;
  try {
    const progress = await count();
    await sendMetrics(metricsInput(status, progress, metricsNamespace, new Date()), put, logger);
  } catch (error) {
    logger.warn('the windows of the migration could not be counted', { error });
  }
}

function metricsInput(
  status: ReportOutput['status'],
  progress: MigrationProgress | undefined,
  Namespace: string,
  Timestamp: Date,
): PutMetricDataCommandInput {
  const counts = {
    MigrationsFailed: status === 'failed' ? 1 : 0,
    ...(progress && {
      WindowsExported: progress.exported,
      WindowsFailed: progress.failed,
      WindowsDiffering: progress.differing,
      RowsExported: progress.rows,
      PointsVerified: progress.points,
    }),
  };
  const Dimensions = [{ Name: 'Function', Value: 'report' }];
  const MetricData = Object.entries(counts).map(([MetricName, Value]) => ({
    MetricName,
    Value,
    Unit: 'Count' as const,
    Timestamp,
    Dimensions,
  }));
  return { Namespace, MetricData };
}
