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
 * The scope in an authorizer's context, as an event's `requestContext.authorizer` has it; without a context, everything is allowed.
 * @throws InvalidEventError for a list that cannot be read, which must not allow everything
 */
export function scopeOf(context: Readonly<Record<string, unknown>> | null | undefined): TokenScope {
  return { buckets: names(context?.buckets, 'buckets'), orgs: names(context?.orgs, 'orgs') };
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
