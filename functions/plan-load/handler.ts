/** The Lambda function of the step PlanLoad: the files of a load become items to fan out over. */
import { loadPlanningConfig } from 'shared/loader-config';
import { loadMappings } from 'shared/loads/mappings';
import { planLoad } from 'shared/loads/plan-load';
import { createLogger } from 'shared/logger';
import { parquetReader } from '../clients/parquet';
import { s3Objects } from '../clients/s3';
import { once, step } from '../step';

/** Kept for what is under way when the time is over, and for writing the plan. */
const RESERVE_MS = 60_000;

const config = loadPlanningConfig();
const objects = s3Objects();
const reader = parquetReader();
const mappings = once(() => loadMappings(config.datasetMappings, objects));

export const handler = step(
  createLogger('plan-load', config.logLevel),
  async (event, { deadline }) => planLoad(event, { ...config, objects, reader, mappings: await mappings(), deadline }),
  RESERVE_MS,
);
