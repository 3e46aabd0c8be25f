/** The Lambda function behind the write endpoint. */
import { loadConnectorConfig } from 'shared/config';
import { embeddedMetrics } from 'shared/embedded-metrics';
import { createLogger } from 'shared/logger';
import { TableCreator } from 'shared/timestream/tables';
import { tableAdministration, timestreamClient, writeRecordsSender } from './clients';
import { createHandler } from './write-handler';

const config = loadConnectorConfig();
const { functionName = 'write-line-protocol', logLevel } = config;
const client = timestreamClient(config);
const administration = tableAdministration(client);

export const handler = createHandler({
  config,
  logger: createLogger('write-line-protocol', logLevel),
  metrics: config.metrics && embeddedMetrics({ ...config.metrics, service: functionName, logLevel }),
  send: writeRecordsSender(client, config),
  tables: new TableCreator(config.tables, administration),
  checkTimestream: (signal) => administration.databaseExists(config.tables.database, signal),
  invokeSelf: async (event, signal) => (await import('./asynchronous-clients')).invokeSelf(config, event, signal),
  sendDeadLetter: async (message, signal) =>
    (await import('./asynchronous-clients')).sendDeadLetter(config, message, signal),
  storeRejected: async (object, signal) =>
    (await import('./rejected-lines-bucket')).storeRejected(config, object, signal),
});
