/** The InfluxDB client of the configuration, and the advice for failed health checks. */
import { type ClientOptions, InfluxClient } from 'shared/influxdb/client';
import type { HealthAdvice } from 'shared/influxdb/health';
import { secretToken, staticToken } from 'shared/influxdb/token';
import type { InfluxDBSettings } from 'shared/influxdb-config';

export function influxClient(
  { target, token, gzipLevel }: InfluxDBSettings,
  options: Pick<ClientOptions, 'minGzipBytes'> = {},
): InfluxClient {
  const tokens =
    'value' in token
      ? staticToken(token.value)
      : secretToken(async (signal) => (await import('./secrets')).fetchSecret(token.secretName, signal));
  return new InfluxClient(target, tokens, { gzipLevel, ...options });
}

/** Advice that names the parameters of the stack. */
export const PARAMETER_ADVICE: HealthAdvice = {
  unreachable: 'check InfluxDBUrl, and that VpcSubnetIds and VpcSecurityGroupIds allow connections to it',
  unauthorized: 'the secret in InfluxDBTokenSecretName does not have a valid token of this InfluxDB',
  useEngine: (engine) => `set InfluxDBEngine to ${engine}`,
};
