/** The buckets and organizations of a token, and how API Gateway passes them from the authorizer to the function. */
import { InvalidEventError } from '../errors';

/** Names of the allowed buckets and organizations; undefined allows all. */
export interface TokenScope {
  readonly buckets?: readonly string[] | undefined;
  readonly orgs?: readonly string[] | undefined;
}

/** The context of the authorizer. API Gateway accepts strings, numbers and booleans in it but no lists, so the lists are JSON. */
export function scopeContext({ buckets, orgs }: TokenScope): Record<string, string> {
  return {
    ...(buckets !== undefined && { buckets: JSON.stringify(buckets) }),
    ...(orgs !== undefined && { orgs: JSON.stringify(orgs) }),
  };
}

/**
 * Reads the scope from `requestContext.authorizer` of an event: flat for a REST API, under `lambda` for an HTTP API. Without a
 * context, all buckets and organizations are allowed.
 * @throws InvalidEventError for an invalid context or list, which must not allow everything
 */
export function scopeOf(authorizer: unknown): TokenScope {
  const { lambda, ...flat } = fields(authorizer, 'requestContext.authorizer');
  const context = lambda === undefined ? flat : fields(lambda, 'requestContext.authorizer.lambda');
  return { buckets: names(context.buckets, 'buckets'), orgs: names(context.orgs, 'orgs') };
}

function fields(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  throw new InvalidEventError(`${name} of the event must be an object`);
}

function names(value: unknown, field: string): string[] | undefined {
  if (value === undefined) return undefined;
  const list = parsed(value);
  if (Array.isArray(list) && list.every((name) => typeof name === 'string')) return list;
  throw new InvalidEventError(`requestContext.authorizer.${field} of the event must be a JSON list of names`);
}

function parsed(value: unknown): unknown {
  try {
    return JSON.parse(String(value));
  } catch {
    return undefined;
  }
}
