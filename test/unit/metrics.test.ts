import { DEFAULT_NAMESPACE, metricsInput, sendMetrics } from 'shared/metrics';
import { recordingLogger } from '../support/influx-writing';

const SCOPE = {
  namespace: DEFAULT_NAMESPACE,
  datasetType: 'generation',
  functionName: 'load-batch',
  timestamp: new Date('2026-01-02T03:04:05Z'),
};
const COUNTS = {
  pointsWritten: 900,
  batches: 4,
  failedBatches: 1,
  sourceRecords: 1000,
  durationMs: 1500,
  errors: { InfluxDBWriteError: 1 },
};

test('puts all metrics of an invocation into one input, with the dimensions DatasetType and Function', () => {
  const input = metricsInput(COUNTS, SCOPE);
  expect(input.Namespace).toBe('ONS/InfluxDB');
  expect(input.MetricData?.map(({ MetricName, Value, Unit }) => [MetricName, Value, Unit])).toEqual([
    ['PointsWritten', 900, 'Count'],
    ['BatchesProcessed', 4, 'Count'],
    ['FailedBatches', 1, 'Count'],
    ['SourceRecords', 1000, 'Count'],
    ['ProcessingTime', 1.5, 'Seconds'],
    ['ConversionRate', 90, 'Percent'],
    ['BatchSuccessRate', 75, 'Percent'],
    ['ProcessingErrors', 1, 'Count'],
  ]);
  for (const { Dimensions, Timestamp } of input.MetricData ?? []) {
    expect(Timestamp).toBe(SCOPE.timestamp);
    expect(Dimensions?.slice(0, 2)).toEqual([
      { Name: 'DatasetType', Value: 'generation' },
      { Name: 'Function', Value: 'load-batch' },
    ]);
  }
  expect(input.MetricData?.at(-1)?.Dimensions?.[2]).toEqual({ Name: 'ErrorType', Value: 'InfluxDBWriteError' });
});

test('omits a rate with the denominator 0', () => {
  const none = { pointsWritten: 0, batches: 0, failedBatches: 0, sourceRecords: 0, durationMs: 0, errors: {} };
  const names = metricsInput(none, SCOPE).MetricData?.map(({ MetricName }) => MetricName);
  expect(names).toEqual(['PointsWritten', 'BatchesProcessed', 'FailedBatches', 'SourceRecords', 'ProcessingTime']);
});

test.each([
  ['fails', () => Promise.reject(new Error('AccessDenied')), 'AccessDenied'],
  [
    'throws',
    () => {
      throw new Error('no client');
    },
    'no client',
  ],
  ['hangs', () => new Promise<never>(() => undefined), 'no response within 0.001 s'],
])('only logs a warning if sending %s', async (_, put, message) => {
  const logger = recordingLogger();
  await sendMetrics(metricsInput(COUNTS, SCOPE), put, logger, 1);
  expect(logger.entries).toMatchObject([{ message: 'the metrics could not be sent', fields: { error: { message } } }]);
});

test('sends the input in one call', async () => {
  const sent: unknown[] = [];
  const logger = recordingLogger();
  const input = metricsInput(COUNTS, SCOPE);
  await sendMetrics(input, (given) => Promise.resolve(sent.push(given)), logger);
  expect(sent).toEqual([input]);
  expect(logger.entries).toEqual([]);
});
