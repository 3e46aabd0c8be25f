/** The Lambda function that replays dead-letter messages: started by hand, or on a schedule. */

import { createLogger } from 'shared/logger';
import { loadRedriveConfig } from 'shared/redrive-config';
import { step } from '../step';
import { messageQueue, replayTargets } from './clients';
import { readRedriveInput } from './input';
import { redrive, survey } from './redrive';

const config = loadRedriveConfig();
const logger = createLogger('redrive-dead-letters', config.logLevel);
const targets = replayTargets(config);
const arns = { stateMachineArn: config.workflow?.stateMachineArn, migrationArn: config.workflow?.migrationArn };

/** Reserved at the end of a run for moving the messages in progress, ms. */
const RESERVE_MS = 3_000;

export const handler = step(
  logger,
  async (event, { deadline, msLeft }) => {
    const { from, dryRun, maxMessages = config.bounds.maxMessages } = readRedriveInput(event);
    const fromParking = from === 'parking';
    const queue = messageQueue(fromParking ? config.parkingQueueUrl : config.queueUrl, config.parkingQueueUrl);
    const services = { queue, targets, ...arns, fromParking, logger };
    const bounds = { ...config.bounds, maxMessages };
    const summary = dryRun
      ? await survey(bounds, services, deadline)
      : await redrive(bounds, services, { signal: deadline, msLeft });
    logger.info('redrive', { from, dryRun, ...summary });
    return summary;
  },
  RESERVE_MS,
);
