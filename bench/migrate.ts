/**
 * Migrates generated tables from an embedded Timestream into a real InfluxDB (influxd) by one command, as a process. Reports rate and peak
 * memory of the command, the duration of its steps, and the CPU time of all three processes; counts the stored points. With kills, the command is killed with SIGKILL at random moments and started again until it ends; then no
 * window may have been exported after it was finished.
 *
 *     npm run bench -- migrate [tables] [rows per table] [kills]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Run } from '../local/runs/run';
import { findInfluxd, freePort, Influxd, TOKEN } from '../test/support/influxd';
import { finishedFolders } from '../test/support/migration-folders';
import { fillTables } from '../test/support/timestream-rows';

const PROGRAM = resolve('bin/influxdb-timestream.mjs');

const STEP_NS = 10_000_000_000;
const DAY_NS = 86_400_000_000_000n;

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  readonly seconds: number;
  /** MB */
  readonly peak: number;
  readonly cpuSeconds: number;
  /** The seconds after the start at which each step began. The command renews its progress once a second, so shorter steps are missing. */
  readonly steps: ReadonlyMap<string, number>;
}

/** Runs the program; `onStart` may kill it. */
async function run(words: readonly string[], cwd: string, onStart: (child: ChildProcess) => void = () => undefined) {
  const begun = performance.now();
  // The cache has the progress of the run.
  const cache = mkdtempSync(join(cwd, 'cache-'));
  const child = spawn(process.execPath, [PROGRAM, ...words], {
    cwd,
    env: { PATH: process.env.PATH, XDG_CACHE_HOME: cache },
  });
  const printed = { out: '', err: '' };
  child.stdout.on('data', (text) => {
    printed.out += text;
  });
  child.stderr.on('data', (text) => {
    printed.err += text;
  });
  let [peak, cpuSeconds] = [0, 0];
  const steps = new Map<string, number>();
  const watch = setInterval(() => {
    const status = readOptional(`/proc/${child.pid}/status`);
    peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status ?? '')?.[1] ?? 0) / 1024);
    cpuSeconds = Math.max(cpuSeconds, cpuSecondsOf(child.pid));
    const step = stepIn(join(cache, 'influxdb-timestream/runs'));
    if (step !== undefined && !steps.has(step)) steps.set(step, (performance.now() - begun) / 1000);
  }, 100);
  onStart(child);
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(watch);
  const ended: Ended = { code, ...printed, seconds: (performance.now() - begun) / 1000, peak, cpuSeconds, steps };
  return ended;
}

/** CPU time of a running process so far, s. */
function cpuSecondsOf(pid: number | undefined): number {
  const stat = readOptional(`/proc/${pid}/stat`);
  const times = stat?.slice(stat.lastIndexOf(')')).split(' ') ?? [];
  return (Number(times[12] ?? 0) + Number(times[13] ?? 0)) / 100;
}

/** The step of the run whose progress is in the folder. */
function stepIn(runs: string): string | undefined {
  try {
    const [file] = readdirSync(runs).filter((name) => name.endsWith('.json'));
    return file && (JSON.parse(readFileSync(join(runs, file), 'utf8')) as Run).migration?.step;
  } catch {
    return undefined;
  }
}

/** `export 5.0 s, load 3.1 s, ...` */
function durations({ steps, seconds }: Ended): string {
  const begins = [...steps];
  const ends = [...begins.slice(1).map(([, begun]) => begun), seconds];
  return begins.map(([step, begun], index) => `${step} ${((ends[index] ?? 0) - begun).toFixed(1)} s`).join(', ');
}

function readOptional(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

async function main(): Promise<void> {
  const [tables = 20, rows = 250_000, kills = 0] = process.argv.slice(2).map(Number);
  const binary = findInfluxd();
  if (binary === undefined) throw new Error('INFLUXD must name an influxd');
  const folder = mkdtempSync(join(tmpdir(), 'migrate-'));
  // The last row must not be in the future, and the first ones are to be in the magnetic store.
  const start = BigInt(Date.now()) * 1_000_000n - BigInt(rows) * BigInt(STEP_NS) - 10n * DAY_NS;
  await fillTables({ dataDir: join(folder, '.data'), database: 'plant', tables, rows, stepNs: STEP_NS, start });
  const influxd = await Influxd.start(binary);
  const ports = [await freePort(), await freePort()] as const;
  const server = spawn(
    process.execPath,
    [PROGRAM, 'start', '--port', String(ports[0]), '--timestream-port', String(ports[1])],
    {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  await once(server.stdout, 'data');
  try {
    const target = ['--url', influxd.url, '--token', TOKEN, '--timestream', `http://127.0.0.1:${ports[1]}`];
    const words = ['migrate', '--database', 'plant', ...target];
    let again = 0;
    for (let kill = 0; kill < kills; kill++) {
      const before = finishedFolders(folder);
      const { code } = await run(words, folder, (child) => {
        // At 20,000 to 80,000 rows per second, the kills spread over the whole migration.
        const longest = Math.max(3_000, (tables * rows) / 30 / kills);
        setTimeout(() => child.kill('SIGKILL'), 500 + Math.random() * longest);
      });
      const after = finishedFolders(folder);
      for (const [window, exported] of before) if (after.get(window) !== exported) again += 1;
      console.log(`killed ${kill + 1} (code ${code}): ${after.size} windows finished`);
      if (code === 0) throw new Error('the migration ended before the last kill: use more rows or fewer kills');
    }
    const before = finishedFolders(folder);
    const serversBefore = [server.pid, influxd.pid].map(cpuSecondsOf);
    const ended = await run([...words, '--json'], folder);
    const servers = [server.pid, influxd.pid].map((pid, index) => cpuSecondsOf(pid) - (serversBefore[index] ?? 0));
    const after = finishedFolders(folder);
    for (const [window, exported] of before) if (after.get(window) !== exported) again += 1;
    if (ended.code !== 0)
      throw new Error(`migrate ended with ${ended.code}: ${ended.err.slice(-2000)}${ended.out.slice(0, 2000)}`);
    const report = JSON.parse(ended.out) as { status: string; message: string };
    const total = tables * rows;
    const counted = await influxd.count('count');
    const [own, timestream, influx] = [ended.cpuSeconds, ...servers].map((cpu) => (cpu / (total / 1e6)).toFixed(2));
    console.log(`${report.message}
${total} rows in ${ended.seconds.toFixed(1)} s: ${Math.round(total / ended.seconds)} rows/s, peak ${Math.round(ended.peak)} MB, ${counted} points counted
steps: ${durations(ended)}
CPU-s per million rows: migrate ${own}, the embedded Timestream ${timestream}, influxd ${influx}
windows exported again after they were finished: ${again}`);
    if (counted !== total) throw new Error(`${counted} of ${total} points are stored`);
    if (again > 0) throw new Error('a finished window was exported again');
  } finally {
    server.kill('SIGTERM');
    await once(server, 'exit');
    await influxd.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

void main();
