/** `start`: runs the connector on this machine. */
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { type ConnectorConfig, loadConnectorConfig } from 'shared/config';
import { UsageError } from './ending';
import { addSettings, misnamedSettings, readSettings, settingsOf } from './settings';
import { CONNECTOR_SETTINGS } from './settings-tables';
import { withToken } from './token';
import { httpUrl, oneMore, portNumber, token } from './values';

interface Options extends Readonly<Record<string, unknown>> {
  readonly port: number;
  readonly host: string;
  readonly timestreamPort?: number;
  readonly timestreamHost?: string;
  readonly dataDir?: string;
  readonly memory?: true;
  readonly exportDir?: string;
  readonly s3Endpoint?: string;
  readonly aws?: true;
  readonly token?: readonly string[];
  readonly influxdbToken?: string;
  readonly influxdbTokenSecret?: string;
}

const LOOPBACK = '127.0.0.1';

export function addStart(program: Command): Command {
  const command = program
    .command('start')
    .description('run the InfluxDB write endpoint on this machine')
    .option('--port <N>', 'port of the write endpoint', portNumber, 9000)
    .option('--host <HOST>', 'address of the write endpoint', LOOPBACK)
    .option('--timestream-port <N>', 'port of the embedded Timestream (default: 9001)', portNumber)
    .option('--timestream-host <HOST>', `address of the embedded Timestream (default: ${LOOPBACK})`)
    .option('--data-dir <DIR>', "folder of the embedded Timestream's data (default: .data)")
    .option('--memory', 'keep data in memory only')
    .option(
      '--export-dir <DIR>',
      'folder that UNLOAD writes to: s3://BUCKET/KEY is DIR/BUCKET/KEY (default: exports in the data folder)',
    )
    .option('--s3-endpoint <URL>', 'S3 endpoint that UNLOAD writes to, instead of a folder', httpUrl)
    .option('--aws', 'write to Amazon Timestream with your own credentials')
    .addOption(
      new Option('--token <TOKEN>', 'require this token; may be given several times').argParser(oneMore(token)),
    )
    .action(run);
  return addSettings(command, 'Settings (environment variable, default):', CONNECTOR_SETTINGS, loadConnectorConfig);
}

async function run(options: Options): Promise<void> {
  const { timestreamPort, timestreamHost, dataDir, memory = false, exportDir, s3Endpoint, aws = false } = options;
  const embedded = {
    '--memory': options.memory,
    '--data-dir': dataDir,
    '--timestream-port': timestreamPort,
    '--timestream-host': timestreamHost,
    '--export-dir': exportDir,
    '--s3-endpoint': s3Endpoint,
  };
  const [useless] = Object.entries(embedded).find(([, value]) => value !== undefined) ?? [];
  if (aws && useless !== undefined) {
    throw new UsageError(
      `${useless} belongs to the embedded Timestream, which --aws does not use: give only one of them`,
    );
  }
  if (exportDir !== undefined && s3Endpoint !== undefined) {
    throw new UsageError('--export-dir and --s3-endpoint are both places of UNLOAD: give only one of them');
  }
  for (const warning of misnamedSettings(CONNECTOR_SETTINGS, process.env)) console.error(warning);
  const { settings } = withToken(settingsOf(CONNECTOR_SETTINGS, options, process.env), {
    names: ['--influxdb-token', '--influxdb-token-secret'],
    ...(options.influxdbToken !== undefined && { token: options.influxdbToken }),
    ...(options.influxdbTokenSecret !== undefined && { tokenSecret: options.influxdbTokenSecret }),
  });
  const config = readSettings(loadConnectorConfig, settings, CONNECTOR_SETTINGS, process.env);
  assertUsed(options, config.destination);
  if (config.destination === 'influxdb' && (aws || useless !== undefined)) {
    throw new UsageError(`${aws ? '--aws' : useless} belongs to Timestream, which --destination influxdb does not use`);
  }
  const sqlPort = timestreamPort ?? 9001;
  if (!aws && config.destination !== 'influxdb' && options.port === sqlPort && sqlPort !== 0) {
    throw new UsageError(`--port and --timestream-port are both ${sqlPort}: the two ports must differ`);
  }
  const folder = dataDir ?? '.data';
  const { start } = await import('../start');
  await start(
    {
      port: options.port,
      host: options.host,
      timestreamPort: sqlPort,
      timestreamHost: timestreamHost ?? LOOPBACK,
      dataDir: memory ? undefined : folder,
      exportDir: exportDir ?? (memory ? undefined : join(folder, 'exports')),
      s3Endpoint,
      aws,
      tokens: options.token ?? [],
    },
    config,
  );
}

/** Options that only some destinations use. In the environment their settings may serve other commands, too. */
const INFLUXDB_OPTIONS = [
  'influxdb-url',
  'influxdb-org',
  'influxdb-bucket',
  'influxdb-token',
  'influxdb-token-secret',
  'influxdb-engine',
  'gzip-level',
  'bucket-mapping',
  'org-mapping',
];
const BOTH_OPTIONS = ['influxdb-only-lines'];

/** @throws UsageError for an option that the destination does not use */
function assertUsed(options: Options, destination: ConnectorConfig['destination']): void {
  const isGiven = (option: string): boolean =>
    options[option.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())] !== undefined;
  const forInfluxDB = destination === 'timestream' ? INFLUXDB_OPTIONS.find(isGiven) : undefined;
  if (forInfluxDB !== undefined) throw new UsageError(`--${forInfluxDB} needs --destination influxdb or both`);
  const forBoth = destination === 'both' ? undefined : BOTH_OPTIONS.find(isGiven);
  if (forBoth !== undefined) throw new UsageError(`--${forBoth} needs --destination both`);
}
