/** The Lambda function behind GET /migrations/{id}. */
import { loadWorkflowConfig } from 'shared/loader-config';
import { createLogger } from 'shared/logger';
import { s3Objects } from '../clients/s3';
import { executionsOf } from '../clients/step-functions';
import { apiHandler } from '../http';
import { step } from '../step';
import { describeMigration } from './describe-migration';

const config = loadWorkflowConfig();
const logger = createLogger('describe-migration', config.logLevel);
const objects = s3Objects();
const executions = executionsOf(config.stateMachineArn);

export const handler = step(logger, (event, { deadline }) =>
  apiHandler(logger, (request) => describeMigration(request, { ...config, objects, executions, logger, deadline }))(
    event,
  ),
);
