/** The Lambda function of the step SummarizeLoad: combines the results of a load in one summary. */
import { loadPlanningConfig } from 'shared/loader-config';
import { loadMappings } from 'shared/loads/mappings';
import { summarizeLoad } from 'shared/loads/summarize-load';
import { createLogger } from 'shared/logger';
import { s3Objects } from '../clients/s3';
import { once, step } from '../step';

/** Time reserved for reading the results of the items and for writing the summary. */
const RESERVE_MS = 300_000;

const config = loadPlanningConfig();
const objects = s3Objects();
const mappings = once(() => loadMappings(config.datasetMappings, objects));

export const handler = step(
  createLogger('summarize-load', config.logLevel),
  async (event, { deadline }) => summarizeLoad(event, { ...config, objects, mappings: await mappings(), deadline }),
  RESERVE_MS,
);
