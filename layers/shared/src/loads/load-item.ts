/** The step LoadBatch: reads the row groups of one item and writes their points. */
import { z } from 'zod';
import { explicitColumns } from '../datasets/columns';
import { detectDataset } from '../datasets/detect';
import type { DatasetMapping } from '../datasets/mapping';
import { suppliedColumns } from '../datasets/partitions';
import { DataConversionError, InfluxDBConnectionError, InfluxDBWriteError, UnexpectedError } from '../errors';
import { loadReading } from '../exports/reading';
import { writeBatches } from '../influxdb/batch-writer';
import type { LineWriter } from '../influxdb/client';
import type { LoadCount } from '../influxdb/load-count';
import type { LoaderConfig } from '../loader-config';
import type { Logger } from '../logger';
import type { ParquetReader } from '../parquet/reader';
import { NO_POINTS, type PointsReport } from '../points/report';
import { RejectFile } from '../reject-file';
import type { BreakerOptions } from '../resilience/circuit-breaker';
import { type Clock, systemClock } from '../resilience/clock';
import { validate } from '../validation';
import { type ItemResult, itemResult, UNFINISHED } from './item-result';
import { loadSchema } from './load';
import type { ObjectStore } from './objects';
import { type PlanItem, planItemSchema } from './plan-item';
import { itemKey } from './work-keys';

/** Invalid rows saved per item; further rows are counted. To save a row takes ten times as long as to load one. */
const MAX_REJECTS = 500_000;

const inputSchema = z.object({ loadId: loadSchema.shape.loadId, item: planItemSchema });
const objectSchema = z.object({ item: z.object({ key: z.string() }) });

export type LoadSettings = Pick<
  LoaderConfig,
  | 'batchLimits'
  | 'maxRetries'
  | 'skipFailedBatches'
  | 'concurrency'
  | 'maxBytesInFlight'
  | 'dropInvalid'
  | 'validateSchema'
  | 'workBucket'
>;

export interface LoadServices {
  readonly config: LoadSettings;
  readonly objects: ObjectStore;
  readonly reader: ParquetReader;
  readonly influxdb: LineWriter;
  readonly mappings: readonly DatasetMapping[];
  readonly logger: Logger;
  /** Aborts shortly before the time for the item is over. */
  readonly deadline: AbortSignal;
  readonly breaker?: Omit<BreakerOptions, 'clock' | 'random'>;
  readonly clock?: Clock;
  /** Called with the number of points of each batch that the writer has taken, to show progress. */
  readonly onBatch?: (lines: number) => void;
  /** s since 1970: the earliest time that the bucket keeps now; undefined if it keeps all or this is not known. */
  readonly keepFrom?: () => number | undefined;
  /** Called with the report about the points of each item that was read to its end. */
  readonly onReport?: (report: PointsReport) => void;
  /** Called with the result so far of an item that failed after it had written points. */
  readonly onUnfinished?: (result: ItemResult) => void;
}

/** Reads the input of the step. @throws InvalidEventError if it is not valid */
export function readLoadBatch(event: unknown): { loadId: string; item: PlanItem } {
  const object = objectSchema.safeParse(event);
  return validate(inputSchema, event, object.success ? `the item of ${object.data.item.key}` : 'the input');
}

/**
 * Loads one item. Writes invalid rows to the work bucket, whether they are dropped or fail the item. If an item fails after it has written
 * points, its result so far is written there too.
 * @throws DataConversionError if the file changed, cannot be read, or has invalid rows that may not be dropped;
 *   InfluxDBConnectionError if InfluxDB stays unavailable or the deadline passes; InfluxDBWriteError if InfluxDB rejects all points
 */
export async function loadItem(loadId: string, item: PlanItem, services: LoadServices): Promise<ItemResult> {
  const { config, objects, reader, deadline, clock = systemClock } = services;
  const start = clock.now();
  const { mapping, csv } = await readingOf(item, services);
  const about = { time: new Date().toISOString(), loadId, bucket: item.bucket, key: item.key };
  const rejects = new RejectFile(about, { entries: MAX_REJECTS });
  const source = await objects.open(item);
  try {
    const stream = reader.readPoints(source, mapping, {
      limits: config.batchLimits,
      dropInvalid: config.dropInvalid,
      validateSchema: config.validateSchema,
      run: { firstRowGroup: item.firstRowGroup, rowGroups: item.rowGroups },
      taken: item.taken,
      isExport: item.export !== undefined,
      csv,
      partitions: suppliedColumns(objects.pathOf?.(item) ?? item.key, mapping),
      signal: deadline,
      keepFrom: services.keepFrom?.(),
      countDistinct: services.onReport !== undefined,
      ...(config.workBucket !== undefined && { rejects }),
    });
    const written = await writeBatches(counted(stream, services.onBatch), services.influxdb, writerOptions(services));
    let invalidFile: string | null = null;
    const resultOf = (report: PointsReport) => {
      const rest = { invalidFile, milliseconds: Math.round(clock.now() - start) };
      return itemResult(item, explicitColumns(mapping), report, written, rest);
    };
    try {
      invalidFile = await saveRejects(rejects, loadId, item, services);
      // Also of an item whose points were all refused: the report may show why.
      if (!written.failure) services.onReport?.(stream.report());
      throwIfFailed(written, source.name, services);
      const report = stream.report();
      throwIfUnaccounted(item, report, source.name);
      return resultOf(report);
    } catch (error) {
      // The account of an export's table has all rows that were read, whatever became of them.
      const isRead = item.export !== undefined && !written.failure;
      const report = isRead ? stream.report() : reportSoFar(written);
      if (isRead || written.pointsWritten > 0) await saveUnfinished(resultOf(report), loadId, item, services);
      throw error;
    }
  } finally {
    await source.close();
  }
}

