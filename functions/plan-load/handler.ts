/** The Lambda function of the step PlanLoad: plans the files of a load as items for the workflow's map. */
import { loadPlanningConfig } from 'shared/loader-config';
import { loadMappings } from 'shared/loads/mappings';
import { planLoad } from 'shared/loads/plan-load';
import { createLogger } from 'shared/logger';
import { parquetReader } from '../clients/parquet';
import { s3Objects } from '../clients/s3';
import { once, step } from '../step';

/** Time reserved for files that are still being planned at the deadline, and for writing the plan. */
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
