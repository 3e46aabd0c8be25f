/** The InfluxDB of the configuration, with its token. */
import { InfluxClient } from 'shared/influxdb/client';
import { secretToken, staticToken } from 'shared/influxdb/token';
import type { LoaderConfig } from 'shared/loader-config';

export function influxClient({ target, token, gzipLevel }: Pick<LoaderConfig, 'target' | 'token' | 'gzipLevel'>) {
  const tokens =
    'value' in token
      ? staticToken(token.value)
      : secretToken(async (signal) => (await import('./secrets')).fetchSecret(token.secretName, signal));
  return new InfluxClient(target, tokens, { gzipLevel });
}
