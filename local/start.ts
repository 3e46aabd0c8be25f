/** `npm start`: the connector on one port and the embedded Timestream on another, or, with --aws, the real service behind it. */
import { parseArgs } from 'node:util';
import { TimestreamWriteClient } from '@aws-sdk/client-timestream-write';
import { type ConnectorConfig, loadConnectorConfig } from 'shared/config';
import type { FunctionLogger, LogFields } from 'shared/logger';
import { systemClock } from 'shared/resilience/clock';
import { TableCreator } from 'shared/timestream/tables';
import { TOKEN_FORM, TOKEN_PATTERN } from 'shared/tokens/accepted';
import { TokenVerifier } from 'shared/tokens/verifier';
import { tableAdministration, timestreamClient, writeRecordsSender } from '../functions/write-line-protocol/clients';
import { createHandler } from '../functions/write-line-protocol/write-handler';
import { assertAwsAccess } from './command/aws';
import { noteWrite } from './connector/request-log';
import { startConnector } from './connector/server';
import { withStorageFault } from './connector/storage';
import { type RunningTimestream, startTimestream } from './timestream/server';

const USAGE = `npm start -- [options]
  --port N             port of the write endpoint (9000)
  --timestream-port N  port of the embedded Timestream (9001)
  --host HOST          address to listen on (127.0.0.1)
  --data-dir DIR       folder of the embedded Timestream's data (.data)
  --memory             keep nothing
  --aws                write to Amazon Timestream with your own credentials
  --token TOKEN        answer 401 without this token (several: repeat it)
  --help               show this`;

/** As long as API Gateway gives a request and its answer together. */
const ARRIVAL_MS = 29_000;

interface Arguments {
  readonly port: number;
  readonly timestreamPort: number;
  readonly host: string;
  readonly dataDir: string | undefined;
  readonly aws: boolean;
  /** Those that are let in; everybody is where there are none. */
  readonly tokens: readonly string[];
}

