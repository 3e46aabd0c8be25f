/** The Lambda function of the step Verify: compares the counts of each window at the target with those at the source. */
import { loadMigrationConfig } from 'shared/loader-config';
import { createLogger } from 'shared/logger';
import { verifyStep } from 'shared/migration/verify';
import { migrationServices } from '../migration-services';
import { step } from '../step';

/** Time reserved for saving the records of the windows in progress. */
const RESERVE_MS = 30_000;

const config = loadMigrationConfig();
const services = migrationServices(config);

export const handler = step(
  createLogger('verify', config.logLevel),
  (event, { deadline }) => verifyStep(event, { ...services, deadline }),
  RESERVE_MS,
);
