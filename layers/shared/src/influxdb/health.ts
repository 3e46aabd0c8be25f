/** Whether an InfluxDB can be loaded into: it is up, and the token may write to the bucket; found without storing a thing. */
import { InfluxDBConnectionError, InfluxDBWriteError } from '../errors';
import { type Clock, systemClock } from '../resilience/clock';
import type { InfluxClient } from './client';
import { schemeError, speaksTls } from './connection-failures';
import { fluxString } from './flux';
import { httpOutcome, messageOf, type WriteOutcome } from './outcome';
import { type Engine, PROTOCOLS, type Target } from './protocol';
import { engineOf, versionOf } from './server-version';
import type { Exchange, RequestOptions } from './transport';

export interface HealthCheck {
  /** `alive`: it answers; `write`: the bucket is there and the token may write to it; `read`: the token may read from it. */
  readonly name: 'alive' | 'write' | 'read';
  readonly status: 'pass' | 'fail';
  readonly detail: string;
  readonly latencyMs: number;
}

/** JSON throughout, as the functions answer with it. `read` does not count for `healthy`; what an absent InfluxDB cannot answer is not listed. */
export interface HealthReport {
  readonly healthy: boolean;
  /** Whether the same check may pass later without anybody changing a thing. */
  readonly retryable: boolean;
  readonly engine: Engine;
  readonly version: string | null;
  readonly latencyMs: number;
  readonly checks: readonly HealthCheck[];
}

/** What to do about a failed check, by the names that the settings have where it runs: options, or parameters of the stack. */
export interface HealthAdvice {
  /** Nobody answers. */
  readonly unreachable: string;
  /** The token is refused (401). */
  readonly unauthorized: string;
  /** The server is of the other engine. */
  readonly useEngine: (engine: Engine) => string;
}

/** Time for all checks together, ms. */
const LIMIT_MS = 5000;
const ALIVE_PATHS: Readonly<Record<Engine, readonly [string, string]>> = {
  v2: ['/health', '/ping'],
  v3: ['/ping', '/health'],
};

/**
 * Checks InfluxDB within 5 s (and 2 s for the token's secret): `/health` or `/ping`, an empty write, a tiny query.
 * @throws InfluxDBConnectionError or ConfigurationError when there is no token to send
 */
export async function checkHealth(
  client: InfluxClient,
  advice: HealthAdvice,
  clock: Clock = systemClock,
): Promise<HealthReport> {
  await client.tokens.get();
  const { target } = client;
  const start = clock.now();
  const elapsed = (): number => Math.round(clock.now() - start);
  const left = (): number => Math.max(1, LIMIT_MS - elapsed());
  const send: Send = (request) => client.send({ ...request, timeoutMs: left() });

  const { response, version } = await requestAlive(send, target.engine);
  const isOtherScheme = mayBeTls(target, response) && (await speaksTls(target.url, left()));
  const aliveMs = elapsed();
  const isUp = response.kind === 'response' && response.status < 500 && !isOtherScheme;
  const aliveCheck = checkResult(
    'alive',
    isUp,
    isOtherScheme ? schemeError(target.url) : aliveDetail(response, advice),
    aliveMs,
  );
  const report = { engine: target.engine, version };
  if (!isUp) {
    const retryable = !isOtherScheme && !(response.kind === 'no-response' && response.isPermanent);
    return { healthy: false, retryable, ...report, latencyMs: aliveMs, checks: [aliveCheck] };
  }

  const engine = engineOf(version);
  if (engine !== undefined && engine !== target.engine) {
    const detail = `this is InfluxDB ${version?.replace(/^v/, '')}: ${advice.useEngine(engine)}`;
    const checks = [aliveCheck, checkResult('write', false, detail, 0)];
    return { healthy: false, retryable: false, ...report, latencyMs: aliveMs, checks };
  }

  const written = await send(emptyWrite(target));
  const outcome = emptyWriteOutcome(target.engine, written);
  const writeMs = elapsed() - aliveMs;
  const healthy = outcome.kind === 'written';
  const writeCheck = checkResult('write', healthy, writeDetail(written, outcome, advice), writeMs);

  const read = await send(queryRequest(target));
  const mayRead = read.kind === 'response' && read.status < 300;
  const readCheck = checkResult('read', mayRead, exchangeText(read), elapsed() - aliveMs - writeMs);
  const retryable = outcome.kind === 'retryable';
  return { healthy, retryable, ...report, latencyMs: elapsed(), checks: [aliveCheck, writeCheck, readCheck] };
}

