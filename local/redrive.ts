/** Replays the dead-letter messages of a deployed stack from this machine, with the code of the redrive function. */
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SFNClient } from '@aws-sdk/client-sfn';
import { GetQueueUrlCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Environment } from 'shared/environment';
import type { Logger } from 'shared/logger';
import type { RedriveConfig } from 'shared/redrive-config';
import { s3Objects } from '../functions/clients/s3';
import { messageQueue, replayTargets } from '../functions/redrive-dead-letters/clients';
import { redrive, survey } from '../functions/redrive-dead-letters/redrive';
import { assertAwsAccess } from './cli/aws';
import { UsageError } from './cli/ending';
import { describeStack } from './stack/stack';

/** The region in the URL of an SQS queue; undefined for any other URL, such as the URL of an emulator. */
const regionOf = (queueUrl: string): string | undefined =>
  /^sqs\.([^.]+)\.amazonaws\./.exec(new URL(queueUrl).host)?.[1];

/** Prints warnings and errors as plain lines. */
const logger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message, fields) => console.error(`${message}: ${String(fields?.reason)}`),
  error: (message, fields) => console.error(`${message}: ${String(fields?.error)}`),
};

/** The settings that follow from a stack's outputs and parameters. */
export async function stackSettings(name: string): Promise<Environment> {
  const stack = await describeStack(name);
  return {
    DEAD_LETTER_QUEUE_URL: stack.output('LambdaDeadLetterQueueName'),
    PARKING_QUEUE_URL: stack.output('ParkingQueueName'),
    WRITE_FUNCTION_NAME: stack.parameter('LambdaName'),
    LOAD_OBJECT_FUNCTION_NAME: stack.output('LoadObjectFunctionArn'),
    STATE_MACHINE_ARN: stack.output('BulkLoadStateMachineArn'),
    MIGRATION_STATE_MACHINE_ARN: stack.output('MigrateStateMachineArn'),
    WORK_BUCKET: stack.output('WorkBucketName'),
  };
}

/** The URL of a queue, given by URL or name. @throws UsageError if no queue has that name */
export async function queueUrlOf(queue: string): Promise<string> {
  if (queue.includes('://')) return queue;
  const sqs = new SQSClient({});
  await assertAwsAccess(sqs.config);
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: queue })).catch((error: Error) => {
    const isMissing = /NonExistentQueue|QueueDoesNotExist/.test(error.name);
    throw isMissing ? new UsageError(`the queue ${queue} does not exist in this account and region`) : error;
  });
  return QueueUrl ?? queue;
}

export interface RedriveRun {
  /** Whether the settings name all targets of the stack. Otherwise the messages of the loader are left in the queue. */
  readonly isComplete: boolean;
  /** Counts the messages by kind, and leaves them in the queue. */
  readonly dryRun: boolean;
  /** When it aborts, messages in progress are put back. */
  readonly signal: AbortSignal;
}

/** Prints the summary as JSON. Returns whether every message was replayed. */
export async function redriveQueue(
  config: RedriveConfig,
  { isComplete, dryRun, signal }: RedriveRun,
): Promise<boolean> {
  const { queueUrl, parkingQueueUrl, bounds, ...names } = config;
  const region = regionOf(queueUrl);
  const options = region === undefined ? {} : { region };
  const sqs = new SQSClient(options);
  await assertAwsAccess(sqs.config);
  const queue = messageQueue(queueUrl, parkingQueueUrl, sqs);
  const targets = replayTargets(names, {
    lambda: new LambdaClient(options),
    executions: new SFNClient(options),
    objects: s3Objects(options),
  });
  const fromParking = queueUrl === parkingQueueUrl;
  const { stateMachineArn, migrationArn } = names.workflow ?? { stateMachineArn: undefined };
  const services = {
    ...{ queue, targets, stateMachineArn, migrationArn, fromParking, logger },
    mayHaveLoader: !isComplete,
  };
  if (dryRun) {
    console.log(JSON.stringify(await survey(bounds, services, signal), null, 2));
    return true;
  }
  const summary = await redrive(bounds, services, { signal, msLeft: () => Number.POSITIVE_INFINITY });
  console.log(JSON.stringify(summary, null, 2));
  return summary.replayed === summary.messages;
}
