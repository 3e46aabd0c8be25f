/** Provides the token of InfluxDB, from the configuration or from a secret. */
import { ConfigurationError, InfluxDBConnectionError } from '../errors';
import { withinLimit } from '../resilience/time-limit';
import type { FetchSecret } from '../secrets';

export interface TokenProvider {
  get(): Promise<string>;
  /** A new token in place of the one that InfluxDB rejected; undefined if there is no other. */
  renew(rejected: string): Promise<string | undefined>;
}

/** A token from the configuration, which cannot be renewed. */
export function staticToken(token: string): TokenProvider {
  return { get: () => Promise.resolve(token), renew: () => Promise.resolve(undefined) };
}

/** In a private network without an endpoint for Secrets Manager the call hangs. */
const FETCH_LIMIT_MS = 2000;

/**
 * A token from a secret. The secret is read at the first use and kept. When InfluxDB rejects the token, the secret is read again, because
 * the token may have been rotated. Concurrent calls share one read.
 * @throws (from `get` and `renew`) InfluxDBConnectionError if the secret cannot be read, ConfigurationError if it has no token
 */
export function secretToken(fetchSecret: FetchSecret, limitMs = FETCH_LIMIT_MS): TokenProvider {
  let current: Promise<string> | undefined;
  let fetching: Promise<string> | undefined;
  const fetchAgain = (): Promise<string> => {
    fetching ??= readToken(fetchSecret, limitMs)
      .then((token) => {
        current = Promise.resolve(token);
        return token;
      })
      .finally(() => {
        fetching = undefined;
      });
    return fetching;
  };
  return {
    get: () => current ?? fetchAgain(),
    async renew(rejected) {
      const known = await current;
      const token = known !== undefined && known !== rejected ? known : await fetchAgain();
      return token === rejected ? undefined : token;
    },
  };
}

async function readToken(fetchSecret: FetchSecret, limitMs: number): Promise<string> {
  const text = await withinLimit(limitMs, fetchSecret).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InfluxDBConnectionError(`cannot read the secret of the InfluxDB token: ${reason}`, { cause });
  });
  return tokenIn(text);
}

/** The token in the text of a secret: the member `token` of a JSON object, or the whole text if it is not a JSON object. */
export function tokenIn(secret: string): string {
  const text = secret.trim();
  const token = text.startsWith('{') ? jsonToken(text) : text;
  if (typeof token === 'string' && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new ConfigurationError([
    'the secret of the InfluxDB token must be the token itself, or JSON with a string `token` (the secret that Timestream for ' +
      'InfluxDB creates for an InfluxDB 2 instance has a password and no token)',
  ]);
}

function jsonToken(text: string): unknown {
  try {
    return (JSON.parse(text) as { token?: unknown }).token;
  } catch {
    return undefined;
  }
}
