/** Where a token may write, and how API Gateway carries that from the authorizer to the function. */
import { InvalidEventError } from '../errors';

/** Names of buckets and organizations; without a list, every one is allowed. */
export interface TokenScope {
  readonly buckets?: readonly string[] | undefined;
  readonly orgs?: readonly string[] | undefined;
}

/** The authorizer's context: API Gateway takes texts, numbers and booleans in it, but no lists, which are JSON therefore. */
export function scopeContext({ buckets, orgs }: TokenScope): Record<string, string> {
  return {
    ...(buckets !== undefined && { buckets: JSON.stringify(buckets) }),
    ...(orgs !== undefined && { orgs: JSON.stringify(orgs) }),
  };
}

/**
 * The scope in an authorizer's context, as an event's `requestContext.authorizer` has it: flat from a REST API, under `lambda` from an
 * HTTP API. Without a context, everything is allowed.
 * @throws InvalidEventError for a context or list that cannot be read, which must not allow everything
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
