/** The function's handler with scripted clients, and events for it. */
import { loadConnectorConfig } from 'shared/config';
import type { Environment } from 'shared/environment';
import type { FunctionLogger } from 'shared/logger';
import type { Clock } from 'shared/resilience/clock';
import type { SendWriteRecords } from 'shared/timestream/service';
import { TableCreator } from 'shared/timestream/tables';
import { influxClient } from '../../functions/clients/influxdb';
import type { DeadLetter } from '../../functions/write-line-protocol/dead-letters';
import { influxdbDestination } from '../../functions/write-line-protocol/influxdb-destination';
import type { RejectedLinesObject } from '../../functions/write-line-protocol/rejected-lines';
import type { WriteEvent } from '../../functions/write-line-protocol/request';
import type { HttpResponse } from '../../functions/write-line-protocol/responses';
import { timestreamDestination } from '../../functions/write-line-protocol/timestream-destination';
import {
  createHandler,
  type HandlerServices,
  type InvocationContext,
} from '../../functions/write-line-protocol/write-handler';
import { REQUEST_TIME } from './connector-mapping';
import { recordingLogger } from './influx-writing';
import { expandCall, type PlainRecord } from './timestream-calls';
import { VirtualClock } from './virtual-clock';

export interface HandlerOptions {
  readonly environment?: Environment;
  readonly send?: SendWriteRecords;
  readonly checkTimestream?: () => Promise<unknown>;
  readonly invokeSelf?: HandlerServices['invokeSelf'];
  readonly sendDeadLetter?: HandlerServices['sendDeadLetter'];
  readonly storeRejected?: HandlerServices['storeRejected'];
  readonly metrics?: HandlerServices['metrics'];
  readonly tracer?: HandlerServices['tracer'];
  /** Replaces the recording logger. */
  readonly logger?: FunctionLogger;
  /** Clock of the deadline. */
  readonly clock?: Clock;
  /** Clock of the calls to InfluxDB. */
  readonly influxdbClock?: Clock;
}

export interface HandlerUnderTest {
  readonly handle: (event: unknown, context?: InvocationContext) => Promise<HttpResponse | undefined>;
  /** Records that reached Timestream. */
  readonly stored: PlainRecord[];
  readonly handedOver: WriteEvent[];
  readonly messages: DeadLetter[];
  /** Of the bucket for rejected lines. */
  readonly objects: RejectedLinesObject[];
  readonly logger: FunctionLogger & ReturnType<typeof recordingLogger>;
}

/** Phrases that make influxdb-client-go treat any response as success. Source: api/write.go of influxdb-client-go. */
export const TAKEN_FOR_SUCCESS =
  /partial write|unable to parse|points beyond retention policy|hinted handoff queue not empty/;

export const ASYNCHRONOUS = {
  enable_async_invocation: 'true',
  dead_letter_queue_url: 'https://sqs.us-east-1.amazonaws.com/123456789012/queue',
  AWS_LAMBDA_FUNCTION_NAME: 'connector',
};

export function handlerOf(options: HandlerOptions = {}): HandlerUnderTest {
  const config = loadConnectorConfig(options.environment ?? {});
  const stored: PlainRecord[] = [];
  const handedOver: WriteEvent[] = [];
  const messages: DeadLetter[] = [];
  const objects: RejectedLinesObject[] = [];
  const logger = { ...recordingLogger(), addContext: () => undefined, appendKeys: () => undefined };
  const store: SendWriteRecords = (body) => {
    stored.push(...expandCall(body).records);
    return Promise.resolve({ status: 200, body: Buffer.from('{}') });
  };
  const nothing = () => Promise.resolve();
  const administration = { databaseExists: () => Promise.resolve(true), createDatabase: nothing, createTable: nothing };
  const timestream = timestreamDestination(config, {
    send: options.send ?? store,
    tables: new TableCreator(config.tables, administration, new VirtualClock()),
    check: options.checkTimestream ?? nothing,
  });
  const { influxdb } = config;
  const client = influxdb && influxClient(influxdb);
  const services: HandlerServices = {
    config,
    logger: options.logger ?? logger,
    metrics: options.metrics,
    ...(options.tracer && { tracer: options.tracer }),
    destinations: [
      ...(config.destination === 'influxdb' ? [] : [timestream]),
      ...(influxdb && client
        ? [influxdbDestination(influxdb, config.bounds, client, logger, options.influxdbClock ?? new VirtualClock())]
        : []),
    ],
    invokeSelf: options.invokeSelf ?? ((event) => Promise.resolve(handedOver.push(event))),
    sendDeadLetter: options.sendDeadLetter ?? ((message) => Promise.resolve(messages.push(message))),
    storeRejected:
      options.storeRejected ??
      ((object) => {
        objects.push(object);
        return Promise.resolve(`s3://${config.rejectedLinesBucket}/${object.key}`);
      }),
  };
  const handle = createHandler(services, options.clock);
  return { handle, stored, handedOver, messages, objects, logger };
}

/** The event of API Gateway's REST API for a write. */
export const writeEvent = (body: string | Buffer, changes: WriteEvent = {}): WriteEvent => ({
  resource: '/api/v2/write',
  path: '/api/v2/write',
  httpMethod: 'POST',
  headers: { 'Content-Type': 'text/plain; charset=utf-8' },
  queryStringParameters: { org: 'o', bucket: 'b' },
  body: typeof body === 'string' ? body : body.toString('base64'),
  isBase64Encoded: typeof body !== 'string',
  requestContext: { stage: 'dev', requestId: 'request-1', requestTimeEpoch: REQUEST_TIME },
  ...changes,
});

/** The JSON of a response. */
export const errorIn = (response: HttpResponse | undefined): { code: string; message: string } =>
  JSON.parse(response?.body ?? '') as { code: string; message: string };
