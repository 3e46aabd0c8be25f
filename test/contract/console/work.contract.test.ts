/** The panel Work: loads and migrations that were started by the command line, while they run and after their end. */
import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Run } from '../../../local/runs/run';
import { duckdb } from '../../support/loader';
import { bundleProgram, ROOT } from '../cli/program';
import { DATABASE, now, startConsole, type TestConsole } from './harness';

const folder = mkdtempSync(join(tmpdir(), 'console-work-'));
const ROWS = 30_000;
let server: TestConsole;
let influxdb: Server;
let url: string;
/** Writes wait for it. */
let open: Promise<void> = Promise.resolve();

beforeAll(async () => {
  bundleProgram();
  // The cache folder of the commands, on Linux.
  const runs = join(folder, 'cache/influxdb-timestream/runs');
  mkdirSync(join(folder, 'page'));
  server = await startConsole({
    consoleFolders: { assets: join(folder, 'page'), runs },
    exportDir: join(folder, 'exports'),
    dataDir: join(folder, 'data'),
  });
  influxdb = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const encoded = Buffer.concat(chunks);
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(encoded) : encoded;
    if (!request.url?.startsWith('/api/v2/write')) {
      response.end(JSON.stringify({ status: 'pass', version: 'v2.7.12' }));
      return;
    }
    // The check before a load writes nothing.
    if (body.length > 0) await open;
    if (!body.includes('refused')) response.writeHead(204).end();
    else
      response.writeHead(422).end(JSON.stringify({ code: 'unprocessable entity', message: 'outside the retention' }));
  });
  influxdb.listen(0, '127.0.0.1');
  await once(influxdb, 'listening');
  url = `http://127.0.0.1:${(influxdb.address() as AddressInfo).port}`;
  await duckdb(`COPY (SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 SECOND * i AS timestamp, 'norte' AS region, i::DOUBLE AS value,
    'MWh' AS unit, 'solar' AS energy_source, 'energy' AS measurement_type FROM range(${ROWS}) AS r(i))
    TO '${join(folder, 'generation.parquet')}' (FORMAT PARQUET, ROW_GROUP_SIZE 10240)`);
  writeFileSync(join(folder, 'broken.parquet'), 'no Parquet');
}, 120_000);
afterEach(() => {
  open = Promise.resolve();
});
afterAll(async () => {
  influxdb.closeAllConnections();
  influxdb.close();
  await server.close();
  rmSync(folder, { recursive: true });
});

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number; readonly text: string }>;
}

function start(...words: string[]): Started {
  const env = { PATH: process.env.PATH, XDG_CACHE_HOME: join(folder, 'cache') };
  const args = [join(ROOT, 'bin/influxdb-timestream.mjs'), ...words, '--url', url, '--token', 'secret-token'];
  let end: (ended: { code: number; text: string }) => void = () => undefined;
  const ended = new Promise<{ code: number; text: string }>((resolve) => {
    end = resolve;
  });
  const child = execFile(process.execPath, args, { env, cwd: folder }, (error, out, err) =>
    end({ code: Number(error?.code ?? 0), text: out + err }),
  );
  return { child, ended };
}

const load = (...words: string[]): Started => start('load', ...words, '--dataset', 'generation');
const runs = async () => (await server.api('work')).runs as Run[];
/** The newest run, as soon as it is as described. */
async function newest(is: (run: Run) => boolean): Promise<Run> {
  for (;;) {
    const [run] = await runs();
    if (run !== undefined && is(run)) return run;
  }
}

test('shows no runs before the first', async () => {
  expect(await server.api('work')).toEqual({ status: 200, runs: [] });
});

test('shows a load while it runs, and its end', async () => {
  let release = (): void => undefined;
  open = new Promise((resolve) => {
    release = resolve;
  });
  const { ended } = load('generation.parquet');
  expect(await newest(({ items }) => items.total > 0)).toMatchObject({
    kind: 'load',
    status: 'running',
    ended: null,
    source: 'generation.parquet',
    target: `${url} energy_data`,
    items: { done: 0, failed: 0 },
    causes: [],
    report: null,
  });
  release();
  expect((await ended).code).toBe(0);
  const [run] = await runs();
  expect(run).toMatchObject({
    status: 'succeeded',
    ended: expect.stringMatching(/^\d{4}-/),
    points: { written: ROWS, rejected: 0, failed: 0 },
    report: expect.stringMatching(/30,000 points.*\nReport: \.data/s),
  });
  expect(run?.items.done).toBe(run?.items.total);
  expect(run?.pointsPerSecond).toBeGreaterThan(0);
});

