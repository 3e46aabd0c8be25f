/** Starts the connector on one port and the embedded Timestream on another. With --aws it writes to Amazon Timestream instead. */
import { TimestreamWriteClient } from '@aws-sdk/client-timestream-write';
import type { ConnectorConfig } from 'shared/config';
import type { FunctionLogger, LogFields } from 'shared/logger';
import { systemClock } from 'shared/resilience/clock';
import { TableCreator } from 'shared/timestream/tables';
import type { CredentialSource } from 'shared/tokens/presented';
import { TokenVerifier } from 'shared/tokens/verifier';
import type { Destination } from '../functions/write-line-protocol/destination';
import { buildDestinations } from '../functions/write-line-protocol/destinations';
import { writeRecordsSender } from '../functions/write-line-protocol/timestream-connection';
import { timestreamDestination } from '../functions/write-line-protocol/timestream-destination';
import { sdkConnection, tableAdministration, timestreamClient } from '../functions/write-line-protocol/timestream-sdk';
import { createHandler } from '../functions/write-line-protocol/write-handler';
import { assertAwsAccess } from './cli/aws';
import { UsageError } from './cli/ending';
import { noteWrite } from './connector/request-log';
import { startConnector } from './connector/server';
import { withStorageFault } from './connector/storage';
import { unwritableWarning } from './connector/unwritable';
import { welcome } from './connector/welcome';
import { openConsole } from './console/open';
import { type RunningTimestream, startTimestream } from './timestream/server';
import type { UnloadDestination } from './timestream/unload/destination';
import { FolderDestination } from './timestream/unload/folder-destination';

/** The time that API Gateway allows for a request and its response together. */
const ARRIVAL_MS = 29_000;

export interface StartOptions {
  readonly port: number;
  readonly host: string;
  readonly timestreamPort: number;
  readonly timestreamHost: string;
  readonly dataDir: string | undefined;
  /** The folder that UNLOAD writes to, unless there is an S3 endpoint. */
  readonly exportDir: string | undefined;
  readonly s3Endpoint: string | undefined;
  readonly aws: boolean;
  /** The accepted tokens; if empty, every request is accepted. */
  readonly tokens: readonly string[];
  /** The folder of the console's page, and the folder of the runs that it shows; by default those of the program and of the user. */
  readonly consoleFolders?: { readonly assets: string; readonly runs: string } | undefined;
}

/** Prints warnings and errors, except while `isQuiet`: the log then has the reason already. The server itself logs each request. */
function localLogger(isQuiet: () => boolean): FunctionLogger {
  const print = (message: string, fields: readonly LogFields[]): void => {
    if (!isQuiet()) console.error(logText(message, fields));
  };
  return {
    addContext: () => undefined,
    appendKeys: () => undefined,
    debug: () => undefined,
    info: () => undefined,
    warn: (message, ...fields) => print(message, fields),
    error: (message, ...fields) => print(message, fields),
  };
}

const plainText = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));

function logText(message: string, fields: readonly LogFields[]): string {
  const texts = fields
    .flatMap((each) => Object.entries(each))
    .map(([name, value]) => {
      const text = value instanceof Error ? `${value.name}: ${value.message}` : plainText(value);
      return `${name}=${text}`;
    });
  return [message, ...texts].join(' ');
}

/** Verifies tokens with the code of the authorizer; undefined if there are no tokens. */
function verifierOf(tokens: readonly string[], logger: FunctionLogger): TokenVerifier | undefined {
  if (tokens.length === 0) return undefined;
  const secret = JSON.stringify({ tokens: [...new Set(tokens)].map((token) => ({ token })) });
  return new TokenVerifier(() => Promise.resolve(secret), logger);
}

/** The embedded Timestream checks no credentials, but the SDK cannot sign without them. */
function localClient(config: ConnectorConfig, endpoint: string): TimestreamWriteClient {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  return new TimestreamWriteClient({ region: config.region, endpoint, credentials, maxAttempts: 1 });
}

/** Where UNLOAD writes; undefined if data is kept in memory only. */
async function unloadDestination(
  { s3Endpoint, exportDir }: StartOptions,
  region: string,
): Promise<UnloadDestination | undefined> {
  if (s3Endpoint === undefined) return exportDir === undefined ? undefined : new FolderDestination(exportDir);
  const { S3Client } = await import('@aws-sdk/client-s3');
  const { S3Destination } = await import('./timestream/unload/s3-destination');
  const client = new S3Client({ region, endpoint: s3Endpoint, forcePathStyle: true });
  await assertAwsAccess(client.config);
  return new S3Destination(client);
}

/** The servers of `start`. */
export interface RunningServers {
  readonly url: string;
  /** Of the embedded Timestream. */
  readonly timestreamUrl: string | undefined;
  close(): Promise<void>;
}

/**
 * Starts the servers, and warns once they listen if InfluxDB cannot be written to. SIGINT or SIGTERM stops them.
 * @throws UsageError if a port or the data folder cannot be used
 */