class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws UsageError, or an error of parseArgs, that says what is wrong with the arguments */
function readArguments(argv: string[]): Arguments | undefined {
  const { values } = parseArgs({
    args: argv,
    options: {
      port: { type: 'string', default: '9000' },
      'timestream-port': { type: 'string' },
      host: { type: 'string', default: '127.0.0.1' },
      'data-dir': { type: 'string' },
      memory: { type: 'boolean', default: false },
      aws: { type: 'boolean', default: false },
      token: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const ofEmbedded = (['memory', 'data-dir', 'timestream-port'] as const).find((option) => values[option]);
  if (values.aws && ofEmbedded !== undefined) {
    throw new UsageError(`--${ofEmbedded} is of the embedded Timestream, which --aws leaves out: give one of the two`);
  }
  if (!values.token.every((token) => TOKEN_PATTERN.test(token))) throw new UsageError(`--token ${TOKEN_FORM}`);
  return {
    port: portNumber('--port', values.port),
    timestreamPort: portNumber('--timestream-port', values['timestream-port'] ?? '9001'),
    host: values.host,
    dataDir: values.memory ? undefined : (values['data-dir'] ?? '.data'),
    aws: values.aws,
    tokens: values.token,
  };
}

function portNumber(option: string, text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new UsageError(`${option} must be a port number, not '${text}'`);
  return port;
}

/** Warnings and errors, except while `isQuiet`: their reason is in the log already. The server prints a line for each request. */
function localLogger(isQuiet: () => boolean): FunctionLogger {
  const print = (message: string, fields: readonly LogFields[]): void => {
    if (!isQuiet()) console.error(describe(message, fields));
  };
  return {
    addContext: () => undefined,
    debug: () => undefined,
    info: (message, ...fields) => {
      if (message === 'write') fields.forEach(noteWrite);
    },
    warn: (message, ...fields) => {
      // The response names what is not stored.
      if (message === 'write') fields.forEach(noteWrite);
      print(message, fields);
    },
    error: (message, ...fields) => print(message, fields),
  };
}

function describe(message: string, fields: readonly LogFields[]): string {
  const texts = fields
    .flatMap((each) => Object.entries(each))
    .map(([name, value]) => {
      const text = value instanceof Error ? `${value.name}: ${value.message}` : String(value);
      return `${name}=${text}`;
    });
  return [message, ...texts].join(' ');
}

/** Lets those tokens in, by the code of the authorizer; undefined where there are none. */
function verifierOf(tokens: readonly string[], logger: FunctionLogger): TokenVerifier | undefined {
  if (tokens.length === 0) return undefined;
  const secret = JSON.stringify({ tokens: [...new Set(tokens)].map((token) => ({ token })) });
  return new TokenVerifier(() => Promise.resolve(secret), logger);
}

/** The embedded Timestream checks no credentials, but the SDK signs with some. */
function localClient(config: ConnectorConfig, endpoint: string): TimestreamWriteClient {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  return new TimestreamWriteClient({ region: config.region, endpoint, credentials, maxAttempts: 1 });
}

async function start(args: Arguments): Promise<void> {
  // The user's Node is the user's choice.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  // Bad configuration stops the start before anything listens.
  const given = loadConnectorConfig();
  let timestream: RunningTimestream | undefined;
  const logger = localLogger(() => timestream?.storageFault() !== undefined);
  const verifier = verifierOf(args.tokens, logger);
  if (!args.aws) {
    const { host, timestreamPort, dataDir } = args;
    timestream = await startTimestream({ host, port: timestreamPort, ...(dataDir !== undefined && { dataDir }) });
  }
  const config: ConnectorConfig = {
    ...given,
    ...(timestream !== undefined && { timestreamEndpoint: timestream.url }),
    asynchronous: false,
    // As InfluxDB, which allows every origin.
    corsAllowedOrigins: given.corsAllowedOrigins.length > 0 ? given.corsAllowedOrigins : ['*'],
  };
  const client = timestream === undefined ? timestreamClient(config) : localClient(config, timestream.url);
  if (args.aws) await assertAwsAccess(client.config);
  const administration = tableAdministration(client);
  const unavailable = () => Promise.reject(new Error('asynchronous mode needs AWS Lambda'));
  const connector = await startConnector({
    host: args.host,
    port: args.port,
    maxBodyBytes: config.bounds.maxCompressedBytes,
    verify: verifier && ((request) => verifier.verify(request)),
    corsAllowedOrigins: config.corsAllowedOrigins,
    arrivalMs: ARRIVAL_MS,
    log: (line) => console.log(line),
    handler: withStorageFault(
      createHandler({
        config,
        logger,
        send: writeRecordsSender(client, config),
        // The embedded Timestream has no quota of create calls.
        tables: new TableCreator(config.tables, administration, systemClock, args.aws ? undefined : 0),
        checkTimestream: async (signal) => {
          await timestream?.assertWritable();
          await administration.databaseExists(config.tables.database, signal);
        },
        invokeSelf: unavailable,
        sendLetter: unavailable,
        storeRejected: async (object, signal) =>
          (await import('../functions/write-line-protocol/rejected-lines-bucket')).storeRejected(
            config,
            object,
            signal,
          ),
      }),
      () => timestream?.storageFault(),
    ),
  });
  if (isOpen(args)) {
    console.error(`warning: anyone who reaches ${args.host} can write: give --token, or leave out --host`);
  }
  console.log(welcome(connector.url, timestream?.url, args, config));
  stopOnSignal(async () => {
    await connector.close();
    await timestream?.close();
  });
}

/** Whether requests of other machines are let in without a token. */
function isOpen({ host, tokens }: Arguments): boolean {
  return tokens.length === 0 && !/^(localhost|127(\.\d+){3}|::1)$/.test(host);
}

function welcome(
  url: string,
  timestreamUrl: string | undefined,
  { dataDir, tokens }: Arguments,
  config: ConnectorConfig,
): string {
  const { database } = config.tables;
  const header = tokens.length === 0 ? '' : " -H 'Authorization: Token YOUR_TOKEN'";
  const write = [
    `InfluxDB v2 write endpoint: ${url}`,
    '',
    'Write a point:',
    `  curl -i '${url}/api/v2/write?precision=s'${header} --data-binary "weather,city=Lisbon temperature=21.5 $(date +%s)"`,
  ];
  if (timestreamUrl === undefined) return [...write, '', 'Points go to Amazon Timestream. Ctrl-C stops.'].join('\n');
  const table = config.mapping.singleTable ?? 'weather';
  const sql = `SELECT * FROM "${database}"."${table}" LIMIT 10`.replaceAll('"', '\\"');
  return [
    ...write,
    '',
    'Read it back:',
    `  curl -s ${timestreamUrl} -H 'X-Amz-Target: Timestream_20181101.Query' -d '{"QueryString":"${sql}"}'`,
    '',
    `Points are stored in the embedded Timestream at ${timestreamUrl}, ${dataDir === undefined ? 'in memory' : `in ${dataDir}/`}. Ctrl-C stops.`,
  ].join('\n');
}

function stopOnSignal(stop: () => Promise<void>): void {
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(1);
      stopping = true;
      stop().then(
        () => process.exit(0),
        (error: unknown) => {
          console.error(error instanceof Error ? error.message : error);
          process.exit(1);
        },
      );
    });
  }
}

async function main(): Promise<void> {
  const args = readArguments(process.argv.slice(2));
  if (args === undefined) console.log(USAGE);
  else await start(args);
}

main().catch((error: unknown) => {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof UsageError || code.startsWith('ERR_PARSE_ARGS')) {
    console.error(`${message}\n\n${USAGE}`);
    process.exit(2);
  }
  if (code === 'EADDRINUSE') console.error(`${message}: choose other ports with --port and --timestream-port`);
  else if (message.includes('Could not set lock'))
    console.error('the data folder is in use by another process: choose another one with --data-dir, or --memory');
  else console.error(message);
  process.exit(1);
});