/**
 * Turns a failed check into the error that the workflow acts on.
 * @throws InfluxDBConnectionError where a later check may pass, InfluxDBWriteError where bucket, token or address are wrong
 */
export function assertHealthy(report: HealthReport): void {
  if (report.healthy) return;
  const reason =
    report.checks.find(({ name, status }) => name !== 'read' && status === 'fail')?.detail ?? 'no check passed';
  const message = `InfluxDB cannot be written to: ${reason}`;
  throw report.retryable ? new InfluxDBConnectionError(message) : new InfluxDBWriteError(message);
}

function checkResult(name: HealthCheck['name'], passed: boolean, detail: string, latencyMs: number): HealthCheck {
  return { name, status: passed ? 'pass' : 'fail', detail, latencyMs };
}

type Send = (request: Omit<RequestOptions, 'timeoutMs'>) => Promise<Exchange>;

/**
 * The response of the engine's own path, or of the other one where a proxy or another server has only that. The other path is also asked
 * where the first tells no version: the other engine has its version there.
 */
async function requestAlive(send: Send, engine: Engine): Promise<{ response: Exchange; version: string | null }> {
  const [path, otherPath] = ALIVE_PATHS[engine];
  const first = await send({ method: 'GET', path });
  const version = versionOf(first);
  if (first.kind === 'no-response' || first.status >= 500 || version !== null) return { response: first, version };
  const second = await send({ method: 'GET', path: otherPath });
  return { response: first.status === 404 ? second : first, version: versionOf(second) };
}

/** A server of https drops a request of http (Node, InfluxDB 3), or answers 400 (Go, nginx). */
function mayBeTls({ url }: Target, exchange: Exchange): boolean {
  return url.startsWith('http:') && (exchange.kind === 'no-response' || exchange.status === 400);
}

function aliveDetail(exchange: Exchange, { unreachable }: HealthAdvice): string {
  const isAway = exchange.kind === 'no-response' && !exchange.isPermanent;
  return isAway ? `${exchange.reason}: ${unreachable}` : exchangeText(exchange);
}

function emptyWrite(target: Target): Omit<RequestOptions, 'timeoutMs'> {
  const headers = { 'content-type': 'text/plain; charset=utf-8' };
  return { method: 'POST', path: PROTOCOLS[target.engine].writePath(target), headers };
}

/**
 * InfluxDB 2 answers 204 to an empty body once bucket and token were found good. InfluxDB 3 looks at the token, then at the database's
 * name, then at the body, and refuses an empty one with 400 ("incoming write was empty"): so there that 400 is a pass, and any other one
 * is about the name ("db name cannot be empty" among them). A database that is missing is made by the first write.
 */
function emptyWriteOutcome(engine: Engine, exchange: Exchange): WriteOutcome {
  const outcome = httpOutcome(exchange);
  if (engine !== 'v3' || exchange.kind === 'no-response' || exchange.status !== 400) return outcome;
  const message = messageOf(exchange.body);
  return /\bempty\b/i.test(message) && !/\bname\b/i.test(message) ? { kind: 'written' } : outcome;
}

function writeDetail(exchange: Exchange, outcome: WriteOutcome, { unauthorized }: HealthAdvice): string {
  const reason = 'reason' in outcome ? outcome.reason : 'the token may write to the bucket';
  return exchange.kind === 'response' && exchange.status === 401 ? `${reason}: ${unauthorized}` : reason;
}

function queryRequest({ engine, org, bucket }: Target): Omit<RequestOptions, 'timeoutMs'> {
  const [path, query] =
    engine === 'v2'
      ? [
          `/api/v2/query?${new URLSearchParams({ org })}`,
          { type: 'flux', query: `from(bucket: ${fluxString(bucket)}) |> range(start: -1m) |> limit(n: 1)` },
        ]
      : ['/api/v3/query_sql', { db: bucket, q: 'SELECT 1', format: 'json' }];
  const headers = { 'content-type': 'application/json' };
  return { method: 'POST', path, headers, body: Buffer.from(JSON.stringify(query)) };
}

function exchangeText(exchange: Exchange): string {
  if (exchange.kind === 'no-response') return exchange.reason;
  const failed = exchange.status >= 300;
  return failed ? `${exchange.status}: ${messageOf(exchange.body)}` : String(exchange.status);
}