export async function start(args: StartOptions, given: ConnectorConfig): Promise<void> {
  const servers = await startServers(args, given);
  console.log(welcome(servers, args, given));
  stopOnSignal(() => servers.close());
  const warning = given.influxdb && (await unwritableWarning(given.influxdb));
  if (warning !== undefined) console.error(warning);
}

/** @throws UsageError if a port or the data folder cannot be used */
export async function startServers(args: StartOptions, given: ConnectorConfig): Promise<RunningServers> {
  let timestream: RunningTimestream | undefined;
  try {
    if (args.aws || given.destination === 'influxdb') return await startWriting(args, given, undefined);
    const { timestreamHost: host, timestreamPort: port, dataDir } = args;
    const destination = await unloadDestination(args, given.region);
    timestream = await startTimestream({
      host,
      port,
      ...(dataDir !== undefined && { dataDir }),
      ...(destination !== undefined && { unload: { destination } }),
    });
    return await startWriting(args, given, timestream);
  } catch (error) {
    await timestream?.close();
    throw explained(error, args);
  }
}

/** @param timestream the embedded Timestream; undefined if it is not used */
async function startWriting(
  args: StartOptions,
  given: ConnectorConfig,
  timestream: RunningTimestream | undefined,
): Promise<RunningServers> {
  const logger = localLogger(() => timestream?.storageFault() !== undefined);
  const verifier = verifierOf(args.tokens, logger);
  const config: ConnectorConfig = {
    ...given,
    ...(timestream !== undefined && { timestreamEndpoint: timestream.url }),
    asynchronous: false,
    // InfluxDB allows every origin too.
    corsAllowedOrigins: given.corsAllowedOrigins.length > 0 ? given.corsAllowedOrigins : ['*'],
  };
  if (args.aws) await assertAwsAccess(timestreamClient(config).config);
  const destinations = await buildDestinations(config, logger, timestream && (() => embedded(config, timestream)));
  const unavailable = () => Promise.reject(new Error('asynchronous mode needs AWS Lambda'));
  const verify = verifier && ((request: CredentialSource) => verifier.verify(request));
  const log = (line: string): void => console.log(line);
  const view = openConsole({
    ...{ config, host: args.host, verify, timestream, log },
    folders: args.consoleFolders,
  });
  const connector = await startConnector({
    host: args.host,
    port: args.port,
    maxBodyBytes: config.bounds.maxCompressedBytes,
    verify,
    console: view.console,
    onWrite: view.onWrite,
    writeDeadlineMs: config.writeDeadlineMs,
    corsAllowedOrigins: config.corsAllowedOrigins,
    arrivalMs: ARRIVAL_MS,
    log,
    handler: withStorageFault(
      createHandler({
        config,
        logger,
        metrics: view.metrics,
        onResult: noteWrite,
        destinations,
        destinationUrls: { timestream: timestream?.url, influxdb: config.influxdb?.target.url },
        invokeSelf: unavailable,
        sendDeadLetter: unavailable,
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
  if (args.tokens.length === 0 && !isLoopback(args.host)) {
    console.error(
      `warning: ${args.host} accepts connections from other machines, and no --token is set: anyone can write`,
    );
  }
  if (timestream !== undefined && !isLoopback(args.timestreamHost)) {
    console.error(
      `warning: ${args.timestreamHost} accepts connections from other machines, and the embedded Timestream has no ` +
        'authorization: anyone can read and delete the points',
    );
  }
  return {
    url: connector.url,
    timestreamUrl: timestream?.url,
    close: async () => {
      await connector.close();
      await timestream?.close();
    },
  };
}

/** The embedded Timestream as a destination. */
function embedded(config: ConnectorConfig, timestream: RunningTimestream): Destination {
  const client = localClient(config, timestream.url);
  const administration = tableAdministration(client);
  return timestreamDestination(config, {
    send: writeRecordsSender(sdkConnection(client), config),
    // It does not limit create calls, so there is no delay between them.
    tables: new TableCreator(config.tables, administration, systemClock, 0),
    check: async (signal) => {
      await timestream.assertWritable();
      await administration.databaseExists(config.tables.database, signal);
    },
  });
}

/** Whether only this machine can connect to the host. */
const isLoopback = (host: string): boolean => /^(?:127\.|::1$|localhost$)/.test(host);

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

/** Replaces errors about a port or data folder in use by a UsageError that says what to do. */
function explained(error: unknown, { dataDir }: StartOptions): unknown {
  const { code, address, port, message } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (code === 'EADDRINUSE') {
    return new UsageError(`port ${port} of ${address} is in use: choose other ports with --port and --timestream-port`);
  }
  if (code === 'EACCES' && port !== undefined) {
    return new UsageError(`port ${port} needs administrator rights: choose a port above 1,023 with --port`);
  }
  if (message?.includes('Could not set lock')) {
    return new UsageError(
      `the data folder ${dataDir} is in use by another process, such as another start: stop it, or choose ` +
        'another folder with --data-dir or use --memory (and other ports with --port and --timestream-port)',
    );
  }
  return error;
}
