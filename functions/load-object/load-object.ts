/** Loads one object in one invocation: runs the steps of the workflow one after another. */
import { DataConversionError, InfluxDBConnectionError } from 'shared/errors';
import { assertHealthy, type HealthReport } from 'shared/influxdb/health';
import type { ItemResult } from 'shared/loads/item-result';
import { type LoadServices, loadItem } from 'shared/loads/load-item';
import type { ObjectRequest } from 'shared/loads/object-events';
import { planWholeFile } from 'shared/loads/plan-file';
import type { LoadMetrics } from '../load-metrics';

export interface ObjectServices extends LoadServices {
  readonly loadId: string;
  readonly checkHealth: () => Promise<HealthReport>;
  readonly metrics: LoadMetrics;
}

/** The result, with the names that the original loader uses. */
export interface ObjectResult {
  /** 200: everything is stored. 207: some points are not stored. If nothing is stored, an error is thrown instead. */
  readonly statusCode: 200 | 207;
  readonly message: string;
  readonly data: {
    readonly points_written: number;
    readonly batches_processed: number;
    readonly failed_batches: number;
    readonly dataset_type: string;
    readonly processing_time_seconds: number;
    readonly source_records: number;
    readonly health_check: HealthReport;
    /** By column and reason. */
    readonly invalid_records: Readonly<Record<string, number>>;
    readonly invalid_rows: string | null;
    readonly rejected_points: number;
    readonly rejected: ItemResult['rejected'];
    readonly duplicates: number;
    readonly warnings: ItemResult['warnings'];
  };
}

type Loaded = Omit<
  ItemResult,
  | 'item'
  | 'dataset'
  | 'invalidExamples'
  | 'nulls'
  | 'retries'
  | 'milliseconds'
  | 'earliest'
  | 'latest'
  | 'series'
  | 'fieldSeries'
>;

/** The result of a file without rows. */
const NOTHING: Loaded = {
  statusCode: 200,
  pointsWritten: 0,
  batches: 0,
  failedBatches: 0,
  failedPoints: 0,
  sourceRecords: 0,
  invalidRecords: {},
  invalidFile: null,
  rejectedPoints: 0,
  rejected: [],
  duplicates: 0,
  warnings: [],
};

/**
 * Loads a whole object. Its columns are validated before the first point is written. If invalid rows may not be dropped, all of its rows
 * are validated first too.
 * @throws DataConversionError, InfluxDBConnectionError or InfluxDBWriteError as the steps do
 */
export async function loadObject(request: ObjectRequest, services: ObjectServices): Promise<ObjectResult> {
  const start = performance.now();
  const { objects, config, metrics, deadline } = services;
  const name = objects.nameOf(request);
  const version = await objects.find(request);
  if (!version) throw new DataConversionError(`${name}: the object does not exist`, { object: name });
  const planner = { ...services, validateSchema: config.validateSchema };
  const { mapping, items } = await planWholeFile(version, request.dataset ?? null, planner, deadline).catch(
    (error: unknown) => {
      if (!deadline.aborted) throw error;
      const message = `${name}: not planned within the timeout of the function. Loading it again is safe. Increase the timeout`;
      throw new InfluxDBConnectionError(message, { cause: error });
    },
  );
  metrics.addDataset(mapping.name);
  const health = await services.checkHealth();
  assertHealthy(health);
  const [item] = items;
  const loaded = item && (await loadItem(services.loadId, item, services));
  if (loaded) metrics.add(loaded);
  const result: Loaded = loaded ?? NOTHING;
  if (result.sourceRecords > 0 && result.pointsWritten === 0) {
    const reasons = Object.entries(result.invalidRecords).map(([reason, count]) => `${count} rows with ${reason}`);
    throw new DataConversionError(`${name}: all rows are invalid: ${reasons.join(', ')}`, { object: name });
  }
  return {
    statusCode: result.statusCode,
    message: resultMessage(name, result),
    data: {
      points_written: result.pointsWritten,
      batches_processed: result.batches,
      failed_batches: result.failedBatches,
      dataset_type: mapping.name,
      processing_time_seconds: Math.round(performance.now() - start) / 1000,
      source_records: result.sourceRecords,
      health_check: health,
      invalid_records: result.invalidRecords,
      invalid_rows: result.invalidFile,
      rejected_points: result.rejectedPoints,
      rejected: result.rejected,
      duplicates: result.duplicates,
      warnings: result.warnings,
    },
  };
}

function resultMessage(name: string, { pointsWritten, sourceRecords, rejectedPoints, failedPoints }: Loaded): string {
  const lost = rejectedPoints + failedPoints;
  const rest = lost > 0 ? `; ${lost} points are not stored` : '';
  return `${name}: ${pointsWritten} points of ${sourceRecords} rows written${rest}`;
}
