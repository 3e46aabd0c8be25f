/** Starts the connector with the embedded Timestream, both over HTTP, as `npm start` does. */
import { InfluxDB, Point } from '@influxdata/influxdb-client';
import { loadConnectorConfig } from 'shared/config';
import type { FunctionLogger } from 'shared/logger';
import type { Clock } from 'shared/resilience/clock';
import { TableCreator } from 'shared/timestream/tables';
import { buildDestinations } from '../../../functions/write-line-protocol/destinations';
import type { HttpResponse } from '../../../functions/write-line-protocol/responses';
import { writeRecordsSender } from '../../../functions/write-line-protocol/timestream-connection';
import { timestreamDestination } from '../../../functions/write-line-protocol/timestream-destination';
import {
  sdkConnection,
  tableAdministration,
  timestreamClient,
} from '../../../functions/write-line-protocol/timestream-sdk';
import {
  createHandler,
  type HandlerServices,
  type InvocationContext,
} from '../../../functions/write-line-protocol/write-handler';
import { type ConnectorOptions, startConnector } from '../../../local/connector/server';
import type { Intercept } from '../../../local/timestream/server';
import { VirtualClock } from '../../support/virtual-clock';
import { DATABASE, type Harness, select, startHarness } from '../timestream/harness';

export { DATABASE } from '../timestream/harness';

// The SDK reads credentials from these variables, as in Lambda.
process.env.AWS_ACCESS_KEY_ID = 'AKIDEXAMPLE';
process.env.AWS_SECRET_ACCESS_KEY = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

export const silentLogger: FunctionLogger = {
  addContext: () => undefined,
  appendKeys: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export interface StackOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly intercept?: Intercept;
  readonly verify?: ConnectorOptions['verify'];
  /** Takes the lines that the local server prints. */
  readonly log?: ConnectorOptions['log'];
  readonly storeRejected?: HandlerServices['storeRejected'];
  readonly sendDeadLetter?: HandlerServices['sendDeadLetter'];
  /** Of the deadline. */
  readonly clock?: Clock;
  /** Called with the table of each WriteRecords call that has ended. */
  readonly onCallEnd?: (table: string) => void;
}

export interface Connector {
  /** The function, as Lambda calls it. */
  readonly handler: (event: unknown, context?: InvocationContext) => Promise<HttpResponse | undefined>;
  /** WriteRecords calls that have not ended. */
  callsUnderWay(): number;
  /** Writes through a local server before the function. */
  write(body: string | Uint8Array<ArrayBuffer>, headers?: Record<string, string>, query?: string): Promise<Response>;
  readonly url: string;
  close(): Promise<void>;
}

export interface Stack extends Connector {
  readonly timestream: Harness;
  /** The rows of a query over a table. */
  select(what: string, table: string): Promise<(string | null)[][]>;
  count(table: string): Promise<number>;
}

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const { intercept } = options;
  const timestream = await startHarness({ now: Date.now, ...(intercept && { intercept }) });
  const connector = await connectorBefore(timestream.server.url, options);
  const from = (what: string, table: string) => select(timestream, `SELECT ${what} FROM "${DATABASE}"."${table}"`);
  return {
    ...connector,
    timestream,
    select: from,
    count: async (table) => Number((await from('count(*)', table))[0]?.[0]),
    close: async () => {
      await connector.close();
      await timestream.close();
    },
  };
}

/** Another connector for the same Timestream, like another Lambda container. */
export async function connectorBefore(
  timestreamUrl: string,
  {
    environment = {},
    verify,
    storeRejected,
    sendDeadLetter,
    clock,
    onCallEnd,
    log = () => undefined,
  }: Omit<StackOptions, 'intercept'> = {},
): Promise<Connector> {
  const config = loadConnectorConfig({
    AWS_ENDPOINT_URL_TIMESTREAM_WRITE: timestreamUrl,
    // Long enough for a busy machine; tests of the deadline set their own.
    write_deadline_millis: '60000',
    ...environment,
  });
  const client = timestreamClient(config);
  const administration = tableAdministration(client);
  const asynchronous = () => Promise.reject(new Error('not in these tests'));
  const send = writeRecordsSender(sdkConnection(client), config);
  let underWay = 0;
  const timestream = timestreamDestination(config, {
    send: (body, signal) => {
      underWay++;
      return send(body, signal).finally(() => {
        underWay--;
        onCallEnd?.(tableOf(body));
      });
    },
    tables: new TableCreator(config.tables, administration, new VirtualClock()),
    check: (signal) => administration.databaseExists(config.tables.database, signal),
  });
  const services: HandlerServices = {
    config,
    logger: silentLogger,
    destinations: await buildDestinations(config, silentLogger, () => timestream),
    invokeSelf: asynchronous,
    sendDeadLetter: sendDeadLetter ?? asynchronous,
    storeRejected: storeRejected ?? asynchronous,
  };
  const handler = createHandler(services, clock);
  const maxBodyBytes = config.bounds.maxCompressedBytes;
  const connector = await startConnector({
    handler,
    host: '127.0.0.1',
    port: 0,
    maxBodyBytes,
    writeDeadlineMs: config.writeDeadlineMs,
    corsAllowedOrigins: config.corsAllowedOrigins,
    arrivalMs: 30_000,
    verify,
    log,
  });
  return {
    handler,
    callsUnderWay: () => underWay,
    url: connector.url,
    write: (body, headers = {}, query = '') =>
      fetch(`${connector.url}/api/v2/write?org=any&bucket=any${query}`, { method: 'POST', body, headers }),
    close: async () => {
      await connector.close();
      client.destroy();
    },
  };
}

const tableOf = (body: Uint8Array): string =>
  (JSON.parse(Buffer.from(body).toString()) as { TableName: string }).TableName;

/** A time that a new table accepts, whenever the tests run: 2024-03-01T12:00:00Z, in seconds. */
export const TIME = 1_709_294_400;

/** `count` lines of 20 hosts, each with its own series and time (ns). */
export const numberedLines = (table: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `${table},host=server${n % 20} value=${n},n=${n}i ${TIME + n}000000000`);

/** Writes a point to the table `client` as InfluxDB's client does, without retries. @throws HttpError for a refusal */
export async function writePoint(url: string, token: string): Promise<void> {
  const writer = new InfluxDB({ url, token }).getWriteApi('plant', 'metrics', 'ms', { maxRetries: 0 });
  writer.writePoint(
    new Point('client')
      .tag('city', 'Lisbon')
      .intField('i', 7)
      .timestamp(TIME * 1_000),
  );
  try {
    await writer.flush();
  } finally {
    await writer.close().catch(() => undefined);
  }
}

export interface ErrorBody {
  readonly code: string;
  readonly message: string;
}

export const errorOf = async (response: Response): Promise<ErrorBody> => (await response.json()) as ErrorBody;
