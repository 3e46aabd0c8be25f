/** The Lambda function of the step DetectDataset: reads a load from the input of the execution. */
import { loadPlanningConfig } from 'shared/loader-config';
import { detectDatasetStep } from 'shared/loads/detect-dataset';
import { loadMappings } from 'shared/loads/mappings';
import { createLogger } from 'shared/logger';
import { s3Objects } from '../clients/s3';
import { once, step } from '../step';

const config = loadPlanningConfig();
const objects = s3Objects();
const mappings = once(() => loadMappings(config.datasetMappings, objects));

export const handler = step(createLogger('detect-dataset', config.logLevel), async (event) =>
  detectDatasetStep(event, { ...config, objects, mappings: await mappings() }),
);
