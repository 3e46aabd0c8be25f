/** Sends the metrics of an invocation that loads, one call for each, whether it ends well or not. */
import type { LoaderConfig } from 'shared/loader-config';
import type { ItemResult } from 'shared/loads/item-result';
import type { Logger } from 'shared/logger';
import { type LoadCounts, metricsInput, sendMetrics } from 'shared/metrics';
import { type Invocation, typed } from './step';

type Work = (event: unknown, invocation: Invocation) => Promise<ItemResult>;

export function measured(
  functionName: string,
  { metricsNamespace }: Pick<LoaderConfig, 'metricsNamespace'>,
  logger: Logger,
  work: Work,
): Work {
  return async (event, invocation) => {
    const start = performance.now();
    const send = (counts: Partial<LoadCounts>, dataset: string) =>
      sendCounts({ ...NOTHING, durationMs: performance.now() - start, ...counts }, dataset);
    try {
      const result = await work(event, invocation);
      await send(countsOf([result]), result.dataset);
      return result;
    } catch (error) {
      await send({ errors: { [typed(error).name]: 1 } }, datasetOf(event));
      throw error;
    }
  };

  async function sendCounts(counts: LoadCounts, datasetType: string): Promise<void> {
    if (metricsNamespace === undefined) return;
    const scope = { namespace: metricsNamespace, datasetType, functionName, timestamp: new Date() };
    const { putMetricData } = await import('./clients/cloudwatch');
    await sendMetrics(metricsInput(counts, scope), putMetricData, logger);
  }
}

const NOTHING: LoadCounts = {
  pointsWritten: 0,
  batches: 0,
  failedBatches: 0,
  sourceRecords: 0,
  durationMs: 0,
  errors: {},
};

/** The sums of what items did. */
export function countsOf(results: readonly ItemResult[]): Omit<LoadCounts, 'durationMs' | 'errors'> {
  const sum = (of: (result: ItemResult) => number) => results.reduce((total, result) => total + of(result), 0);
  return {
    pointsWritten: sum(({ pointsWritten }) => pointsWritten),
    batches: sum(({ batches }) => batches),
    failedBatches: sum(({ failedBatches }) => failedBatches),
    sourceRecords: sum(({ sourceRecords }) => sourceRecords),
  };
}

function datasetOf(event: unknown): string {
  const dataset = (event as { item?: { dataset?: unknown } } | null)?.item?.dataset;
  return typeof dataset === 'string' ? dataset : 'unknown';
}
