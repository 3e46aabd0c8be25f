/** The Lambda function of the step RecordLoad: saves the result of a nested load in the record of its window. */
import { loadPlanningConfig } from 'shared/loader-config';
import { createLogger } from 'shared/logger';
import { recordNestedLoad } from 'shared/migration/nested-load';
import { s3Objects } from '../clients/s3';
import { step } from '../step';

const config = loadPlanningConfig();
const objects = s3Objects();

export const handler = step(createLogger('record-load', config.logLevel), (event) =>
  recordNestedLoad(event, { ...config, objects }),
);
