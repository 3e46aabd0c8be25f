/** The settings of traces: read from the environment at cold start, and the trace of each invocation. */
import { type Environment, EnvironmentReader } from './environment';

export interface TracingConfig {
  /** The X-Ray daemon of Lambda, which receives subsegments by UDP. */
  readonly daemon: { readonly host: string; readonly port: number };
  /** The trace header of the current invocation. */
  readonly header: () => string | undefined;
}

/**
 * Undefined without tracing. Lambda sets the daemon's address and, for each invocation, the trace header.
 * @throws ConfigurationError that lists every problem
 */
export function loadTracingConfig(environment: Environment = process.env): TracingConfig | undefined {
  if (environment.ENABLE_TRACING !== 'true') return undefined;
  const env = new EnvironmentReader(environment);
  const name = 'AWS_XRAY_DAEMON_ADDRESS';
  // Source: "Using the X-Ray daemon" in the AWS X-Ray developer guide. The long form has an address for each protocol.
  const address = env.text(name, '127.0.0.1:2000');
  const [, host = '', port = ''] = /^(?:.*\budp:)?([\w.-]+):(\d{1,5})(?:\s.*)?$/.exec(address) ?? [];
  if (host === '') env.problem(name, `must be host:port, not '${address}'`);
  env.check();
  return { daemon: { host, port: Number(port) }, header: () => environment._X_AMZN_TRACE_ID };
}
