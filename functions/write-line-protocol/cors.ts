/**
 * Cross-origin requests, as InfluxDB 2.7 allows them: the headers of each response, and the response to a preflight request, which
 * needs no authorization.
 */

import { ApiError } from './api-error';
import type { HttpRequest } from './request';
import { type HttpResponse, noContent } from './responses';

/** Origins whose pages may send requests; `*` stands for every origin. */
export type AllowedOrigins = readonly string[];

// The values of InfluxDB 2.7.12.
const METHODS = 'POST, GET, OPTIONS, PUT, DELETE, PATCH';
const HEADERS = ['Accept', 'Content-Type', 'Content-Length', 'Accept-Encoding', 'Authorization', 'User-Agent'];
/** Allowed if a preflight request names them: they serve compressed bodies and signed requests. */
const HEADERS_ON_REQUEST = ['Content-Encoding', 'X-Amz-Content-Sha256', 'X-Amz-Date', 'X-Amz-Security-Token'];

/** Whether a browser asks for permission before it sends a page's request; `origin` is the request's header. */
export const isPreflight = (method: string, origin: string | undefined): boolean => method === 'OPTIONS' && !!origin;

/**
 * The response to a preflight request; undefined for every other request, and if no origin is allowed.
 * @throws ApiError 403 for an origin that is not allowed
 */
export function preflight(
  { method, headers }: Pick<HttpRequest, 'method' | 'headers'>,
  allowed: AllowedOrigins,
): HttpResponse | undefined {
  const origin = headers.get('origin');
  if (allowed.length === 0 || !isPreflight(method, origin)) return undefined;
  if (!isAllowed(origin, allowed)) throw new ApiError(403, 'forbidden', 'the origin is not in CorsAllowedOrigins');
  const requested = (headers.get('access-control-request-headers') ?? '').toLowerCase().split(/\s*,\s*/);
  const more = HEADERS_ON_REQUEST.filter((name) => requested.includes(name.toLowerCase()));
  return withHeaders(noContent(), {
    'Access-Control-Allow-Headers': [...HEADERS, ...more].join(', '),
    'Access-Control-Allow-Methods': METHODS,
  });
}

/** Adds the headers that let a page read the response; `origin` is the request's header. */
export function withCors(response: HttpResponse, origin: string | undefined, allowed: AllowedOrigins): HttpResponse {
  if (allowed.length === 0) return response;
  return withHeaders(response, {
    Vary: 'Origin',
    ...(isAllowed(origin, allowed) && { 'Access-Control-Allow-Origin': origin }),
  });
}

const isAllowed = (origin: string | undefined, allowed: AllowedOrigins): origin is string =>
  !!origin && (allowed.includes('*') || allowed.includes(origin));

const withHeaders = (response: HttpResponse, headers: Readonly<Record<string, string>>): HttpResponse => ({
  ...response,
  headers: { ...response.headers, ...headers },
});
