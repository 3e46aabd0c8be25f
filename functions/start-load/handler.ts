/** The Lambda function behind POST /loads. */
import { loadWorkflowConfig } from 'shared/loader-config';
import { loadMappings } from 'shared/loads/mappings';
import { createLogger } from 'shared/logger';
import { executionsOf } from '../clients/step-functions';
import { apiHandler } from '../http';
import { once, step } from '../step';
import { startLoad } from './start-load';

const config = loadWorkflowConfig();
const logger = createLogger('start-load', config.logLevel);
const executions = executionsOf(config.stateMachineArn);
const mappings = once(async () => {
  const { s3Objects } = await import('../clients/s3');
  return await loadMappings(config.datasetMappings, s3Objects());
});

export const handler = step(
  logger,
  apiHandler(logger, async (event) => startLoad(event, { executions, mappings: await mappings() })),
);
