/**
 * Measures the whole loader: it plans and reads a file of the generation dataset, and sends line protocol, plain and compressed, over
 * HTTP to a sink that returns 204. Compares it in the same run with DuckDB, which only builds the same lines with SQL. Before the
 * measurement it checks that the sink receives the lines of DuckDB.
 *
 *     npm run bench -- loader [rows] [--growth]
 *
 * The default is 1,000,000 rows and five rounds; with another number of rows it is one round. `--growth` loads files of 1, 5 and
 * 20 million rows instead.
 * Each implementation runs in a separate process (`--way`). The sink runs in another process, which is not measured.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { BUILT_IN_MAPPINGS } from 'shared/datasets/built-in';
import { concatenate, eachLine, makeGeneration } from './generation';
import { LineSet } from './line-set';
import { loadFolder } from './load-folder';
import { readLines } from './read-lines';
import { type Row, report, round } from './report';
import { type Cost, costSoFar, inTurn, median, runMain } from './runs';

const ROWS = 1_000_000;
const ROUNDS = 5;
/** Lines per batch, as InfluxData recommends for InfluxDB 2. */
const BATCH_LINES = 5_000;

const fileIn = (folder: string): string => join(folder, 'generation/generation.parquet');

/** The implementations. Each one returns the number of lines that it made from the folder. */
const ways: Record<string, (folder: string, url: string) => Promise<number>> = {
  'loader, plain': (folder, url) => load(folder, url, 0),
  'loader, gzip 1': (folder, url) => load(folder, url, 1),
  /** Makes the lines only, without planning and sending. */
  'loader, lines': linesAlone,
  'DuckDB, lines': async (folder) => (await concatenate(fileIn(folder))).lines,
  /** A process that does nothing. */
  idle: () => Promise.resolve(0),
};

async function load(folder: string, url: string, gzipLevel: number): Promise<number> {
  const summary = await loadFolder(folder, {
    INFLUXDB_URL: url,
    INFLUXDB_TOKEN: 'bench',
    MAX_BATCH_SIZE: String(BATCH_LINES),
    GZIP_LEVEL: String(gzipLevel),
  });
  if (summary.statusCode !== 200) throw new Error(`the load ended with ${JSON.stringify(summary)}`);
  return summary.points_written;
}

function linesAlone(folder: string): Promise<number> {
  const mapping = BUILT_IN_MAPPINGS.find(({ name }) => name === 'generation');
  if (!mapping) throw new Error('the built-in mapping generation is missing');
  return readLines(fileIn(folder), mapping, BATCH_LINES);
}

/** The sink, in a separate process: responds to every write, and returns at /lines the checksum of the lines since /keep. */
function runSink(): void {
  let kept: LineSet | undefined;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => kept && chunks.push(chunk));
    request.on('end', () => {
      if (request.url === '/lines') {
        response.end(String(kept));
        kept = undefined;
        return;
      }
      if (request.url === '/keep') kept = new LineSet();
      else if (kept) {
        const body = Buffer.concat(chunks);
        const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
        for (const line of text.toString().split(/(?<=\n)/)) kept.add(line);
      }
      response.writeHead(204).end();
    });
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}

/** @throws Error if the sink receives other lines than DuckDB makes */
async function compare(folder: string, url: string): Promise<LineSet> {
  const expected = new LineSet();
  await eachLine(fileIn(folder), (line) => expected.add(line));
  for (const gzipLevel of [0, 1]) {
    await fetch(`${url}/keep`);
    await load(folder, url, gzipLevel);
    const sent = await (await fetch(`${url}/lines`)).text();
    if (sent !== String(expected)) throw new Error(`the loader sends ${sent}; DuckDB makes ${expected}`);
  }
  return expected;
}

const argvOf = (folder: string, url: string) => (way: string) => [way, ['--way', way, folder, url]] as const;

async function compareWays(folder: string, url: string, rows: number, rounds: number): Promise<void> {
  await makeGeneration({ path: fileIn(folder), rows });
  const { bytes } = await compare(folder, url);
  const outcomes = inTurn(Object.fromEntries(Object.keys(ways).map(argvOf(folder, url))), rounds);
  const baseline = outcomes['DuckDB, lines'] ?? [];
  await report(
    'loader',
    Object.entries(outcomes).map(([way, costs]) => ({
      way,
      ...figures(costs, rows),
      // The ratio within each round, because the speed of the machine changes between rounds.
      ratio: round(median(costs.map(({ cpuSeconds }, index) => cpuSeconds / (baseline[index]?.cpuSeconds ?? 0)))),
    })),
    { rows, 'MB of lines': round(bytes / 1e6, 0), 'lines per batch': BATCH_LINES, rounds },
    {
      title: 'CPU time from a Parquet file to writes over HTTP',
      value: 'CPU-s per million',
      meaning: 'CPU seconds per million rows',
      way: 'way',
    },
  );
}

async function compareSizes(folder: string, url: string): Promise<void> {
  const rows: Row[] = [];
  for (const millions of [1, 5, 20]) {
    await makeGeneration({ path: fileIn(folder), rows: millions * 1e6 });
    const growing = ['loader, plain', 'loader, gzip 1'].map(argvOf(folder, url));
    for (const [way, costs] of Object.entries(inTurn(Object.fromEntries(growing), 1))) {
      const megabytes = round(statSync(fileIn(folder)).size / 1e6, 0);
      rows.push({ way, rows: millions * 1e6, 'file MB': megabytes, ...figures(costs, millions * 1e6) });
    }
  }
  await report('loader-growth', rows, { 'lines per batch': BATCH_LINES });
}

const figures = (costs: readonly Cost[], rows: number): Row => ({
  'points/s': Math.round(rows / median(costs.map(({ seconds }) => seconds))),
  'CPU-s per million': round(median(costs.map(({ cpuSeconds }) => cpuSeconds)) / (rows / 1e6)),
  'peak MB': round(Math.max(...costs.map(({ peakMegabytes }) => peakMegabytes)), 0),
});

async function main(): Promise<void> {
  const [first, ...rest] = process.argv.slice(2);
  if (first === '--sink') return runSink();
  if (first === '--way') {
    const [way = '', folder = '', url = ''] = rest;
    await ways[way]?.(folder, url);
    console.log(JSON.stringify(costSoFar()));
    return;
  }
  const isGrowth = process.argv.includes('--growth');
  const rows = isGrowth ? ROWS : Number(first ?? ROWS);
  const folder = mkdtempSync(join(tmpdir(), 'bench-loader-'));
  mkdirSync(join(folder, 'generation'));
  const sink = fork(process.argv[1] ?? '', ['--sink'], { stdio: 'ignore' });
  try {
    const [port] = (await once(sink, 'message')) as [number];
    const url = `http://127.0.0.1:${port}`;
    if (isGrowth) await compareSizes(folder, url);
    else await compareWays(folder, url, rows, first === undefined ? ROUNDS : 1);
  } finally {
    sink.kill();
    rmSync(folder, { recursive: true });
  }
}

runMain(main);
