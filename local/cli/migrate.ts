/** `migrate`: moves tables of Timestream for LiveAnalytics to InfluxDB. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Environment } from 'shared/environment';
import type { HealthAdvice } from 'shared/influxdb/health';
import { loadLoaderConfig } from 'shared/loader-config';
import { migrationRequestSchema } from 'shared/migration/request';
import { validate } from 'shared/validation';
import { commandLine, givenOptions } from './command-line';
import { DONE, exitCodeOf, FAILED, INTERRUPTED, interruption, UsageError } from './ending';
import { type MigrateOptions, requestOf } from './migrate-options';
import { addSettings, misnamedSettings, readSettings, settingsOf } from './settings';
import { LOADER_SETTINGS, MIGRATION_SETTINGS } from './settings-tables';
import { withToken } from './token';
import { oneMore } from './values';

const DEFAULTS: Environment = { INFLUXDB_URL: 'http://localhost:8086' };
const EMBEDDED = 'http://localhost:9001';
const EXPORT_FOLDER = '.data/exports/migration';

const EXAMPLES = `
Examples:
  influxdb-timestream migrate --database plant --dry-run --token TOKEN
  influxdb-timestream migrate --database plant --table 'sensor_*' --timestream eu-west-1 --export s3://BUCKET/PREFIX/ --token TOKEN
  influxdb-timestream migrate --database plant --from last --token TOKEN   only what is new since the last proved migration
  influxdb-timestream migrate --stack NAME                                 use the deployed workflow
  influxdb-timestream migrate clean                                        delete the exports of proved migrations

The same command goes on with a migration that was stopped. It exports and loads again only what is missing.`;

export function addMigrate(program: Command): Command {
  const command = program
    .command('migrate')
    .description('migrate tables of Timestream to InfluxDB')
    .option('--database <NAME>', 'database in Timestream')
    .option(
      '--table <NAME>',
      'table, or a glob such as sensor_*; may be given several times (default: all)',
      oneMore(plain),
    )
    .option(
      '--from <TIME|last>',
      "first time, or last: where the last proved migration ended (default: the table's first row)",
    )
    .option('--to <TIME>', 'end of the range, exclusive (default: now)')
    .option(
      '--export <DIR|URI>',
      `s3:// address of the exports, or the folder EXPORT-DIR/BUCKET of a local server (default: ${EXPORT_FOLDER})`,
    )
    .option('--timestream <URL|REGION>', 'URL of a local server, or region of Amazon Timestream', timestream, EMBEDDED)
    .addOption(
      new Option('--measure-name <HOW>', 'what measure_name becomes (default: tag)').choices([
        'tag',
        'drop',
        'pivot',
        'field',
      ]),
    )
    .option('--dimensions-to-fields <LIST>', 'dimensions that become fields instead of tags, separated by commas', list)
    .addOption(new Option('--timestamps <FORM>', 'TIMESTAMP measures (default: ns)').choices(['ns', 'rfc3339']))
    .addOption(
      new Option('--verify <HOW>', 'what is compared at the end (default: counts)').choices(['counts', 'sums', 'none']),
    )
    .option('--allow-merges', 'accept that values are lost where rows become one point')
    .option('--verify-only', 'verify an earlier migration with the same options again')
    .option('--dry-run', 'survey the tables and check the target, write nothing')
    .option('--json', 'print the report as JSON')
    .optionsGroup('Deployed workflow:')
    .option('--stack <NAME>', 'migrate with the workflow of this stack')
    .option('--resume <ID>', 'continue this migration, with its options')
    .option('--detach', 'print the id of the migration and exit without waiting for its end')
    .option('--watch <ID>', 'follow a migration that is already running')
    .addHelpText('after', EXAMPLES)
    .action(run);
  command.command('clean').description('delete the exported files of proved migrations, after asking').action(clean);
  return addSettings(
    command,
    'Settings (environment variable, default):',
    MIGRATION_SETTINGS,
    loadLoaderConfig,
    DEFAULTS,
  );
}

const plain = (text: string): string => text;

function list(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('')) throw new InvalidArgumentError('It must be names, separated by commas.');
  return names;
}

function timestream(text: string): string {
  if (/^[a-z]{2}(-[a-z]+)+-\d$/.test(text)) return text;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url.origin;
  throw new InvalidArgumentError('It must be an http or https URL, or a region such as eu-west-1.');
}

async function run(options: MigrateOptions, command: Command): Promise<void> {
  if (options.stack !== undefined) {
    const { migrateByStack } = await import('./migrate-stack');
    process.exitCode = await migrateByStack(options.stack, options, command);
    return;
  }
  const remote = (['resume', 'detach', 'watch'] as const).find((name) => options[name] !== undefined);
  if (remote !== undefined) throw new UsageError(`--${remote} needs --stack NAME`);
  process.exitCode = await migrateFromHere(options, command);
}

async function migrateFromHere(options: MigrateOptions, command: Command): Promise<number> {
  const { database, dryRun = false, verifyOnly = false } = options;
  if (database === undefined) throw new UsageError('--database is missing: name the database in Timestream');
  if (dryRun && verifyOnly) throw new UsageError('--dry-run and --verify-only exclude each other');
  for (const warning of misnamedSettings(LOADER_SETTINGS, process.env)) console.error(warning);
  const given = { ...DEFAULTS, ...settingsOf(MIGRATION_SETTINGS, options, process.env) };
  const { settings, hasToken } = withToken(given, options);
  const config = readSettings(loadLoaderConfig, settings, MIGRATION_SETTINGS, process.env);
  const exportTo = exportPlace(options);
  const { export: _, ...request } = validate(
    migrationRequestSchema,
    {
      ...requestOf(options),
      database,
      export: 's3://unused/',
      verifyOnly,
      dryRun,
    },
    'the request',
  );
  const { migrate } = await import('../migration/migrate');
  const { InterruptedError } = await import('../migration/workflow');
  const signal = interruption();
  try {
    const advice = adviceOf(hasToken);
    const outcome = await migrate({ request, exportTo, timestream: options.timestream, advice, signal }, config);
    const { show } = await import('../migration/show');
    await show(outcome, options.json ?? false);
    return outcome.status === 'failed' ? FAILED : DONE;
  } catch (error) {
    const again = `To go on: ${commandLine('migrate', givenOptions(command, new Set(), { table: (value) => value as string[] }))}`;
    if (error instanceof InterruptedError) {
      console.error(`Interrupted. ${again}`);
      return INTERRUPTED;
    }
    const code = exitCodeOf(error);
    if (code === FAILED && !dryRun) console.error(again);
    return code;
  }
}

function exportPlace({ export: given, timestream: source }: MigrateOptions): string {
  const isLocal = /^https?:/.test(source);
  if (given === undefined) {
    if (isLocal) return EXPORT_FOLDER;
    throw new UsageError('--export is missing: name an s3:// address in the region of Timestream');
  }
  if (!isLocal && !given.startsWith('s3://')) {
    throw new UsageError(`--export ${given} is a folder, but Amazon Timestream exports to S3: give an s3:// address`);
  }
  return given;
}

function adviceOf(hasToken: boolean): HealthAdvice {
  return {
    unreachable: 'check that InfluxDB is running there, or set another URL with --url',
    unauthorized: hasToken ? 'the token is not valid: set another one with --token' : 'no token is set: use --token',
    useEngine: (engine) => `use --engine ${engine}`,
    missing: { org: 'name yours with --org', bucket: 'name yours with --bucket, and create it first' },
  };
}

async function clean(): Promise<void> {
  const { cleanExports } = await import('../migration/clean');
  process.exitCode = (await cleanExports()) ? DONE : FAILED;
}
