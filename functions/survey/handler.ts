/** The Lambda function of the step Survey: surveys the tables of a migration, and checks the target. */
import { loadMigrationConfig, loadMigrationDefaults } from 'shared/loader-config';
import { createLogger } from 'shared/logger';
import { surveyInputSchema } from 'shared/migration/steps';
import { surveyStep } from 'shared/migration/survey';
import { validate } from 'shared/validation';
import { withDefaults } from '../migration-defaults';
import { migrationServices } from '../migration-services';
import { step } from '../step';

/** Time reserved for saving the surveys of the tables in progress. */
const RESERVE_MS = 30_000;

const config = loadMigrationConfig();
const defaults = loadMigrationDefaults();
const services = migrationServices(config);

export const handler = step(
  createLogger('survey', config.logLevel),
  (event, { deadline }) => {
    const { migrationId, input } = validate(surveyInputSchema, event, 'the input of Survey');
    return surveyStep({ migrationId, input: withDefaults(input, defaults) }, { ...services, deadline });
  },
  RESERVE_MS,
);
