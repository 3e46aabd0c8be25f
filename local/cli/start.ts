/** `start`: runs the connector on this machine. */
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { loadConnectorConfig } from 'shared/config';
import { UsageError } from './ending';
import { addSettings, misnamedSettings, readSettings, settingsOf } from './settings';
import { CONNECTOR_SETTINGS } from './settings-tables';
import { withToken } from './token';
import { assertCompatible, assertUsed } from './unused-options';
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
  assertCompatible(options);
  for (const warning of misnamedSettings(CONNECTOR_SETTINGS, process.env)) console.error(warning);
  const { settings } = withToken(settingsOf(CONNECTOR_SETTINGS, options, process.env), {
    names: ['--influxdb-token', '--influxdb-token-secret'],
    ...(options.influxdbToken !== undefined && { token: options.influxdbToken }),
    ...(options.influxdbTokenSecret !== undefined && { tokenSecret: options.influxdbTokenSecret }),
  });
  const config = readSettings(loadConnectorConfig, settings, CONNECTOR_SETTINGS, process.env);
  assertUsed(options, config);
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
