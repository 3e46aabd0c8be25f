/** The Lambda function of the step Load: lists the exported windows as inputs of nested loads. */
import { loadPlanningConfig } from 'shared/loader-config';
import { createLogger } from 'shared/logger';
import { loadStep } from 'shared/migration/load';
import { s3Objects } from '../clients/s3';
import { step } from '../step';

const config = loadPlanningConfig();
const objects = s3Objects();

export const handler = step(createLogger('load', config.logLevel), (event) => loadStep(event, { ...config, objects }));
