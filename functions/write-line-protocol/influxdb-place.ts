/** Decides in which organization and bucket of InfluxDB the points of a request are stored. */
import type { InfluxDBDestination, NameMapping } from 'shared/destination-config';
import type { Target } from 'shared/influxdb/protocol';
import { ApiError } from './api-error';
import type { HttpRequest } from './request';

/**
 * A v1 request names a database and a retention policy: `db` and `rp` are the bucket `db/rp`, and `db` alone is the bucket `db`, as in
 * InfluxDB 2. It has no organization, so that of the configuration applies.
 * @throws ApiError if a request does not name what is mapped, or names what is not listed; status and text are those of InfluxDB
 */
export function placeOf(
  { path, query }: Pick<HttpRequest, 'path' | 'query'>,
  { target, buckets, orgs }: InfluxDBDestination,
): Pick<Target, 'org' | 'bucket'> {
  const { org, bucket } = namesOf({ path, query });
  if (path === '/write') {
    const missing = new ApiError(400, 'invalid', 'missing db');
    const notListed = `no dbrp mapping found: BucketMapping does not list "${bucket}"`;
    return { org: target.org, bucket: mapped(bucket, buckets, target.bucket, missing, notListed) };
  }
  const noOrg = new ApiError(400, 'invalid', 'Please provide either orgID or org');
  const noBucket = new ApiError(404, 'not found', 'bucket not found');
  return {
    org: mapped(org, orgs, target.org, noOrg, `organization name "${org}" not found`),
    bucket: mapped(bucket, buckets, target.bucket, noBucket, `bucket "${bucket}" not found`),
  };
}

/** The names in a request; empty without one. A v1 request has no organization. */
export function namesOf({ path, query }: Pick<HttpRequest, 'path' | 'query'>): Pick<Target, 'org' | 'bucket'> {
  if (path === '/write') return { org: '', bucket: databaseOf(query) };
  return { org: query.get('org') || query.get('orgID') || '', bucket: query.get('bucket') ?? '' };
}

/** The name of the bucket in a v1 request; empty without `db`. */
export function databaseOf(query: ReadonlyMap<string, string>): string {
  const [database, policy] = [query.get('db') ?? '', query.get('rp') ?? ''];
  return database === '' || policy === '' || policy === 'autogen' ? database : `${database}/${policy}`;
}

function mapped(name: string, mapping: NameMapping, configured: string, missing: ApiError, notFound: string): string {
  if (mapping.kind === 'configured') return configured;
  if (name === '') throw missing;
  if (mapping.kind === 'passthrough') return name;
  const listed = mapping.names.get(name);
  if (listed === undefined) throw new ApiError(404, 'not found', notFound);
  return listed;
}
