/** Checks that the scope of a token allows the bucket and organization of a request. */

import { ApiError } from './api-error';
import type { HttpRequest } from './request';

/**
 * A v1 request names its bucket as `db`. It cannot name an organization, so the one of the token applies.
 * @throws ApiError 403 if the scope limits the names, and the request names another one or does not name any
 */
export function checkScope({ path, query, scope }: HttpRequest): void {
  const v1 = path === '/write';
  check(v1 ? 'db' : 'bucket', query, scope.buckets);
  if (!v1) check('org', query, scope.orgs);
}

function check(parameter: string, query: ReadonlyMap<string, string>, allowed: readonly string[] | undefined): void {
  const name = query.get(parameter);
  if (allowed === undefined || (name !== undefined && allowed.includes(name))) return;
  const what = name === undefined ? `a request without ${parameter}` : `${parameter} '${name}'`;
  throw new ApiError(403, 'forbidden', `insufficient permissions for write: the token does not allow ${what}`);
}
