/**
 * Migrates generated tables from an embedded Timestream into a real InfluxDB (influxd) by one command, as a process. Reports rate, CPU and
 * peak memory of the command. With kills, the command is killed with SIGKILL at random moments and started again until it ends; then no
 * window may have been exported after it was finished.
 *
 *     npm run bench -- migrate [tables] [rows per table] [kills]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findInfluxd, freePort, Influxd, TOKEN } from '../test/support/influxd';
import { finishedFolders } from '../test/support/migration-folders';
import { fillTables } from '../test/support/timestream-rows';

const PROGRAM = resolve('bin/influxdb-timestream.mjs');

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  readonly seconds: number;
  /** MB */
  readonly peak: number;
  readonly cpuSeconds: number;
}

/** Runs the program; `onStart` may kill it. */
async function run(words: readonly string[], cwd: string, onStart: (child: ChildProcess) => void = () => undefined) {
  const begun = performance.now();
  const child = spawn(process.execPath, [PROGRAM, ...words], { cwd, env: { PATH: process.env.PATH } });
  const printed = { out: '', err: '' };
  child.stdout.on('data', (text) => {
    printed.out += text;
  });
  child.stderr.on('data', (text) => {
    printed.err += text;
  });
  let [peak, ticks] = [0, 0];
  const watch = setInterval(() => {
    const [status, stat] = ['status', 'stat'].map((name) => readOptional(`/proc/${child.pid}/${name}`));
    peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status ?? '')?.[1] ?? 0) / 1024);
    const times = stat?.slice(stat.lastIndexOf(')')).split(' ') ?? [];
    ticks = Math.max(ticks, Number(times[12] ?? 0) + Number(times[13] ?? 0));
  }, 100);
  onStart(child);
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(watch);
  const ended: Ended = { code, ...printed, seconds: (performance.now() - begun) / 1000, peak, cpuSeconds: ticks / 100 };
  return ended;
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
  const start = BigInt(Date.now() - 40 * 86_400_000) * 1_000_000n;
  await fillTables({ dataDir: join(folder, '.data'), database: 'plant', tables, rows, stepNs: 10_000_000_000, start });
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
    const ended = await run([...words, '--json'], folder);
    const after = finishedFolders(folder);
    for (const [window, exported] of before) if (after.get(window) !== exported) again += 1;
    if (ended.code !== 0)
      throw new Error(`migrate ended with ${ended.code}: ${ended.err.slice(-2000)}${ended.out.slice(0, 2000)}`);
    const report = JSON.parse(ended.out) as { status: string; message: string };
    const total = tables * rows;
    console.log(`${report.message}
${total} rows in ${ended.seconds.toFixed(1)} s: ${Math.round(total / ended.seconds)} rows/s, ${(ended.cpuSeconds / (total / 1e6)).toFixed(2)} CPU-s per million rows, peak ${Math.round(ended.peak)} MB
windows exported again after they were finished: ${again}`);
    if (again > 0) throw new Error('a finished window was exported again');
  } finally {
    server.kill('SIGTERM');
    await once(server, 'exit');
    await influxd.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

void main();
