/** The settings of the InfluxDB that points are written to, which the loader and the write function share. */
import type { EnvironmentReader } from './environment';
import type { Engine, Target } from './influxdb/protocol';

export interface InfluxDBSettings {
  readonly target: Target;
  /** The token, or the name of the secret with the token. */
  readonly token: { readonly value: string } | { readonly secretName: string };
  /** The compression level of zlib, 1 to 9; 0 sends plain text. */
  readonly gzipLevel: number;
}

/** Reads the settings, and records their problems. */
export function readInfluxDB(env: EnvironmentReader): InfluxDBSettings {
  return {
    target: {
      engine: env.oneOf<Engine>('INFLUXDB_ENGINE', ['v2', 'v3'], 'v2'),
      url: influxUrl(env),
      org: env.text('INFLUXDB_ORG', 'ons-energy'),
      bucket: env.text('INFLUXDB_BUCKET', 'energy_data'),
    },
    token: token(env),
    gzipLevel: env.integer('GZIP_LEVEL', 1, { min: 0, max: 9 }),
  };
}

function influxUrl(env: EnvironmentReader): string {
  const name = 'INFLUXDB_URL';
  const url = env.required(name);
  if (url === '') return url;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!/^https?:$/.test(parsed?.protocol ?? '')) {
    // The part before an @ may be a password, so the URL is not shown.
    const given = url.includes('@') ? '' : `, not '${url}'`;
    env.problem(name, `must be a URL with http or https, and its port${given}`);
  } else if (parsed?.username || parsed?.password)
    env.problem(name, 'must not contain credentials: set INFLUXDB_TOKEN');
  // Paths are appended to the URL, so they would become part of its query or fragment.
  else if (/[?#]/.test(url))
    env.problem(name, 'must end before the ? or #: set INFLUXDB_ORG and INFLUXDB_BUCKET instead of a query');
  return url.replace(/\/+$/, '');
}

function token(env: EnvironmentReader): InfluxDBSettings['token'] {
  const value = env.optional('INFLUXDB_TOKEN');
  const secretName = env.optional('INFLUXDB_TOKEN_SECRET_NAME');
  if ((value === undefined) === (secretName === undefined)) {
    env.problem('INFLUXDB_TOKEN or INFLUXDB_TOKEN_SECRET_NAME', 'must be set (exactly one of them)');
  } else if (value !== undefined && !/^[\x21-\x7e]+$/.test(value)) {
    env.problem(
      'INFLUXDB_TOKEN',
      'has characters that are not valid in a token: only printable ASCII without spaces is',
    );
  }
  return secretName === undefined ? { value: value ?? '' } : { secretName };
}
