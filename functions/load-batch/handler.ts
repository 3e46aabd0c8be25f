/** The Lambda function of the step LoadBatch: writes the row groups of one item to InfluxDB as points. */
import { loadLoaderConfig } from 'shared/loader-config';
import type { ItemResult } from 'shared/loads/item-result';
import { loadItem, readLoadBatch } from 'shared/loads/load-item';
import { savePointCounts } from 'shared/loads/load-progress';
import { loadMappings } from 'shared/loads/mappings';
import { createLogger } from 'shared/logger';
import { influxClient } from '../clients/influxdb';
import { parquetReader } from '../clients/parquet';
import { s3Objects } from '../clients/s3';
import { withMetrics } from '../load-metrics';
import { once, step } from '../step';

const config = loadLoaderConfig();
const logger = createLogger('load-batch', config.logLevel);
const objects = s3Objects();
const reader = parquetReader(config);
const influxdb = influxClient(config);
const mappings = once(() => loadMappings(config.datasetMappings, objects));

export const handler = step(logger, (event, { deadline }) =>
  withMetrics({ ...config, functionName: 'load-batch', logger }, async (metrics) => {
    const { loadId, item } = readLoadBatch(event);
    metrics.addDataset(item.dataset);
    const onUnfinished = (result: ItemResult) => metrics.add(result);
    const services = { config, objects, reader, influxdb, mappings: await mappings(), logger, deadline, onUnfinished };
    const result = await loadItem(loadId, item, services);
    metrics.add(result);
    if (config.workBucket !== undefined) {
      const place = { objects, workBucket: config.workBucket };
      await savePointCounts(loadId, item, result, place).catch((error: unknown) => {
        // The points are stored. Only the progress of the running load does not count them.
        logger.warn('the point counts of an item could not be saved', { error });
      });
    }
    return result;
  }),
);
