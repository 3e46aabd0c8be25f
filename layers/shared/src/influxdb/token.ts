/** The token that InfluxDB asks for, from the configuration or from a secret. */
import { ConfigurationError, InfluxDBConnectionError } from '../errors';
import { withinLimit } from '../resilience/time-limit';
import type { FetchSecret } from '../secrets';

export interface TokenProvider {
  /** The token. */
  get(): Promise<string>;
  /** Another token than the one that InfluxDB refused, or undefined where there is none. */
  renew(refused: string): Promise<string | undefined>;
}

/** A token that is known and stays. */
export function staticToken(token: string): TokenProvider {
  return { get: () => Promise.resolve(token), renew: () => Promise.resolve(undefined) };
}

/** In a private network without an endpoint for Secrets Manager the call hangs. */
const FETCH_LIMIT_MS = 2000;

/**
 * A token out of a secret, which is fetched at the first use, kept, and fetched anew when InfluxDB refuses the token, so that a
 * rotated one is found; calls at the same time share one fetch.
 * @throws (from `get` and `renew`) InfluxDBConnectionError when the secret cannot be read, ConfigurationError when it holds no token
 */
export function secretToken(fetchSecret: FetchSecret, limitMs = FETCH_LIMIT_MS): TokenProvider {
  let current: Promise<string> | undefined;
  let fetching: Promise<string> | undefined;
  const fetchAnew = (): Promise<string> => {
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
    get: () => current ?? fetchAnew(),
    async renew(refused) {
      const held = await current;
      const token = held !== undefined && held !== refused ? held : await fetchAnew();
      return token === refused ? undefined : token;
    },
  };
}

async function readToken(fetchSecret: FetchSecret, limitMs: number): Promise<string> {
  const text = await withinLimit(limitMs, fetchSecret).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InfluxDBConnectionError(`cannot read the secret that holds the InfluxDB token: ${reason}`, { cause });
  });
  return tokenIn(text);
}

/** The token in a secret's text: a JSON object's `token`, or all of the text where it is no JSON object. */
export function tokenIn(secret: string): string {
  const text = secret.trim();
  const token = text.startsWith('{') ? jsonToken(text) : text;
  if (typeof token === 'string' && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new ConfigurationError([
    'the secret of the InfluxDB token must be the token itself, or JSON with a text `token` (the secret that Timestream for ' +
      'InfluxDB makes for an InfluxDB 2 instance holds a password and no token)',
  ]);
}

function jsonToken(text: string): unknown {
  try {
    return (JSON.parse(text) as { token?: unknown }).token;
  } catch {
    return undefined;
  }
}
