/** Whether a request may write where it says, by the scope of its token. */
import type { HttpRequest } from './request';
import { ApiError } from './responses';

/**
 * A v1 request names its bucket as `db`; it names no organization, and so acts in the token's own.
 * @throws ApiError 403 where the scope has a list that lacks the name, or the request names nothing
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
