/**
 * Measures `npm start`: the local server with the embedded Timestream, in one process, that gets requests of 5,000 lines one after the
 * other. Prints lines per second, CPU time of the server per line, and memory per stored record. It first checks that a query returns
 * the points that were written.
 *
 *     npm run bench -- start [rounds] [requests] [folder of another clone, as the baseline]
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConnectorConfig } from 'shared/config';
import { decodePoints } from 'shared/line-protocol/point';
import { startServers } from '../local/start';
import { type Row, report, round } from './report';
import { median, runMain } from './runs';
import { workload } from './workloads';

const LINES = 5_000;
const WORKLOADS = ['narrow', 'devops'] as const;
const STORES = ['disk', 'memory'] as const;
/** Requests until the code is compiled. */
const WARM_UP = 10;

interface Usage {
  readonly cpuSeconds: number;
  /** Objects and buffers of JavaScript, after a garbage collection. */
  readonly heapBytes: number;
  readonly residentBytes: number;
}

/** The server, in its own process. It sends its URLs, and after each message its usage. */
async function serve(dataDir: string | undefined): Promise<void> {
  console.log = () => undefined;
  const { url, timestreamUrl } = await startServers(
    {
      ...{ port: 0, host: '127.0.0.1', timestreamPort: 0, timestreamHost: '127.0.0.1' },
      ...{ dataDir: dataDir || undefined, exportDir: undefined, s3Endpoint: undefined, aws: false, tokens: [] },
      consoleFolders: { assets: '.build', runs: '.build/runs' },
    },
    loadConnectorConfig({ write_deadline_millis: '60000' }),
  );
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    (globalThis as { gc?: () => void }).gc?.();
    const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
    process.send?.({ cpuSeconds: (user + system) / 1e6, heapBytes: heapUsed + arrayBuffers, residentBytes: rss });
  });
  process.send?.({ url, timestreamUrl });
}

const agent = new Agent({ keepAlive: true });

function send(url: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () =>
        (response.statusCode ?? 0) < 300 ? resolve(text) : reject(new Error(`${response.statusCode}: ${text}`)),
      );
    });
    sent.on('error', reject).end(body);
  });
}

interface Page {
  readonly Rows: readonly { readonly Data: readonly { readonly ScalarValue?: string }[] }[];
  readonly ColumnInfo: readonly { readonly Name: string; readonly Type: { readonly ScalarType: string } }[];
  readonly NextToken?: string;
}

/** All rows of a query, as texts `column=value,...` in the order of the columns' names. */
async function select(url: string, sql: string): Promise<string[]> {
  const rows: string[] = [];
  let token: string | undefined;
  do {
    const body = JSON.stringify({ QueryString: sql, NextToken: token });
    const page = JSON.parse(await send(url, body, { 'X-Amz-Target': 'Timestream_20181101.Query' })) as Page;
    for (const { Data } of page.Rows) {
      const cells = Data.map(({ ScalarValue }, i) => {
        const { Name, Type } = page.ColumnInfo[i] ?? {};
        return `${Name}=${Type?.ScalarType === 'DOUBLE' ? Number(ScalarValue) : ScalarValue}`;
      });
      rows.push(cells.sort().join());
    }
    token = page.NextToken;
  } while (token !== undefined);
  return rows;
}

/** The row that a query must return for each point of the lines. */
function expectedRows(lines: string): string[] {
  return decodePoints(Buffer.from(lines), 0n).points.map(({ tags, fields, time }) => {
    const cells = [...tags].map(([name, value]) => `${name}=${value}`);
    for (const [name, { type, value }] of fields) cells.push(`${name}=${type === 'float' ? Number(value) : value}`);
    const iso = new Date(Number(time / 1_000_000_000n) * 1_000).toISOString().slice(0, 19).replace('T', ' ');
    cells.push(`time=${iso}.${String(time % 1_000_000_000n).padStart(9, '0')}`);
    return cells.sort().join();
  });
}

async function usage(child: ChildProcess): Promise<Usage> {
  const answered = once(child, 'message') as Promise<[Usage]>;
  child.send('usage');
  return (await answered)[0];
}

