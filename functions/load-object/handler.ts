/** The Lambda function LoadObject: loads single objects, each in one invocation. */
import { checkHealth } from 'shared/influxdb/health';
import { loadLoaderConfig } from 'shared/loader-config';
import type { ItemResult } from 'shared/loads/item-result';
import { loadMappings } from 'shared/loads/mappings';
import { createLogger } from 'shared/logger';
import { influxClient, PARAMETER_ADVICE } from '../clients/influxdb';
import { parquetReader } from '../clients/parquet';
import { s3Objects } from '../clients/s3';
import { withMetrics } from '../load-metrics';
import { once, step } from '../step';
import { dispatch } from './dispatch';
import { loadObject } from './load-object';

const config = loadLoaderConfig();
const logger = createLogger('load-object', config.logLevel);
const objects = s3Objects();
const reader = parquetReader(config);
const influxdb = influxClient(config);
const mappings = once(() => loadMappings(config.datasetMappings, objects));

export const handler = step(logger, (event, { deadline, requestId }) =>
  withMetrics({ ...config, functionName: 'load-object', logger }, async (metrics) => {
    const onUnfinished = (result: ItemResult) => metrics.add(result);
    const common = {
      config,
      objects,
      reader,
      influxdb,
      mappings: await mappings(),
      logger,
      deadline,
      metrics,
      onUnfinished,
    };
    const services = {
      ...common,
      loadId: `object-${requestId}`,
      checkHealth: once(() => checkHealth(influxdb, PARAMETER_ADVICE)),
    };
    return await dispatch(event, { ...services, load: (request) => loadObject(request, services) });
  }),
);
