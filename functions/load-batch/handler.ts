/** The Lambda function of the step LoadBatch: the row groups of one item become points in InfluxDB. */
import { loadLoaderConfig } from 'shared/loader-config';
import { loadBatch } from 'shared/loads/load-item';
import { loadMappings } from 'shared/loads/mappings';
import { createLogger } from 'shared/logger';
import { influxClient } from '../clients/influxdb';
import { parquetReader } from '../clients/parquet';
import { s3Objects } from '../clients/s3';
import { measured } from '../measured';
import { once, step } from '../step';

const config = loadLoaderConfig();
const logger = createLogger('load-batch', config.logLevel);
const objects = s3Objects();
const reader = parquetReader(config);
const influxdb = influxClient(config);
const mappings = once(() => loadMappings(config.datasetMappings, objects));

export const handler = step(
  logger,
  measured('load-batch', config, logger, async (event, { deadline }) => {
    const services = { config, objects, reader, influxdb, mappings: await mappings(), logger, deadline };
    return loadBatch(event, services);
  }),
);
