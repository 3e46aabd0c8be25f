/**
 * Puts load on `npm start`, in a separate process, for a long time: first at the maximum rate, with the sink as a fast Timestream
 * (npm start --aws); then at a moderate rate, with the embedded Timestream. No request may fail, and every point must arrive. In the
 * first part memory must not grow; in the second part it may, because the embedded Timestream keeps the points in memory.
 *
 *     npm run soak -- [--minutes N]    default 10; the moderate rate takes a third of it
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { PEAK_MEMORY_IS_KNOWN } from '../test/support/peak-memory';
import { missingSink, Sink } from '../test/support/sink';
import { plotSeconds } from './plot';
import { soakRequest, TABLES } from './soak-requests';

const WORKERS = 4;
/** A request has about 1,200 points on average. */
const MODERATE_REQUESTS_PER_SECOND = 1;
/** Maximum growth of the median memory from the second quarter of the time to the last one, MB. Garbage causes some variation. */
const MAX_GROWTH_MB = 100;
/** Long deadlines, so that they do not affect the measurement. */
const DEADLINE = { write_deadline_millis: '60000', rest_api_gateway_timeout_in_millis: '61000' };

interface Run {
  readonly seconds: number;
  readonly points: number;
  readonly latencies: readonly number[];
  /** Resident memory of the connector, MB, once a second. */
  readonly memory: readonly number[];
  readonly errors: readonly string[];
}

interface Connector {
  readonly url: string;
  /** URL of the embedded Timestream; undefined with --aws. */
  readonly timestream: string | undefined;
  readonly child: ChildProcess;
}

async function startConnector(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Connector> {
  const child = spawn(process.execPath, ['bin/influxdb-timestream.mjs', 'start', '--port', '0', ...args], {
    env: { ...process.env, ...DEADLINE, ...environment },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let url: string | undefined;
  let timestream: string | undefined;
  const lines = createInterface({ input: child.stdout });
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`npm start ended with ${code}`)));
    lines.on('line', (line) => {
      url ??= /^InfluxDB v2 write endpoint: (\S+)/.exec(line)?.[1];
      timestream ??= /embedded Timestream at (http[^,\s]+)/.exec(line)?.[1];
      if (line.includes('Ctrl-C')) resolve();
    });
  });
  return { url: url ?? '', timestream, child };
}

async function stop({ child }: Connector): Promise<void> {
  const exit = once(child, 'exit');
  child.kill();
  await exit;
}

/** @param perSecond requests per second; undefined for the maximum rate */
async function load({ url, child }: Connector, seconds: number, perSecond?: number): Promise<Run> {
  const started = performance.now();
  const end = started + seconds * 1_000;
  const latencies: number[] = [];
  const errors: string[] = [];
  const memory: number[] = [];
  let points = 0;
  let requests = 0;
  const work = async (): Promise<void> => {
    while (performance.now() < end) {
      const index = requests++;
      if (perSecond !== undefined) await sleep(Math.max(0, started + (index * 1_000) / perSecond - performance.now()));
      const request = soakRequest(index);
      const begun = performance.now();
      try {
        const response = await fetch(`${url}/api/v2/write${request.query}`, { method: 'POST', ...request });
        const text = await response.text();
        latencies.push(performance.now() - begun);
        points += request.points;
        if (response.status !== request.status)
          errors.push(`${response.status} instead of ${request.status}: ${text.slice(0, 200)}`);
      } catch (error) {
        errors.push(error instanceof Error ? `${error.message}: ${String(error.cause)}` : String(error));
      }
    }
  };
  const sampling = setInterval(() => {
    if (PEAK_MEMORY_IS_KNOWN) memory.push(residentMegabytes(child.pid ?? 0));
  }, 1_000);
  await Promise.all(Array.from({ length: WORKERS }, work));
  clearInterval(sampling);
  return { seconds: (performance.now() - started) / 1_000, points, latencies, memory, errors };
}

function residentMegabytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

