/** `redrive`: replays the dead-letter messages of a deployed stack. */
import type { Command } from 'commander';
import type { Environment } from 'shared/environment';
import { loadRedriveConfig } from 'shared/redrive-config';
import { DONE, FAILED, INTERRUPTED, interruption, UsageError } from './ending';
import { addSettings, misnamedSettings, readSettings, settingsOf } from './settings';
import { REDRIVE_SETTINGS } from './settings-tables';

const DEFAULTS: Environment = { WRITE_FUNCTION_NAME: 'influxdb-timestream-connector-lambda' };
/** Stands in for the parking queue in a dry run, which parks nothing. */
const NO_QUEUE = 'https://queue.invalid';
const QUEUES = ['DEAD_LETTER_QUEUE_URL', 'PARKING_QUEUE_URL'] as const;

interface Options extends Readonly<Record<string, unknown>> {
  readonly stack?: string;
  readonly dryRun?: true;
}

export function addRedrive(program: Command): Command {
  const command = program
    .command('redrive')
    .description('replay the dead-letter messages of a deployed stack')
    .option('--stack <NAME>', 'read queues, functions and workflow from the outputs of this stack')
    .option('--dry-run', 'count the messages by kind and leave them in the queue; needs no --parking')
    .addHelpText(
      'after',
      "\nThe region comes from the queue's URL, else from AWS_REGION. The AWS SDK finds the credentials.",
    )
    .action(run);
  return addSettings(
    command,
    'Settings (environment variable, default):',
    REDRIVE_SETTINGS,
    loadRedriveConfig,
    DEFAULTS,
  );
}

async function run(options: Options): Promise<void> {
  const { stack, dryRun = false } = options;
  const environment = process.env;
  for (const warning of misnamedSettings(REDRIVE_SETTINGS, environment)) console.error(warning);
  const { queueUrlOf, redriveQueue, stackSettings } = await import('../redrive');
  const ofStack = stack === undefined ? {} : await stackSettings(stack);
  const given: Environment = { ...DEFAULTS, ...environment, ...ofStack };
  const settings: Record<string, string | undefined> = { ...settingsOf(REDRIVE_SETTINGS, options, given) };
  if (settings.DEAD_LETTER_QUEUE_URL === undefined) {
    throw new UsageError('--queue is missing: name the dead-letter queue, or the stack that has it with --stack');
  }
  if (dryRun) settings.PARKING_QUEUE_URL ||= NO_QUEUE;
  for (const name of QUEUES) {
    const queue = settings[name];
    if (queue !== undefined && queue !== '') settings[name] = await queueUrlOf(queue);
  }
  const config = readSettings(loadRedriveConfig, settings, REDRIVE_SETTINGS, environment);
  const signal = interruption();
  const isDone = await redriveQueue(config, { isComplete: stack !== undefined, dryRun, signal });
  process.exitCode = signal.aborted ? INTERRUPTED : isDone ? DONE : FAILED;
}
