/** Routes requests by path and method, as InfluxDB does. */

import { RequestTooLargeError } from 'shared/errors';
import { untilAborted } from 'shared/resilience/backoff';
import { preflight, withCors } from './cors';
import { pathNotFound } from './not-served';
import { checkScope } from './permission';
import { RejectedLinesFile, type RejectedLinesObject } from './rejected-lines';
import type { HttpRequest } from './request';
import {
  ApiError,
  badLines,
  failure,
  type HttpResponse,
  INFLUXDB_VERSION,
  json,
  noContent,
  notStored,
  tooLarge,
} from './responses';
import { type WriteServices, writeLines } from './write';

export interface RouteServices extends WriteServices {
  /** Rejects if Timestream cannot be reached with the function's credentials. */
  readonly checkTimestream: (signal: AbortSignal) => Promise<unknown>;
  /** Puts rejected lines into their bucket, and returns the address of the object. */
  readonly storeRejected: (object: RejectedLinesObject, signal: AbortSignal) => Promise<string>;
}

export type Route = (
  request: HttpRequest,
  services: RouteServices,
  signal: AbortSignal,
) => Promise<HttpResponse> | HttpResponse;

const HEALTH_TIMEOUT_MS = 2_000;
const started = new Date();

const writeNow: Route = async (request, services, signal) => {
  const rejected = services.config.rejectedLinesBucket === undefined ? undefined : new RejectedLinesFile(request);
  const { outcome, report } = await writeLines(request, services, signal, rejected?.add);
  // The client sends the whole request again. The same lines are then rejected again, and kept.
  if (outcome.unstored > 0) throw notStored(outcome);
  const object = rejected?.finish();
  const address = object && (await tryStoring(object, services, signal));
  if (report.faultyLines + report.rejectedLines > 0) throw badLines(report, outcome.stored, address);
  return noContent();
};

/** The address of the object; undefined if it could not be stored in time. The write itself has succeeded by then. */
async function tryStoring(
  object: RejectedLinesObject,
  { storeRejected, logger }: RouteServices,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return await untilAborted(storeRejected(object, signal), signal);
  } catch (error) {
    logger.error('the rejected lines could not be stored', { key: object.key, error });
    return undefined;
  }
}

const health: Route = async (_request, { checkTimestream, logger }, signal) => {
  const report = { name: 'influxdb', checks: [], version: INFLUXDB_VERSION, commit: 'timestream' };
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(HEALTH_TIMEOUT_MS)]);
    await untilAborted(checkTimestream(limit), limit);
    return json(200, { ...report, message: 'ready for writes', status: 'pass' });
  } catch (error) {
    logger.error('Timestream cannot be reached', { error });
    return json(503, { ...report, message: 'Timestream cannot be reached', status: 'fail' });
  }
};

const ready: Route = () =>
  json(200, { status: 'ready', started: started.toISOString(), up: `${Math.round(process.uptime())}s` });

/** By path and method; `ANY` stands for every method that is not listed. */
type Routes = Readonly<Record<string, Readonly<Record<string, Route>>>>;

const ANY = 'ANY';

/** Wraps a write route so that it serves only writes that the scope of the token allows. */
const allowed =
  (write: Route): Route =>
  (request, ...rest) => {
    checkScope(request);
    return write(request, ...rest);
  };

/** The response to OPTIONS for a path outside /api/v2, as in InfluxDB. */
const methods =
  (allow: string): Route =>
  () => ({ ...noContent(), statusCode: 200, headers: { ...noContent().headers, Allow: allow } });

/** Methods and statuses as in InfluxDB 2.7.12, which serves /health and /ready for every method. */
const routes = (write: Route): Routes => ({
  '/api/v2/write': { POST: write },
  '/write': { POST: write, OPTIONS: methods('OPTIONS, POST') },
  '/ping': { GET: noContent, HEAD: noContent, OPTIONS: methods('GET, HEAD, OPTIONS') },
  '/health': { [ANY]: health },
  '/ready': { [ANY]: ready },
});

/**
 * Responds to requests. Every failure becomes a response that discloses no internals.
 * @param write responds to writes; asynchronous mode passes its own
 */
export function createRouter(
  services: RouteServices,
  write: Route = writeNow,
): (request: HttpRequest, signal: AbortSignal) => Promise<HttpResponse> {
  const table = routes(allowed(write));
  const { corsAllowedOrigins } = services.config;
  const respond = async (request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> => {
    try {
      return preflight(request, corsAllowedOrigins) ?? (await findRoute(table, request)(request, services, signal));
    } catch (error) {
      if (error instanceof ApiError) return failure(error);
      if (error instanceof RequestTooLargeError) return failure(tooLarge(error.message));
      services.logger.error('unexpected failure', { error });
      return failure(new ApiError(500, 'internal error', 'an internal error has occurred'));
    }
  };
  return async (request, signal) =>
    withCors(await respond(request, signal), request.headers.get('origin'), corsAllowedOrigins);
}

/** @throws ApiError 404 for an unknown path, 405 for a method that the path does not have */
function findRoute(table: Routes, { method, path }: HttpRequest): Route {
  const methods = Object.hasOwn(table, path) ? table[path] : undefined;
  if (methods === undefined) throw pathNotFound(path);
  const route = Object.hasOwn(methods, method) ? methods[method] : methods[ANY];
  if (route !== undefined) return route;
  const allow = Object.keys(methods).join(', ');
  throw new ApiError(405, 'method not allowed', `allowed methods: ${allow}`, { Allow: allow });
}
