/** `npm run redrive`: replays the messages of a deployed stack from this machine, by the code of the function. */
import { parseArgs } from 'node:util';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import { loadRedriveConfig } from 'shared/config';
import type { Environment } from 'shared/environment';
import type { Logger } from 'shared/logger';
import { s3Objects } from '../functions/clients/s3';
import { messageQueue, replayTargets } from '../functions/redrive-dead-letters/clients';
import { redrive, survey } from '../functions/redrive-dead-letters/redrive';
import { assertAwsAccess } from './command/aws';
import { runProgram, UsageError } from './command/program';
import { readSettings, type SettingOptions, settingsOf } from './command/settings';

const USAGE = `npm run redrive -- --queue URL --parking URL [options]
  --queue URL                the messages (DEAD_LETTER_QUEUE_URL); the parking queue's, to replay what is parked
  --parking URL              takes what cannot be replayed (PARKING_QUEUE_URL)
  --write-function NAME      the write function (WRITE_FUNCTION_NAME, or influxdb-timestream-connector-lambda)
  --load-object-function NAME  the loader's function for objects (LOAD_OBJECT_FUNCTION_NAME)
  --state-machine ARN        the loader's workflow (STATE_MACHINE_ARN)
  --work-bucket NAME         the loader's work bucket, with --state-machine (WORK_BUCKET)
  --rate N                   messages a second (MESSAGES_PER_SECOND, or 5)
  --max-messages N           messages of this run (MAX_MESSAGES, or 1,000)
  --max-tries N              failed replays after which a message is parked (MAX_TRIES, or 5)
  --dry-run                  count the messages by their kind, and leave them; --queue alone is needed
  --help                     show this

The region is that of the queue's URL, else AWS_REGION; the credentials are the AWS SDK's.
Exit code: 0 when every message was replayed, 1 when one was not, 2 for bad arguments.`;

const SETTING_OPTIONS: SettingOptions = {
  DEAD_LETTER_QUEUE_URL: 'queue',
  PARKING_QUEUE_URL: 'parking',
  WRITE_FUNCTION_NAME: 'write-function',
  LOAD_OBJECT_FUNCTION_NAME: 'load-object-function',
  STATE_MACHINE_ARN: 'state-machine',
  WORK_BUCKET: 'work-bucket',
  MESSAGES_PER_SECOND: 'rate',
  MAX_MESSAGES: 'max-messages',
  MAX_TRIES: 'max-tries',
};

/** What a dry run does not need: it parks nothing, and reads no summary. */
const UNUSED: Environment = { PARKING_QUEUE_URL: 'https://queue.invalid', WORK_BUCKET: 'unused' };

interface Arguments {
  readonly dryRun: boolean;
  readonly settings: Environment;
}

/** Undefined where help is asked for. @throws UsageError */
function readArguments(argv: readonly string[], given: Environment): Arguments | undefined {
  const { values } = parse(argv);
  if (values.help) return undefined;
  const dryRun = values['dry-run'];
  const typed = settingsOf(SETTING_OPTIONS, values, given);
  const { DEAD_LETTER_QUEUE_URL: queue } = typed;
  if (queue === undefined) throw new UsageError('--queue is missing: the URL of the queue whose messages are replayed');
  const settings = {
    WRITE_FUNCTION_NAME: 'influxdb-timestream-connector-lambda',
    ...(dryRun && UNUSED),
    ...typed,
  };
  return { dryRun, settings };
}

function parse(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const names = { 'write-function': text, 'load-object-function': text, 'state-machine': text, 'work-bucket': text };
  const bounds = { rate: text, 'max-messages': text, 'max-tries': text };
  const options = { queue: text, parking: text, ...names, ...bounds, 'dry-run': flag, help: flag };
  try {
    return parseArgs({ args: [...argv], options });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Of a queue's URL as AWS gives it; undefined for another one, such as that of an emulator. */
const regionOf = (queueUrl: string): string | undefined =>
  /^sqs\.([^.]+)\.amazonaws\./.exec(new URL(queueUrl).host)?.[1];

/** Warnings and errors, as lines for a person. */
const logger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message, fields) => console.error(`${message}: ${String(fields?.reason)}`),
  error: (message, fields) => console.error(`${message}: ${String(fields?.error)}`),
};

/** Aborts with Ctrl-C: what is under way is then left as it was. */
function interruption(): AbortSignal {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  return stop.signal;
}

async function main(): Promise<number> {
  const args = readArguments(process.argv.slice(2), process.env);
  if (args === undefined) {
    console.log(USAGE);
    return 0;
  }
  const read = readSettings(loadRedriveConfig, args.settings, SETTING_OPTIONS, process.env);
  const { queueUrl, parkingQueueUrl, bounds, ...config } = read;
  const region = regionOf(queueUrl);
  const options = region === undefined ? {} : { region };
  const sqs = new SQSClient(options);
  await assertAwsAccess(sqs.config);
  const queue = messageQueue(queueUrl, parkingQueueUrl, sqs);
  const targets = replayTargets(config, {
    lambda: new LambdaClient(options),
    executions: new SFNClient(options),
    objects: s3Objects(options),
  });
  const fromParking = queueUrl === parkingQueueUrl;
  const services = { queue, targets, stateMachineArn: config.workflow?.stateMachineArn, fromParking, logger };
  if (args.dryRun) {
    console.log(JSON.stringify(await survey(bounds, services, interruption()), null, 2));
    return 0;
  }
  const summary = await redrive(bounds, services, { signal: interruption(), msLeft: () => Number.POSITIVE_INFINITY });
  console.log(JSON.stringify(summary, null, 2));
  return summary.replayed === summary.messages ? 0 : 1;
}

runProgram(main, USAGE);
