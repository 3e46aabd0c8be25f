/** The configuration of the redrive of dead-letter messages, from environment variables. */
import { type Environment, EnvironmentReader, LOG_LEVELS, type ObserveSetting } from './environment';
import type { LogLevel } from './logger';

/** Limits of one run of the redrive. */
export interface RedriveBounds {
  /** Maximum replayed messages per second. */
  readonly messagesPerSecond: number;
  /** Maximum messages of one run. */
  readonly maxMessages: number;
  /** A message is moved to the parking queue after this number of failed replays. */
  readonly maxTries: number;
  /** Timeouts of the functions that replay messages. */
  readonly timeoutsMs: { readonly write: number; readonly object: number };
}

export interface RedriveConfig {
  readonly queueUrl: string;
  readonly parkingQueueUrl: string;
  /** Names or ARNs of the functions that replay messages. `loadObjectFunction` is undefined without a loader. */
  readonly writeFunction: string;
  readonly loadObjectFunction: string | undefined;
  /** The loader's state machine, and the bucket of its summaries; undefined without a loader. */
  readonly workflow:
    | {
        readonly stateMachineArn: string;
        /** The state machine of migrations; undefined without one. */
        readonly migrationArn?: string | undefined;
        readonly workBucket: string;
      }
    | undefined;
  readonly bounds: RedriveBounds;
  readonly logLevel: LogLevel;
}

/**
 * Reads the configuration of the redrive of dead-letter messages.
 * @throws ConfigurationError that lists every problem
 */
export function loadRedriveConfig(environment: Environment = process.env, observe?: ObserveSetting): RedriveConfig {
  const env = new EnvironmentReader(environment, observe);
  const config = {
    queueUrl: queueUrl(env, 'DEAD_LETTER_QUEUE_URL'),
    parkingQueueUrl: queueUrl(env, 'PARKING_QUEUE_URL'),
    writeFunction: env.required('WRITE_FUNCTION_NAME'),
    loadObjectFunction: env.optional('LOAD_OBJECT_FUNCTION_NAME'),
    workflow: workflow(env),
    bounds: {
      messagesPerSecond: env.integer('MESSAGES_PER_SECOND', 5, { min: 1, max: 100 }),
      maxMessages: env.integer('MAX_MESSAGES', 1_000, { min: 1, max: 1_000_000 }),
      maxTries: env.integer('MAX_TRIES', 5, { min: 1, max: 100 }),
      timeoutsMs: {
        write: 1_000 * env.integer('WRITE_TIMEOUT_SECONDS', 900, { min: 1, max: 900 }),
        object: 1_000 * env.integer('LOAD_OBJECT_TIMEOUT_SECONDS', 900, { min: 1, max: 900 }),
      },
    },
    logLevel: env.oneOf('LOG_LEVEL', LOG_LEVELS, 'INFO'),
  };
  env.check();
  return Object.freeze(config);
}

function workflow(env: EnvironmentReader): RedriveConfig['workflow'] {
  const stateMachineArn = env.optional('STATE_MACHINE_ARN');
  const migrationArn = env.optional('MIGRATION_STATE_MACHINE_ARN');
  const workBucket = env.optional('WORK_BUCKET');
  if (stateMachineArn === undefined) return undefined;
  if (workBucket === undefined) env.problem('WORK_BUCKET', 'is missing');
  return { stateMachineArn, migrationArn, workBucket: workBucket ?? '' };
}

function queueUrl(env: EnvironmentReader, name: string): string {
  const url = env.required(name);
  if (url !== '' && !/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : '')) {
    env.problem(name, `must be the URL of a queue (https://sqs.REGION.amazonaws.com/ACCOUNT/NAME), not '${url}'`);
  }
  return url;
}
