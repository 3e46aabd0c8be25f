/** The Lambda function of the step CheckInfluxDB, and of GET /loads/health. */
import { assertHealthy, checkHealth } from 'shared/influxdb/health';
import { loadLoaderConfig } from 'shared/loader-config';
import { createLogger } from 'shared/logger';
import { influxClient, PARAMETER_ADVICE } from '../clients/influxdb';
import { failureResponse, isApiEvent, jsonResponse } from '../http';
import { step } from '../step';

const config = loadLoaderConfig();
const logger = createLogger('check-influxdb', config.logLevel);
const client = influxClient(config);

export const handler = step(logger, async (event) => {
  if (!isApiEvent(event)) {
    const report = await checkHealth(client, PARAMETER_ADVICE);
    assertHealthy(report);
    return report;
  }
  try {
    const report = await checkHealth(client, PARAMETER_ADVICE);
    return jsonResponse(report.healthy ? 200 : 503, report);
  } catch (error) {
    return failureResponse(error, logger, 503);
  }
});
