/** Collects the metrics of one invocation and sends them in one call, whether it succeeds or fails. */
import type { LoaderConfig } from 'shared/loader-config';
import type { ItemResult } from 'shared/loads/item-result';
import type { Logger } from 'shared/logger';
import { metricsInput, type PutMetricData, sendMetrics } from 'shared/metrics';
import { toKnownError } from './step';

const putMetricData: PutMetricData = async (input, signal) =>
  (await import('./clients/cloudwatch')).putMetricData(input, signal);

export interface MetricsSettings extends Pick<LoaderConfig, 'metricsNamespace'> {
  readonly functionName: string;
  readonly logger: Logger;
  readonly put?: PutMetricData;
}

export class LoadMetrics {
  private readonly datasets = new Set<string>();
  private readonly counts = { pointsWritten: 0, batches: 0, failedBatches: 0, sourceRecords: 0 };
  private readonly errors: Record<string, number> = {};
  private readonly counted = new WeakSet<object>();
  private readonly start = performance.now();

  addDataset(name: string): void {
    this.datasets.add(name);
  }

  add(result: ItemResult): void {
    this.addDataset(result.dataset);
    for (const name of ['pointsWritten', 'batches', 'failedBatches', 'sourceRecords'] as const) {
      this.counts[name] += result[name];
    }
  }

  /** Counts an error by its name. The same error object counts once. */
  fail(thrown: unknown): void {
    const error = toKnownError(thrown);
    if (this.counted.has(error)) return;
    this.counted.add(error);
    this.errors[error.name] = (this.errors[error.name] ?? 0) + 1;
  }

  async send({
    metricsNamespace: namespace,
    functionName,
    logger,
    put = putMetricData,
  }: MetricsSettings): Promise<void> {
    if (namespace === undefined) return;
    const [dataset = 'unknown', ...others] = this.datasets;
    const datasetType = others.length > 0 ? 'mixed' : dataset;
    const counts = { ...this.counts, durationMs: performance.now() - this.start, errors: this.errors };
    await sendMetrics(
      metricsInput(counts, { namespace, datasetType, functionName, timestamp: new Date() }),
      put,
      logger,
    );
  }
}

/** Runs the work of an invocation and sends its metrics. An error is counted and rethrown. */
export async function withMetrics<Result>(
  settings: MetricsSettings,
  work: (metrics: LoadMetrics) => Promise<Result>,
): Promise<Result> {
  const metrics = new LoadMetrics();
  try {
    return await work(metrics);
  } catch (error) {
    metrics.fail(error);
    throw error;
  } finally {
    await metrics.send(settings);
  }
}
