/** Checks that the scope of a token allows the bucket and organization of a request. */

import type { InfluxDBDestination } from 'shared/destination-config';
import { ApiError } from './api-error';
import { databaseOf } from './influxdb-place';
import type { HttpRequest } from './request';

/**
 * A v1 request names its bucket as `db`, or as `db/rp` where InfluxDB gets the name of the request. It cannot name an organization: that of
 * the token applies, or where InfluxDB gets the names of requests, the configured one, which the token must then allow.
 * @param influxdb undefined if the points are stored in Timestream only
 * @throws ApiError 403 if the scope limits the names, and the request names another one or does not name any
 */
export function checkScope({ path, query, scope }: HttpRequest, influxdb: InfluxDBDestination | undefined): void {
  if (path !== '/write') {
    check('bucket', query.get('bucket'), scope.buckets);
    check('org', query.get('org'), scope.orgs);
    return;
  }
  const namesBucket = influxdb !== undefined && influxdb.buckets.kind !== 'configured';
  check('db', namesBucket && query.has('db') ? databaseOf(query) : query.get('db'), scope.buckets);
  if (influxdb === undefined || influxdb.orgs.kind === 'configured') return;
  const { orgs, target } = influxdb;
  const stored = (name: string): string | undefined => (orgs.kind === 'listed' ? orgs.names.get(name) : name);
  if (scope.orgs?.some((name) => stored(name) === target.org) === false) throw forbidden('a v1 request');
}

function check(parameter: string, name: string | undefined, allowed: readonly string[] | undefined): void {
  if (allowed === undefined || (name !== undefined && allowed.includes(name))) return;
  throw forbidden(name === undefined ? `a request without ${parameter}` : `${parameter} '${name}'`);
}

const forbidden = (what: string): ApiError =>
  new ApiError(403, 'forbidden', `insufficient permissions for write: the token does not allow ${what}`);
