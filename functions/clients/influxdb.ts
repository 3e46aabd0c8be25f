/** The InfluxDB of the configuration, with its token; and what to do about one that cannot be written to. */
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

/** By the parameters of the stack. */
export const PARAMETER_ADVICE: HealthAdvice = {
  unreachable: 'check InfluxDBUrl, and that VpcSubnetIds and VpcSecurityGroupIds lead there',
  unauthorized: 'the secret that InfluxDBTokenSecretName names holds no token of this InfluxDB',
  useEngine: (engine) => `set InfluxDBEngine to ${engine}`,
};