test('shows a load that was killed as interrupted', async () => {
  open = new Promise(() => undefined);
  const { child, ended } = load('generation.parquet');
  const { id } = await newest(({ status, items }) => status === 'running' && items.total > 0);
  child.kill('SIGKILL');
  await ended;
  expect(await newest((run) => run.id === id)).toMatchObject({ status: 'interrupted', ended: expect.any(String) });
});

test('shows a load that Ctrl-C ended as interrupted', async () => {
  open = new Promise(() => undefined);
  const { child, ended } = load('generation.parquet');
  const { id } = await newest(({ status, items }) => status === 'running' && items.total > 0);
  child.kill('SIGINT');
  expect((await ended).code).toBe(130);
  expect(await newest((run) => run.id === id)).toMatchObject({ status: 'interrupted' });
});

test('shows the cause of a load that failed', async () => {
  expect((await load('broken.parquet').ended).code).not.toBe(0);
  const [run] = await runs();
  expect(run).toMatchObject({ status: 'failed', source: 'broken.parquet' });
  expect(run?.causes).toEqual([{ cause: expect.stringMatching(/^DataConversionError: /), count: 1 }]);
  expect(run?.causes[0]?.cause).toContain('not a Parquet file');
});

test('wrong arguments are not shown as a failed load or migration', async () => {
  const before = await runs();
  writeFileSync(join(folder, 'sample.lp'), 'weather,city=Faro temperature=1\n');
  expect(await load('nothere').ended).toMatchObject({
    code: 2,
    text: expect.stringContaining('nothere does not exist'),
  });
  expect(await load('sample.lp').ended).toMatchObject({
    code: 2,
    text: expect.stringMatching(/^sample\.lp is not a Parquet file\. .*sample write sample\.lp/m),
  });
  const words = ['--database', DATABASE, '--table', 'moved', '--timestream', 'http://127.0.0.1:1'];
  const { code, text } = await start('migrate', ...words).ended;
  expect(code).toBe(2);
  expect(text).toMatch(/^--timestream: nothing listens at http:\/\/127\.0\.0\.1:1 \(ECONNREFUSED\)/m);
  expect(text).not.toContain('To go on');
  expect(await runs()).toEqual(before);
});

test('a dry run is not shown, because it writes nothing', async () => {
  const before = await runs();
  expect((await load('generation.parquet', '--dry-run').ended).code).toBe(0);
  expect(await runs()).toEqual(before);
});

/** Migrates a new table of 10 points without verifying. */
async function migrate(table: string): Promise<Started> {
  const lines = Array.from({ length: 10 }, (_, index) => `${table},a=b c=${index} ${now() - index}`);
  expect(await server.write(lines.join('\n'))).toBe(204);
  const words = ['--table', table, '--timestream', server.timestreamUrl ?? '', '--export', 'exports/moving'];
  return start('migrate', '--database', DATABASE, ...words, '--verify', 'none');
}

test('shows a migration with its step and windows while it runs, and its report', async () => {
  let release = (): void => undefined;
  open = new Promise((resolve) => {
    release = resolve;
  });
  const { ended } = await migrate('moved');
  const running = await newest(({ migration }) => migration?.step === 'load');
  expect(running).toMatchObject({ status: 'running', migration: { exported: 1, verified: 0 } });
  expect(running.items).toEqual({ done: 0, total: 1, failed: 0 });
  release();
  const { code, text } = await ended;
  expect([code, text]).toEqual([0, expect.stringContaining('Report:')]);
  const [run] = await runs();
  expect(run).toMatchObject({
    kind: 'migration',
    status: 'succeeded',
    source: `${DATABASE}: moved`,
    target: `${url} energy_data`,
    items: { done: 1, total: 1, failed: 0 },
    points: { written: 10, rejected: 0, failed: 0 },
    migration: { step: 'report', exported: 1, verified: 0 },
    report: expect.stringContaining('moved'),
  });
});

test('shows the differences of a migration that failed as its causes', async () => {
  const { code } = await (await migrate('refused')).ended;
  expect(code).toBe(1);
  const [run] = await runs();
  expect(run).toMatchObject({ kind: 'migration', status: 'failed' });
  expect(run?.causes).toEqual([
    {
      cause: expect.stringMatching(
        /^refused: load: the manifest has 10 rows.*InfluxDB returned 422: outside the retention/,
      ),
      count: 1,
    },
  ]);
});

test('the files have no token, and only the user may read them', async () => {
  const files = readdirSync(server.runs).map((name) => statSync(join(server.runs, name)));
  expect(files.length).toBeGreaterThan(3);
  expect(files.map(({ mode }) => (mode & 0o777).toString(8))).toEqual(files.map(() => '600'));
  expect(JSON.stringify(await runs())).not.toContain('secret-token');
});
