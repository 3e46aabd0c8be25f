/** The token of InfluxDB: from an option, from the environment, or from a secret. */
import type { Environment } from 'shared/environment';
import { UsageError } from './ending';

/** Sent if no token is given. A local connector needs none; InfluxDB refuses it with a clear error. */
const NO_TOKEN = 'none';

export interface TokenOptions {
  readonly token?: string;
  readonly tokenSecret?: string;
  /** The names of the two options; by default `--token` and `--token-secret`. */
  readonly names?: readonly [string, string];
}

/** An option wins over the environment. In the environment, a token wins over the name of a secret. */
export function withToken(
  given: Environment,
  { token, tokenSecret, names = ['--token', '--token-secret'] }: TokenOptions,
): { settings: Environment; hasToken: boolean } {
  const { INFLUXDB_TOKEN_SECRET_NAME: secret, INFLUXDB_TOKEN: value, ...others } = given;
  if (token !== undefined && tokenSecret !== undefined) throw new UsageError(`give ${names.join(' or ')}, not both`);
  if (tokenSecret !== undefined || (value === undefined && secret !== undefined)) {
    return { settings: { ...others, INFLUXDB_TOKEN_SECRET_NAME: secret }, hasToken: true };
  }
  return { settings: { ...others, INFLUXDB_TOKEN: value ?? NO_TOKEN }, hasToken: value !== undefined };
}
