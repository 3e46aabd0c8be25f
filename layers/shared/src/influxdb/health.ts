/** Checks that InfluxDB is up and that the token may write to the bucket. Stores nothing. */
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
  /** `alive`: the server responds; `write`: the bucket exists and the token may write to it; `read`: the token may read from it. */
  readonly name: 'alive' | 'write' | 'read';
  readonly status: 'pass' | 'fail';
  readonly detail: string;
  readonly latencyMs: number;
}

/** The functions return this as JSON. `healthy` ignores `read`. If `alive` fails, the other checks are not listed. */
export interface HealthReport {
  readonly healthy: boolean;
  /** Whether the same check may pass later without a change to the configuration. */
  readonly retryable: boolean;
  readonly engine: Engine;
  readonly version: string | null;
  readonly latencyMs: number;
  readonly checks: readonly HealthCheck[];
}

/** Advice for failed checks. It names the settings as the user sees them: options of a command, or parameters of the stack. */
export interface HealthAdvice {
  /** The server does not respond. */
  readonly unreachable: string;
  /** The server rejects the token (401). */
  readonly unauthorized: string;
  /** The server has the other engine. */
  readonly useEngine: (engine: Engine) => string;
  /** The server does not have the organization or the bucket (404). */
  readonly missing?: Readonly<Record<'org' | 'bucket', string>>;
}

/** Timeout of all checks together, ms. */
const LIMIT_MS = 5000;
const ALIVE_PATHS: Readonly<Record<Engine, readonly [string, string]>> = {
  v2: ['/health', '/ping'],
  v3: ['/ping', '/health'],
};

/**
 * Checks InfluxDB within 5 s (plus 2 s to read the token's secret): `/health` or `/ping`, an empty write, a small query.
 * @throws InfluxDBConnectionError or ConfigurationError if the token cannot be read
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
 * Throws the error of a failed check. The workflow retries by its type.
 * @throws InfluxDBConnectionError if a later check may pass; InfluxDBWriteError if the bucket, the token or the address is wrong
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
 * The response of the engine's own path, or of the other path if a proxy or another server has only that one. If the first response has
 * no version, the other path is requested too, because the other engine reports its version there.
 */
async function requestAlive(send: Send, engine: Engine): Promise<{ response: Exchange; version: string | null }> {
  const [path, otherPath] = ALIVE_PATHS[engine];
  const first = await send({ method: 'GET', path });
  const version = versionOf(first);
  if (first.kind === 'no-response' || first.status >= 500 || version !== null) return { response: first, version };
  const second = await send({ method: 'GET', path: otherPath });
  return { response: first.status === 404 ? second : first, version: versionOf(second) };
}

/** An HTTPS server closes the connection of an HTTP request (Node, InfluxDB 3), or returns 400 (Go, nginx). */
function mayBeTls({ url }: Target, exchange: Exchange): boolean {
  return url.startsWith('http:') && (exchange.kind === 'no-response' || exchange.status === 400);
}

function aliveDetail(exchange: Exchange, { unreachable }: HealthAdvice): string {
  const isAway = exchange.kind === 'no-response' && !exchange.isPermanent;
  return isAway ? `${exchange.reason}: ${unreachable}` : exchangeText(exchange);
}

const NO_LINES = new Uint8Array();

function emptyWrite(target: Target): Omit<RequestOptions, 'timeoutMs'> {
  const headers = { 'content-type': 'text/plain; charset=utf-8' };
  return { method: 'POST', path: PROTOCOLS[target.engine].writePath(target, 'ns'), headers };
}

/**
 * InfluxDB 2 returns 204 for an empty body if the bucket and the token are valid. InfluxDB 3 checks the token, then the name of the
 * database, then the body. It rejects an empty body with 400 ("incoming write was empty"), so this 400 is a pass. Any other 400 is about
 * the name, such as "db name cannot be empty". The first write creates a missing database.
 */
function emptyWriteOutcome(engine: Engine, exchange: Exchange): WriteOutcome {
  const outcome = PROTOCOLS[engine].outcome(exchange, NO_LINES);
  if (engine !== 'v3' || exchange.kind === 'no-response' || exchange.status !== 400) return outcome;
  const message = messageOf(exchange.body);
  return /\bempty\b/i.test(message) && !/\bname\b/i.test(message) ? { kind: 'written' } : outcome;
}

function writeDetail(exchange: Exchange, outcome: WriteOutcome, { unauthorized, missing }: HealthAdvice): string {
  const reason = 'reason' in outcome ? outcome.reason : 'the token may write to the bucket';
  if (exchange.kind !== 'response') return reason;
  const missingPart = (outcome.kind === 'fatal' && outcome.missing) || 'bucket';
  const hint = exchange.status === 401 ? unauthorized : exchange.status === 404 ? missing?.[missingPart] : undefined;
  return hint === undefined ? reason : `${reason}: ${hint}`;
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

/**
 * Whether InfluxDB can be written to, as the outcome of a write. Stores nothing.
 * @param checksBucket whether to check that the token may write to the bucket too, or only that the server responds
 */
export async function checkWritable(
  client: InfluxClient,
  checksBucket: boolean,
  signal: AbortSignal,
): Promise<WriteOutcome> {
  const { target } = client;
  const request = checksBucket ? emptyWrite(target) : { method: 'GET' as const, path: ALIVE_PATHS[target.engine][0] };
  const exchange = await client.send({ ...request, timeoutMs: LIMIT_MS, signal });
  if (checksBucket) return emptyWriteOutcome(target.engine, exchange);
  const isUp = exchange.kind === 'response' && exchange.status < 500 && ![401, 403].includes(exchange.status);
  return isUp ? { kind: 'written' } : httpOutcome(exchange);
}
