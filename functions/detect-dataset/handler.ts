/** The Lambda function of the step DetectDataset: the execution's input becomes a load. */
import { loadPlanningConfig } from 'shared/loader-config';
import { readLoadEvent } from 'shared/loads/load';
import { loadMappings } from 'shared/loads/mappings';
import { createLogger } from 'shared/logger';
import { s3Objects } from '../clients/s3';
import { once, step } from '../step';

const config = loadPlanningConfig();
const mappings = once(() => loadMappings(config.datasetMappings, s3Objects()));

export const handler = step(createLogger('detect-dataset', config.logLevel), async (event) =>
  readLoadEvent(event, { mappings: await mappings(), reservedConcurrency: config.reservedConcurrency }),
);
