/** The Lambda function behind GET /loads/{id}. */
import { loadWorkflowConfig } from 'shared/loader-config';
import { createLogger } from 'shared/logger';
import { s3Objects } from '../clients/s3';
import { executionsOf } from '../clients/step-functions';
import { apiHandler } from '../http';
import { step } from '../step';
import { describeLoad } from './describe-load';

const config = loadWorkflowConfig();
const logger = createLogger('describe-load', config.logLevel);
const objects = s3Objects();
const executions = executionsOf(config.stateMachineArn);

export const handler = step(
  logger,
  apiHandler(logger, (event) => describeLoad(event, { ...config, objects, executions, logger })),
);
