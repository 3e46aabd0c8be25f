/** The Lambda function of the step Report: writes the report and the proof, and sends the metrics of the migration. */
import { loadMigrationConfig } from 'shared/loader-config';
import { createLogger } from 'shared/logger';
import { migrationProgress } from 'shared/migration/progress';
import { reportStep } from 'shared/migration/report';
import { migrationServices } from '../migration-services';
import { step } from '../step';
import { sendMigrationMetrics } from './metrics';

const config = loadMigrationConfig();
const logger = createLogger('report', config.logLevel);
const services = migrationServices(config);

export const handler = step(logger, async (event, { deadline }) => {
  const report = await reportStep(event, services);
  logger.info('migration', { ...report });
  await sendMigrationMetrics(report, () => migrationProgress(report.migrationId, { ...services, deadline }), {
    ...config,
    logger,
  });
  return report;
});
