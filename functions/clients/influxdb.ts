/** The client of the configured InfluxDB, and the advice to show when InfluxDB cannot be written to. */
import { InfluxClient } from 'shared/influxdb/client';
import type { HealthAdvice } from 'shared/influxdb/health';
import { secretToken, staticToken } from 'shared/influxdb/token';
import type { LoaderConfig } from 'shared/loader-config';

export function influxClient({ target, token, gzipLevel }: Pick<LoaderConfig, 'target' | 'token' | 'gzipLevel'>) {
  const tokens =
    'value' in token
      ? staticToken(token.value)
      : secretToken(async (signal) => (await import('./secrets')).fetchSecret(token.secretName, signal));
  return new InfluxClient(target, tokens, { gzipLevel });
}

/** Names the parameters of the stack. */
export const PARAMETER_ADVICE: HealthAdvice = {
  unreachable: 'check InfluxDBUrl, and that InfluxDB can be reached with VpcSubnetIds and VpcSecurityGroupIds',
  unauthorized: 'the secret named by InfluxDBTokenSecretName does not contain a valid token for this InfluxDB',
  useEngine: (engine) => `set InfluxDBEngine to ${engine}`,
};
