/** Routes requests by path and method, as InfluxDB does. */

import { RequestTooLargeError } from 'shared/errors';
import { untilAborted } from 'shared/resilience/backoff';
import { ApiError } from './api-error';
import { preflight, withCors } from './cors';
import { UnwritableError } from './destination';
import { type DestinationUrls, pathNotFound } from './not-served';
import { checkScope } from './permission';
import { RejectedLinesFile, type RejectedLinesObject } from './rejected-lines';
import type { HttpRequest } from './request';
import {
  badLines,
  failure,
  type HttpResponse,
  INFLUXDB_VERSION,
  json,
  noContent,
  notStored,
  TITLES,
  tooLarge,
} from './responses';
import { type Deadline, type WriteServices, writeLines } from './write';

export interface RouteServices extends WriteServices {
  /** Puts rejected lines into their bucket, and returns the address of the object. */
  readonly storeRejected: (object: RejectedLinesObject, signal: AbortSignal) => Promise<string>;
  /** URLs that messages may name; a deployed function names none. */
  readonly destinationUrls?: DestinationUrls;
}

export type Route = (
  request: HttpRequest,
  services: RouteServices,
  deadline: Deadline,
) => Promise<HttpResponse> | HttpResponse;

const HEALTH_TIMEOUT_MS = 2_000;
const started = new Date();

const writeNow: Route = async (request, services, deadline) => {
  const file = services.config.rejectedLinesBucket === undefined ? undefined : new RejectedLinesFile(request);
  const result = await writeLines(request, services, deadline, file?.add);
  // The client sends the whole request again. The same lines are then rejected again, and kept.
  if (result.results.some(({ unstored }) => unstored > 0)) throw notStored(result.results);
  const object = file?.finish();
  const address = object && (await tryStoring(object, services, deadline.signal));
  if (result.faultyLines + result.rejectedLines > 0) throw badLines(result, address);
  return noContent(result.influxdbOnlyLines);
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

const health: Route = async (_request, { destinations, logger }, { signal }) => {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(HEALTH_TIMEOUT_MS)]);
  const checks = await Promise.all(
    destinations.map(async ({ name, check }) => {
      try {
        await untilAborted(check(limit), limit);
        return { name, status: 'pass', message: 'ready for writes' };
      } catch (error) {
        const message = error instanceof UnwritableError ? error.message : `${TITLES[name]} cannot be reached`;
        logger.error(message, { error });
        return { name, status: 'fail', message };
      }
    }),
  );
  const failed = checks.filter(({ status }) => status === 'fail');
  const message = failed.length === 0 ? 'ready for writes' : failed.map((each) => each.message).join('; ');
  const status = failed.length === 0 ? 'pass' : 'fail';
  return json(failed.length === 0 ? 200 : 503, {
    name: 'influxdb',
    message,
    status,
    checks,
    version: INFLUXDB_VERSION,
    commit: 'timestream',
  });
};

const ping: Route = () => noContent();

const ready: Route = () =>
  json(200, { status: 'ready', started: started.toISOString(), up: `${Math.round(process.uptime())}s` });

/** By path and method; `ANY` stands for every method that is not listed. */
type Routes = Readonly<Record<string, Readonly<Record<string, Route>>>>;

const ANY = 'ANY';

/** Wraps a write route so that it serves only writes that the scope of the token allows. */
const allowed =
  (write: Route): Route =>
  (request, services, deadline) => {
    checkScope(request, services.config.influxdb);
    return write(request, services, deadline);
  };

/** The response to OPTIONS for a path outside /api/v2, as in InfluxDB. */
const methods =
  (allow: string): Route =>
  () => ({ ...noContent(), statusCode: 200, headers: { ...noContent().headers, Allow: allow } });

/** Methods and statuses as in InfluxDB 2.7.12, which serves /health and /ready for every method. */
const routes = (write: Route): Routes => ({
  '/api/v2/write': { POST: write },
  '/write': { POST: write, OPTIONS: methods('OPTIONS, POST') },
  '/ping': { GET: ping, HEAD: ping, OPTIONS: methods('GET, HEAD, OPTIONS') },
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
): (request: HttpRequest, deadline: Deadline) => Promise<HttpResponse> {
  const table = routes(allowed(write));
  const { corsAllowedOrigins } = services.config;
  const respond = async (request: HttpRequest, deadline: Deadline): Promise<HttpResponse> => {
    try {
      return (
        preflight(request, corsAllowedOrigins) ??
        (await findRoute(table, request, services)(request, services, deadline))
      );
    } catch (error) {
      if (error instanceof ApiError) return failure(error);
      if (error instanceof RequestTooLargeError) return failure(tooLarge(error.message));
      services.logger.error('unexpected failure', { error });
      return failure(new ApiError(500, 'internal error', 'an internal error has occurred'));
    }
  };
  return async (request, deadline) =>
    withCors(await respond(request, deadline), request.headers.get('origin'), corsAllowedOrigins);
}

/** @throws ApiError 404 for an unknown path, 405 for a method that the path does not have */
function findRoute(
  table: Routes,
  { method, path }: HttpRequest,
  { config, destinationUrls }: Pick<RouteServices, 'config' | 'destinationUrls'>,
): Route {
  const methods = Object.hasOwn(table, path) ? table[path] : undefined;
  if (methods === undefined) throw pathNotFound(path, config.destination, destinationUrls);
  const route = Object.hasOwn(methods, method) ? methods[method] : methods[ANY];
  if (route !== undefined) return route;
  const allow = Object.keys(methods).join(', ');
  throw new ApiError(405, 'method not allowed', `allowed methods: ${allow}`, { Allow: allow });
}