async function countRows(timestream: string): Promise<number> {
  const counts = TABLES.map(async (table) => {
    const headers = { 'X-Amz-Target': 'Timestream_20181101.Query' };
    const body = JSON.stringify({ QueryString: `SELECT count(*) FROM "influxdb-line-protocol"."${table}"` });
    const result = await (await fetch(timestream, { method: 'POST', headers, body })).json();
    return Number((result as { Rows: [{ Data: [{ ScalarValue: string }] }] }).Rows[0].Data[0].ScalarValue);
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);
const median = (numbers: readonly number[]): number => percentile(sorted(numbers), 0.5);

/** Growth of the memory in MB per minute: slope of a least-squares line, without the first quarter of the time. */
function growthPerMinute(memory: readonly number[]): number {
  const samples = memory.slice(memory.length >> 2);
  const middle = (samples.length - 1) / 2;
  const mean = samples.reduce((sum, value) => sum + value, 0) / samples.length;
  const covariance = samples.reduce((sum, value, second) => sum + (second - middle) * (value - mean), 0);
  const variance = samples.reduce((sum, _, second) => sum + (second - middle) ** 2, 0);
  return (covariance / variance) * 60;
}

const counts = { passed: 0, failed: 0, skipped: 0 };

function note(result: keyof typeof counts, what: string): void {
  counts[result]++;
  console.log(`${result}: ${what}`);
}

function report(name: string, run: Run, arrived: number): void {
  const { memory, errors, points, seconds } = run;
  const latencies = sorted(run.latencies);
  const milliseconds = [0.5, 0.99, 1].map((share) => percentile(latencies, share).toFixed(1));
  console.log(
    `${name}: ${latencies.length} requests, ${points} points in ${seconds.toFixed(0)} s, ${Math.round(points / seconds)} points/s`,
  );
  console.log(`  latency in ms: p50 ${milliseconds[0]}, p99 ${milliseconds[1]}, maximum ${milliseconds[2]}`);
  note(errors.length === 0 ? 'passed' : 'failed', `${name}: ${errors.length} errors ${errors.slice(0, 3).join('; ')}`);
  note(arrived === points ? 'passed' : 'failed', `${name}: ${arrived} of ${points} points arrived`);
  if (memory.length === 0) return;
  console.log(
    `  memory in MB: median ${median(memory).toFixed(0)}, maximum ${Math.max(...memory).toFixed(0)}, growth ${growthPerMinute(memory).toFixed(2)} per minute`,
  );
}

function checkMemory(name: string, memory: readonly number[]): void {
  if (memory.length < 8) {
    note('skipped', `${name}: memory: ${PEAK_MEMORY_IS_KNOWN ? 'the run was too short' : 'no /proc'}`);
    return;
  }
  const quarter = memory.length >> 2;
  const [early, late] = [median(memory.slice(quarter, 2 * quarter)), median(memory.slice(-quarter))];
  const what = `${name}: memory from ${early.toFixed(0)} to ${late.toFixed(0)} MB, maximum growth ${MAX_GROWTH_MB} MB`;
  note(late - early <= MAX_GROWTH_MB ? 'passed' : 'failed', what);
}

/** Returns the memory once a second, MB. */
async function soakSink(seconds: number): Promise<readonly number[]> {
  const missing = missingSink();
  if (missing !== undefined) {
    note('skipped', `at the maximum rate: ${missing}`);
    return [];
  }
  const sink = await Sink.start({ isStrict: false });
  const credentials = { AWS_ACCESS_KEY_ID: 'soak', AWS_SECRET_ACCESS_KEY: 'soak' };
  const connector = await startConnector(['--aws'], { AWS_ENDPOINT_URL_TIMESTREAM_WRITE: sink.url, ...credentials });
  try {
    const run = await load(connector, seconds);
    report('at the maximum rate', run, await sink.count());
    checkMemory('at the maximum rate', run.memory);
    return run.memory;
  } finally {
    await stop(connector);
    await sink.stop();
  }
}

/** Returns the memory once a second, MB. */
async function soakEmbedded(seconds: number): Promise<readonly number[]> {
  const connector = await startConnector(['--timestream-port', '0', '--memory'], {});
  try {
    const run = await load(connector, seconds, MODERATE_REQUESTS_PER_SECOND);
    report('at a moderate rate', run, await countRows(connector.timestream ?? ''));
    return run.memory;
  } finally {
    await stop(connector);
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } });
  const seconds = Number(values.minutes) * 60;
  if (!(seconds > 0)) throw new Error(`--minutes must be a number above 0, not '${values.minutes}'`);
  console.log(`${cpus()[0]?.model} x ${cpus().length}, Node ${process.version}`);
  const memory = {
    'at the maximum rate': await soakSink(seconds),
    'at a moderate rate, embedded Timestream': await soakEmbedded(seconds / 3),
  };
  await plotSeconds('soak', 'Memory of npm start under load', 'MB', memory);
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  process.exitCode = counts.failed === 0 ? 0 : 1;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
