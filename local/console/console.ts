/** The console's HTTP interface: its page, its API, and the metrics. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ConnectorConfig } from 'shared/config';
import { InvalidEventError, RequestTooLargeError } from 'shared/errors';
import { ApiError } from '../../functions/write-line-protocol/api-error';
import { parametersOf, readBody } from '../connector/incoming';
import { readRuns } from '../runs/runs';
import { asset } from './assets';
import type { DataReader } from './data';
import { assertAuthorized, assertOwnPage, assertToken, type Verify } from './guard';
import type { PrometheusMetrics } from './prometheus';
import type { Recorder } from './recorder';
import { queryRequest, tableRequest, tryRequest } from './requests';
import { type ConsoleResponse, contentResponse, errorResponse, jsonResponse } from './responses';
import type { SqlRunner } from './sql';
import { tryLines, UNCHECKED } from './try-lines';

export interface ConsoleServices {
  readonly config: ConnectorConfig;
  /** The host that the server listens on. */
  readonly host: string;
  /** Undefined if every request is authorized. */
  readonly verify: Verify | undefined;
  /** Where points are stored; the URLs of the embedded Timestream or of InfluxDB, and of InfluxDB if it is one of the destinations. */
  readonly place: {
    readonly destination: string;
    readonly url: string | null;
    readonly influxdbUrl: string | null;
  };
  readonly recorder: Recorder;
  readonly metrics: PrometheusMetrics;
  readonly sql: SqlRunner;
  readonly data: DataReader;
  /** The folder of the page's files. */
  readonly assets: string;
  /** The folder of the progress of loads and migrations. */
  readonly runs: string;
  readonly log: (line: string) => void;
}

interface ApiRequest {
  readonly parameters: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Aborts when the client has closed the connection. */
  readonly signal: AbortSignal;
}

/** Returns JSON. */
type Endpoint = (request: ApiRequest) => Promise<string>;

const API = '/console/api/';
/** Above the limit for lines, because their JSON is longer. */
const MAX_BODY = 8 * 1024 * 1024;

export interface ConsoleServer {
  /** Whether a path is the console's; other requests go to the write endpoint. */
  serves(path: string): boolean;
  respond(path: string, request: IncomingMessage, response: ServerResponse): Promise<void>;
}

export function createConsole(services: ConsoleServices): ConsoleServer {
  const endpoints = endpointsOf(services);
  return {
    serves: (path) => path === '/' || path === '/metrics' || path.startsWith('/console/'),
    respond: async (path, request, response) => {
      const { status, headers, body } = await responseTo(path, request, response, services, endpoints);
      response.writeHead(status, headers);
      response.end(request.method === 'HEAD' ? undefined : body);
    },
  };
}

async function responseTo(
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  services: ConsoleServices,
  endpoints: Readonly<Record<string, Endpoint>>,
): Promise<ConsoleResponse> {
  try {
    if (path.startsWith(API)) {
      assertOwnPage(request.headers, services.host);
      await assertAuthorized(request, services.verify);
      return jsonResponse(await findEndpoint(endpoints, path, request.method)(await apiRequest(request, response)));
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') throw notAllowed('GET');
    if (path !== '/metrics') return await asset(services.assets, path === '/' ? 'index.html' : path.slice(9));
    if (services.verify) await assertToken(request.headers, services.verify);
    return contentResponse(services.metrics.contentType, await services.metrics.text());
  } catch (error) {
    return errorResponse(explained(error, services.log));
  }
}

async function apiRequest(request: IncomingMessage, response: ServerResponse): Promise<ApiRequest> {
  const body = await readBody(request, MAX_BODY);
  if (body === undefined) throw new ApiError(413, 'request too large', `at most ${MAX_BODY} bytes are allowed`);
  const closed = new AbortController();
  response.once('close', () => closed.abort());
  return { parameters: parametersOf(request), body, signal: closed.signal };
}

function findEndpoint(endpoints: Readonly<Record<string, Endpoint>>, path: string, method = ''): Endpoint {
  const name = path.slice(API.length);
  const find = (each: string): Endpoint | undefined =>
    Object.hasOwn(endpoints, `${each} ${name}`) ? endpoints[`${each} ${name}`] : undefined;
  const endpoint = find(method);
  if (endpoint !== undefined) return endpoint;
  const allowed = ['GET', 'POST'].find((each) => find(each) !== undefined);
  throw allowed === undefined ? new ApiError(404, 'not found', 'the console has no such path') : notAllowed(allowed);
}

const notAllowed = (allowed: string): ApiError =>
  new ApiError(405, 'method not allowed', `allowed methods: ${allowed}`, { Allow: allowed });

/** The error for the page. Unexpected errors are logged, and shown without their text. */
function explained(error: unknown, log: (line: string) => void): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof InvalidEventError) return new ApiError(400, 'invalid', error.message);
  if (error instanceof RequestTooLargeError) return new ApiError(413, 'request too large', error.message);
  log(`console: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`);
  return new ApiError(500, 'internal error', 'an internal error has occurred: see the log of the server');
}

function endpointsOf({ config, recorder, sql, data, runs, place }: ConsoleServices): Record<string, Endpoint> {
  const started = new Date();
  return {
    'GET overview': async () => {
      const state = { started: started.toISOString(), uptimeMs: Date.now() - started.getTime(), ...place };
      return JSON.stringify({ ...state, ...recorder.summary(Date.now()), tables: await data.tables() });
    },
    'GET databases': async () => JSON.stringify({ ...place, ...(await data.databases()) }),
    'GET table': async ({ parameters, signal }) => {
      const { database, table } = tableRequest(parameters);
      return JSON.stringify(await data.table(database, table, signal));
    },
    'POST query': async ({ body, signal }) => await sql.run({ ...queryRequest(body), signal }),
    'GET writes': () => Promise.resolve(JSON.stringify({ writes: recorder.newestWrites().map(shownWrite) })),
    'POST try': ({ body }) => {
      const { lines, precision } = tryRequest(body);
      const tried = { lines: tryLines(lines, precision, Date.now(), config), unchecked: UNCHECKED[config.destination] };
      return Promise.resolve(JSON.stringify(tried));
    },
    'GET work': async () => JSON.stringify({ runs: await readRuns(runs, Date.now()) }),
  };
}

const shownWrite = ({ faultyLines, rejectedLines, ...write }: ReturnType<Recorder['newestWrites']>[number]) => ({
  ...write,
  refusedLines: faultyLines + rejectedLines,
});
