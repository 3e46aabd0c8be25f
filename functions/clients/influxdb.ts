/** The InfluxDB client of the configuration, and the advice for failed health checks. */
import { type EncodedLines, InfluxClient } from 'shared/influxdb/client';
import type { HealthAdvice } from 'shared/influxdb/health';
import { secretToken, staticToken } from 'shared/influxdb/token';
import type { LoaderConfig } from 'shared/loader-config';
import { tracer } from '../tracer';

export function influxClient({ target, token, gzipLevel }: Pick<LoaderConfig, 'target' | 'token' | 'gzipLevel'>) {
  const tokens =
    'value' in token
      ? staticToken(token.value)
      : secretToken(async (signal) => (await import('./secrets')).fetchSecret(token.secretName, signal));
  return new TracedInfluxClient(target, tokens, { gzipLevel });
}

class TracedInfluxClient extends InfluxClient {
  override write(encoded: EncodedLines, signal?: AbortSignal) {
    return tracer.trace('InfluxDB write', () => super.write(encoded, signal));
  }
}

/** Advice that names the parameters of the stack. */
export const PARAMETER_ADVICE: HealthAdvice = {
  unreachable: 'check InfluxDBUrl, and that VpcSubnetIds and VpcSecurityGroupIds allow connections to it',
  unauthorized: 'the secret in InfluxDBTokenSecretName does not have a valid token of this InfluxDB',
  useEngine: (engine) => `set InfluxDBEngine to ${engine}`,
};