interface Run {
  readonly cpuMicroseconds: number;
  readonly linesPerSecond: number;
  readonly heapBytes: number;
  readonly residentBytes: number;
}

/** Starts a server and sends it the requests. @param program the bundle of this benchmark, of this clone or of another one */
async function run(program: string, name: string, store: string, requests: number, check: boolean): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-start-'));
  const child = fork(program, ['--serve', store === 'disk' ? join(folder, 'data') : ''], { execArgv: ['--expose-gc'] });
  try {
    const [{ url, timestreamUrl }] = (await once(child, 'message')) as [{ url: string; timestreamUrl: string }];
    const source = workload(name);
    const table = name === 'narrow' ? 'temperature' : 'cpu';
    const first = Array.from({ length: WARM_UP }, (_, index) => source.request(index, LINES));
    const bodies = Array.from({ length: requests }, (_, index) => source.request(WARM_UP + index, LINES));
    const write = (body: string) => send(`${url}/api/v2/write`, body);
    for (const body of first) await write(body);
    if (check) {
      const rows = await select(timestreamUrl, `SELECT * FROM "influxdb-line-protocol"."${table}"`);
      const measureName = /measure_name=[^,]*,/;
      const found = rows.map((row) => row.replace(measureName, '')).sort();
      const expected = first.flatMap(expectedRows).sort();
      const wrong = expected.findIndex((row, i) => row !== found[i]);
      if (wrong !== -1 || found.length !== expected.length) {
        throw new Error(`${name}: ${found.length} of ${expected.length} rows: ${found[wrong]} not ${expected[wrong]}`);
      }
    }
    const before = await usage(child);
    const started = performance.now();
    for (const body of bodies) await write(body);
    const seconds = (performance.now() - started) / 1_000;
    const after = await usage(child);
    const sql = `SELECT count(*) AS n FROM "influxdb-line-protocol"."${table}"`;
    const [count] = await select(timestreamUrl, sql);
    const total = (WARM_UP + requests) * LINES;
    if (count !== `n=${total}`) throw new Error(`${name}: ${count} of ${total} points are stored`);
    const points = requests * LINES;
    return {
      cpuMicroseconds: ((after.cpuSeconds - before.cpuSeconds) / points) * 1e6,
      linesPerSecond: points / seconds,
      heapBytes: (after.heapBytes - before.heapBytes) / points,
      residentBytes: (after.residentBytes - before.residentBytes) / points,
    };
  } finally {
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
    rmSync(folder, { recursive: true });
  }
}

async function main(): Promise<void> {
  const [rounds = 3, requests = 20] = process.argv.slice(2, 4).map(Number);
  const baseline = process.argv[4];
  const here = process.argv[1] ?? '';
  const programs = { this: here, ...(baseline && { baseline: join(baseline, '.build', 'bench-start.cjs') }) };
  const rows: Row[] = [];
  for (const name of WORKLOADS) {
    for (const store of STORES) {
      const runs: Record<string, Run[]> = {};
      for (let index = 0; index < rounds; index++) {
        for (const [program, path] of Object.entries(programs)) {
          runs[program] = [...(runs[program] ?? []), await run(path, name, store, requests, index === 0)];
        }
      }
      for (const [program, list] of Object.entries(runs)) {
        const mid = (of: (run: Run, index: number) => number): number => median(list.map(of));
        const ratio = mid((each, i) => each.cpuMicroseconds / (runs.this?.[i]?.cpuMicroseconds ?? Number.NaN));
        rows.push({
          ...{ workload: name, store, program },
          'CPU us per line': round(
            mid((each) => each.cpuMicroseconds),
            1,
          ),
          'CPU beside this': round(ratio, 2),
          'lines/s': Math.round(mid((each) => each.linesPerSecond)),
          'JS bytes per record': Math.round(mid((each) => each.heapBytes)),
          'RSS bytes per record': Math.round(mid((each) => each.residentBytes)),
        });
      }
    }
  }
  await report('start', rows, { rounds, requests, lines: LINES });
}

runMain(process.argv[2] === '--serve' ? () => serve(process.argv[3]) : main);