/** How the item is read: by the mapping of its dataset, or of its table in an export. */
async function readingOf({ key, dataset, export: part }: PlanItem, { objects, mappings }: LoadServices) {
  if (!part) return { mapping: detectDataset(key, mappings, dataset), csv: undefined };
  const { mapping, csv } = await loadReading(part.mapping, objects);
  return { mapping, csv: csv ?? undefined };
}

/** @throws DataConversionError if the rows of an export's item are not those of its manifest, or not all became points, empty or invalid */
function throwIfUnaccounted(item: PlanItem, { rows, points, empty = 0, invalid }: PointsReport, name: string): void {
  if (!item.export) return;
  if (rows !== item.rows) {
    throw new DataConversionError(
      `${name}: ${rows} rows were read, but its manifest says ${item.rows}. Export it again`,
    );
  }
  const refused = invalid.reduce((sum, { count }) => sum + count, 0);
  if (rows !== points + empty + refused) {
    throw new UnexpectedError(
      `${name}: ${rows} rows became ${points} points, ${empty} empty and ${refused} invalid rows`,
    );
  }
}

function writerOptions({ config, logger, deadline, breaker, clock }: LoadServices) {
  const { maxRetries, skipFailedBatches, concurrency, maxBytesInFlight } = config;
  const options = { maxRetries, skipFailedBatches, concurrency, maxBytesInFlight, logger, signal: deadline };
  return { ...options, ...(breaker && { breaker }), ...(clock && { clock }) };
}

async function* counted<T extends { lines: number }>(batches: AsyncIterable<T>, onBatch?: (lines: number) => void) {
  for await (const batch of batches) {
    yield batch;
    onBatch?.(batch.lines);
  }
}

/** @throws the error that ended the writing early; InfluxDBWriteError if no point was stored */
function throwIfFailed(written: LoadCount, name: string, { deadline }: LoadServices): void {
  const { failure, pointsWritten, rejected, rejectedLines, failedLines } = written;
  if (failure && deadline.aborted) {
    throw new InfluxDBConnectionError(
      `${name}: not loaded within the timeout of the function (${pointsWritten} points were written). Loading it again is safe. ` +
        'Increase the timeout, or write the file with smaller row groups',
      { cause: failure },
    );
  }
  if (failure) throw failure;
  if (pointsWritten === 0 && rejectedLines + failedLines > 0) {
    const reason = rejected[0]?.reason ?? 'every batch failed';
    throw new InfluxDBWriteError(`${name}: no point of ${rejectedLines + failedLines} was stored: ${reason}`);
  }
}

/** The report of a stream that was not read to its end: it counts only the rows that became points. */
function reportSoFar({ pointsWritten, rejectedLines, failedLines }: LoadCount): PointsReport {
  const rows = pointsWritten + rejectedLines + failedLines;
  return { rows, points: rows, bytes: 0, invalid: [], warnings: [], present: {}, ...NO_POINTS };
}

async function saveRejects(
  rejects: RejectFile,
  loadId: string,
  item: PlanItem,
  { config, objects }: LoadServices,
): Promise<string | null> {
  const file = rejects.finish();
  if (!file || config.workBucket === undefined) return null;
  const ref = { bucket: config.workBucket, key: itemKey(loadId, 'invalid', item, 'jsonl.gz') };
  await objects.write(ref, file, 'application/gzip');
  return objects.nameOf(ref);
}

/**
 * Saves the result so far of a failed item, because the workflow gets only the name and the message of an error. A retry that writes
 * points replaces it; a retry that writes nothing leaves it.
 */
async function saveUnfinished(
  result: ItemResult,
  loadId: string,
  item: PlanItem,
  { config, objects, logger, onUnfinished }: LoadServices,
): Promise<void> {
  onUnfinished?.(result);
  if (config.workBucket === undefined) return;
  const ref = { bucket: config.workBucket, key: itemKey(loadId, UNFINISHED, item, 'json') };
  try {
    await objects.write(ref, Buffer.from(JSON.stringify(result)), 'application/json');
  } catch (error) {
    // The caller reports the error of the item, which matters more.
    logger.warn('the result so far of a failed item could not be saved', { error });
  }
}
