/** Whether an InfluxDB can be loaded into: it is up, and the token may write to the bucket; found without storing a thing. */
import { InfluxDBConnectionError, InfluxDBWriteError } from '../errors';
import { type Clock, systemClock } from '../resilience/clock';
import type { InfluxClient } from './client';
import { fluxString } from './flux';
import { httpOutcome, messageOf, parseObject, type WriteOutcome } from './outcome';
import { type Engine, PROTOCOLS, type Target } from './protocol';
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
export async function checkHealth(client: InfluxClient, clock: Clock = systemClock): Promise<HealthReport> {
  await client.tokens.get();
  const { target } = client;
  const start = clock.now();
  const elapsed = (): number => Math.round(clock.now() - start);
  const send = (request: Omit<RequestOptions, 'timeoutMs'>): Promise<Exchange> =>
    client.send({ ...request, timeoutMs: Math.max(1, LIMIT_MS - elapsed()) });

  const alive = await askAlive(send, target.engine);
  const aliveMs = elapsed();
  const isUp = alive.kind === 'reply' && alive.status < 500;
  const aliveCheck = check('alive', isUp, describe(alive), aliveMs);
  const report = { engine: target.engine, version: versionOf(alive) };
  if (!isUp) return { healthy: false, retryable: true, ...report, latencyMs: aliveMs, checks: [aliveCheck] };

  const write = emptyWriteOutcome(target.engine, await send(emptyWrite(target)));
  const writeMs = elapsed() - aliveMs;
  const healthy = write.kind === 'written';
  const writeCheck = check(
    'write',
    healthy,
    'reason' in write ? write.reason : 'the token may write to the bucket',
    writeMs,
  );

  const read = await send(readRequest(target));
  const mayRead = read.kind === 'reply' && read.status < 300;
  const readCheck = check('read', mayRead, describe(read), elapsed() - aliveMs - writeMs);
  const retryable = write.kind === 'retryable';
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

function check(name: HealthCheck['name'], passed: boolean, detail: string, latencyMs: number): HealthCheck {
  return { name, status: passed ? 'pass' : 'fail', detail, latencyMs };
}

type Send = (request: Omit<RequestOptions, 'timeoutMs'>) => Promise<Exchange>;

/** The answer of the engine's own path, or of the other one where a proxy or another server has only that. */
async function askAlive(send: Send, engine: Engine): Promise<Exchange> {
  const [path, otherPath] = ALIVE_PATHS[engine];
  const answer = await send({ method: 'GET', path });
  const isMissing = answer.kind === 'reply' && answer.status === 404;
  return isMissing ? send({ method: 'GET', path: otherPath }) : answer;
}

function emptyWrite(target: Target): Omit<RequestOptions, 'timeoutMs'> {
  const headers = { 'content-type': 'text/plain; charset=utf-8' };
  return { method: 'POST', path: PROTOCOLS[target.engine].writePath(target), headers };
}

/**
 * InfluxDB 2 answers 204 to an empty body once bucket and token were found good. InfluxDB 3 looks at the token, then at the
 * database's name, then at the body, and refuses an empty one with 400: so there 400 is a pass unless it is about the name. A
 * database that is missing is made by the first write.
 */
function emptyWriteOutcome(engine: Engine, exchange: Exchange): WriteOutcome {
  const isRefusedBody =
    engine === 'v3' &&
    exchange.kind === 'reply' &&
    exchange.status === 400 &&
    !/(db|database) name/i.test(messageOf(exchange.body));
  return isRefusedBody ? { kind: 'written' } : httpOutcome(exchange);
}

function readRequest({ engine, org, bucket }: Target): Omit<RequestOptions, 'timeoutMs'> {
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

function describe(exchange: Exchange): string {
  if (exchange.kind === 'no-reply') return exchange.reason;
  const failed = exchange.status >= 300;
  return failed ? `${exchange.status}: ${messageOf(exchange.body)}` : String(exchange.status);
}

/** The version that an answer tells in its body (`/health` of 2, `/ping` of 3) or its header (`/ping` of 2). */
function versionOf(exchange: Exchange): string | null {
  if (exchange.kind === 'no-reply') return null;
  const { version } = parseObject(exchange.body);
  return typeof version === 'string' ? version : (exchange.version ?? null);
}
