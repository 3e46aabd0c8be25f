/** The Lambda function behind the write endpoint. */
import { loadConnectorConfig } from 'shared/config';
import { embeddedMetrics } from 'shared/embedded-metrics';
import { createLogger } from 'shared/logger';
import { buildDestinations } from './destinations';
import { createHandler, type InvocationContext } from './write-handler';

const config = loadConnectorConfig();
const { functionName = 'write-line-protocol', logLevel } = config;
const logger = createLogger('write-line-protocol', logLevel);
const metrics = config.metrics && embeddedMetrics({ ...config.metrics, service: functionName, logLevel });

// Built while the function starts, not at its first request.
const handling = buildDestinations(config, logger).then((destinations) =>
  createHandler({
    config,
    logger,
    metrics,
    destinations,
    invokeSelf: async (event, signal) => (await import('./asynchronous-clients')).invokeSelf(config, event, signal),
    sendDeadLetter: async (message, signal) =>
      (await import('./asynchronous-clients')).sendDeadLetter(config, message, signal),
    storeRejected: async (object, signal) =>
      (await import('./rejected-lines-bucket')).storeRejected(config, object, signal),
  }),
);

export const handler = async (event: unknown, context?: InvocationContext) => (await handling)(event, context);
