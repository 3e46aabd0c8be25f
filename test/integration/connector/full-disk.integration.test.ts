/** `npm start` on a full disk, simulated by a limit on the size of files that is lifted while the server runs. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = resolve(__dirname, '../../..');
/** In blocks of 512 bytes: enough for a new database and some hundred points. */
const MAX_FILE_BLOCKS = 1_500;

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;
/** prlimit(1) lifts the limit. */
const onLinux = hasPrlimit ? test : test.skip;

onLinux('a full disk causes 503 with the reason, fails /health, is logged once, and recovers by itself', async () => {
  execFileSync('npm', ['run', '-s', 'bundle'], { cwd: ROOT });
  const folder = mkdtempSync(join(tmpdir(), 'full-disk-'));
  const printed: string[] = [];
  const server = start(folder);
  try {
    const url = await ready(server, printed);
    const write = async (batch: number) => {
      const response = await fetch(`${url}/api/v2/write`, { method: 'POST', body: lines(batch) });
      return { status: response.status, body: await response.text() };
    };
    let written = await write(0);
    for (let batch = 1; written.status === 204 && batch < 50; batch++) written = await write(batch);
    expect(written.status).toBe(503);
    expect(JSON.parse(written.body)).toEqual({
      code: 'unavailable',
      message: expect.stringMatching(/^nothing can be stored in .*timestream\.duckdb: file too large$/),
    });
    for (let batch = 0; batch < 3; batch++) expect((await write(50 + batch)).status).toBe(503);
    const health = await fetch(`${url}/health`);
    expect(health.status).toBe(503);
    expect(await health.json()).toMatchObject({ status: 'fail', message: expect.stringMatching(/file too large$/) });
    expect(printed.filter((line) => line.includes('nothing can be stored') && !line.includes('503'))).toHaveLength(1);

    execFileSync('prlimit', ['--pid', String(server.pid), '--fsize=unlimited']);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    expect((await write(60)).status).toBe(204);
    expect(printed.filter((line) => line.includes('can be stored') && line.endsWith('again'))).toHaveLength(1);
  } finally {
    const ended = once(server, 'exit');
    server.kill();
    await ended;
    rmSync(folder, { recursive: true });
  }
});

function start(folder: string): ChildProcess {
  const program = `ulimit -S -f ${MAX_FILE_BLOCKS}; exec "$0" bin/influxdb-timestream.mjs start "$@"`;
  const args = ['--port', '0', '--timestream-port', '0', '--data-dir', folder];
  return spawn('sh', ['-c', program, process.execPath, ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** The URL that the program prints; `printed` collects all its output. */
function ready(server: ChildProcess, printed: string[]): Promise<string> {
  return new Promise((found, failed) => {
    server.once('exit', () => failed(new Error(printed.join('\n'))));
    for (const stream of [server.stdout, server.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        printed.push(line);
        const [, url] = /^InfluxDB v2 write endpoint: (\S+)/.exec(line) ?? [];
        if (url !== undefined) found(url);
      });
    }
  });
}

/** 500 points of 256 bytes that do not compress. */
const lines = (batch: number): string =>
  Array.from({ length: 500 }, (_, n) => {
    const text = Array.from({ length: 8 }, (_, part) => Math.sin(batch * 1_000 + n + part / 10).toString(36)).join('');
    return `full,host=h${n} text="${text}",n=${batch}i ${Date.now() - n}000000`;
  }).join('\n');
