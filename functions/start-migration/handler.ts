/** The Lambda function behind POST /migrations. */
import { loadMigrationDefaults, loadWorkflowConfig } from 'shared/loader-config';
import { createLogger } from 'shared/logger';
import { executionsOf } from '../clients/step-functions';
import { apiHandler } from '../http';
import { step } from '../step';
import { startMigration } from './start-migration';

const config = loadWorkflowConfig();
const defaults = loadMigrationDefaults();
const logger = createLogger('start-migration', config.logLevel);
const executions = executionsOf(config.stateMachineArn);

export const handler = step(
  logger,
  apiHandler(logger, (event) => startMigration(event, { executions, defaults })),
);
