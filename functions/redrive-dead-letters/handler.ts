/** The Lambda function that replays dead letters: started by hand, or on a schedule. */
import { loadRedriveConfig } from 'shared/config';
import { createLogger } from 'shared/logger';
import { step } from '../step';
import { letterQueue, replayTargets } from './clients';
import { readRedriveInput } from './input';
import { redrive, survey } from './redrive';

const config = loadRedriveConfig();
const logger = createLogger('redrive-dead-letters', config.logLevel);
const targets = replayTargets(config);

export const handler = step(logger, async (event, { deadline }) => {
  const { from, dryRun, maxLetters = config.bounds.maxLetters } = readRedriveInput(event);
  const queue = letterQueue(from === 'parking' ? config.parkingQueueUrl : config.queueUrl, config.parkingQueueUrl);
  const services = { queue, targets, stateMachineArn: config.stateMachineArn, logger };
  const bounds = { ...config.bounds, maxLetters };
  const summary = await (dryRun ? survey : redrive)(bounds, services, deadline);
  logger.info('redrive', { from, dryRun, ...summary });
  return summary;
});
