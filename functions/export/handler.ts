/** The Lambda function of the step Export: starts an UNLOAD for each window and polls it to its end. */
import { loadMigrationConfig } from 'shared/loader-config';
import { createLogger } from 'shared/logger';
import { exportStep } from 'shared/migration/export';
import { migrationServices } from '../migration-services';
import { step } from '../step';

/** Time reserved for saving the records of the windows in progress. */
const RESERVE_MS = 90_000;

const config = loadMigrationConfig();
const services = migrationServices(config);

export const handler = step(
  createLogger('export', config.logLevel),
  (event, { deadline }) => exportStep(event, { ...services, deadline }),
  RESERVE_MS,
);
