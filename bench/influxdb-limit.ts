/**
 * Loads the same lines into a real InfluxDB (influxd) by ready request bodies and by the command `load`, in turn, each time into a new
 * influxd. influxd has the first core and the program that writes has the second (Linux, `taskset`), so influxd is the limit, and its
 * maximum is the best rate of the ready bodies. After each run the stored points are counted.
 *
 *     npm run bench -- influxdb-limit [rows] [rounds] [files] [way ...]
 *
 * A way is `bodies` or `load` with lines per write, writes in flight and level of gzip, such as `bodies:5000:16:0`. `-` leaves the default
 * of `load`.
 */
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { BUILT_IN_MAPPINGS } from 'shared/datasets/built-in';
import { BUCKET, findInfluxd, Influxd, ORG, TOKEN } from '../test/support/influxd';
import { makeGeneration } from './generation';
import { readLines } from './read-lines';
import { type Row, report, round } from './report';
import { inProcess, median, runMain } from './runs';

const PROGRAM = resolve('bin/influxdb-timestream.mjs');
const TIMER = resolve('bench/write-times.cjs');
const BODIES = ['bodies:5000:1:0', 'bodies:5000:4:0', 'bodies:5000:16:0', 'bodies:5000:4:1', 'bodies:1000:4:0'];
const LOADS = ['load:-:-:-', 'load:-:16:-', 'load:-:-:0', 'load:5000:-:-', 'load:5000:-:0', 'load:10000:-:0'];

const START = Date.parse('2024-01-01');
const DAY_MS = 86_400_000;
/** 100 plants every five minutes. */
const ROWS_PER_DAY = 28_800;

interface Run {
  /** From the first write to the last response. */
  readonly seconds: number;
  /** CPU time of the program that writes, in these seconds. */
  readonly cpuSeconds: number;
  readonly influxdCpuSeconds: number;
  /** From the start of the program to its end. */
  readonly wholeSeconds: number;
}

/** Makes the Parquet files of `load`, and a file of the same lines in the same order for the ready bodies. */
async function prepare(folder: string, rows: number, files: number): Promise<void> {
  const mapping = BUILT_IN_MAPPINGS.find(({ name }) => name === 'generation');
  if (!mapping) throw new Error('the built-in mapping generation is missing');
  const rowsPerFile = Math.ceil(rows / files);
  const lines = openSync(join(folder, 'lines'), 'w');
  for (let file = 0; file < files; file++) {
    // `load` takes the files in the order of their names, which is also the order of their times.
    const path = join(folder, 'generation', `${String(file).padStart(6, '0')}.parquet`);
    const start = new Date(START + file * Math.ceil(rowsPerFile / ROWS_PER_DAY) * DAY_MS).toISOString().slice(0, 10);
    await makeGeneration({ path, rows: Math.min(rowsPerFile, rows - file * rowsPerFile), start });
    await readLines(path, mapping, 5_000, (bytes) => writeSync(lines, bytes));
  }
}

/** Writes the lines of a file with a fixed number of writes in flight. All bodies are made before the first write. */
async function sendBodies(file: string, url: string, lines: number, inFlight: number, level: number): Promise<void> {
  const bodies = bodiesOf(readFileSync(file), lines).map((body) => (level === 0 ? body : gzipSync(body, { level })));
  const agent = new http.Agent({ keepAlive: true });
  const path = `${url}/api/v2/write?${new URLSearchParams({ org: ORG, bucket: BUCKET, precision: 'ns' })}`;
  const encoding = level === 0 ? {} : { 'content-encoding': 'gzip' };
  const send = (body: Buffer): Promise<void> =>
    new Promise((done, failed) => {
      const headers = { authorization: `Token ${TOKEN}`, 'content-length': body.length, ...encoding };
      const request = http.request(path, { method: 'POST', agent, headers }, (response) => {
        const { statusCode } = response;
        response.resume().on('end', () => (statusCode === 204 ? done() : failed(new Error(`status ${statusCode}`))));
      });
      request.on('error', failed).end(body);
    });
  const queue = bodies.values();
  const sendAll = async (): Promise<void> => {
    for (const body of queue) await send(body);
  };
  await Promise.all(Array.from({ length: inFlight }, sendAll));
  agent.destroy();
}

function bodiesOf(bytes: Buffer, lines: number): Buffer[] {
  const bodies: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    let end = start;
    for (let line = 0; line < lines && end < bytes.length; line++) end = bytes.indexOf('\n', end) + 1;
    bodies.push(bytes.subarray(start, end));
    start = end;
  }
  return bodies;
}

/** Starts an influxd that has the first core alone, and can report its CPU time. */
async function startPinned(binary: string, folder: string): Promise<{ influxd: Influxd; cpuSeconds: () => number }> {
  const [program, pid] = [join(folder, 'influxd'), join(folder, 'influxd.pid')];
  writeFileSync(program, `#!/bin/sh\necho $$ > ${pid}\nGOMAXPROCS=1 exec taskset -c 0 ${binary} "$@"\n`);
  chmodSync(program, 0o755);
  const influxd = await Influxd.start(program);
  const stat = `/proc/${readFileSync(pid, 'utf8').trim()}/stat`;
  const cpuSeconds = (): number => {
    const [, , ...fields] = readFileSync(stat, 'utf8').split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  };
  return { influxd, cpuSeconds };
}

async function run(way: string, folder: string, binary: string, rows: number): Promise<Run> {
  const { influxd, cpuSeconds } = await startPinned(binary, folder);
  try {
    const times = join(folder, 'times.json');
    const argv = ['-c', '1', process.execPath, '-r', TIMER, ...programOf(way, folder, influxd.url)];
    const [begun, cpu] = [performance.now(), cpuSeconds()];
    await promisify(execFile)('taskset', argv, {
      cwd: folder,
      env: { PATH: process.env.PATH, TIMES: times, INFLUXDB_TOKEN: TOKEN },
    });
    const influxdCpuSeconds = cpuSeconds() - cpu;
    const wholeSeconds = (performance.now() - begun) / 1000;
    const counted = await influxd.count('power_mw');
    if (counted !== rows) throw new Error(`${way}: ${counted} of ${rows} points are stored`);
    return { ...JSON.parse(readFileSync(times, 'utf8')), influxdCpuSeconds, wholeSeconds };
  } finally {
    await influxd.remove();
  }
}

/** The program of a way, with its arguments. */
function programOf(way: string, folder: string, url: string): string[] {
  const [kind, ...numbers] = way.split(':');
  if (kind === 'bodies') return [process.argv[1] ?? '', '--send', join(folder, 'lines'), url, ...numbers];
  const options = ['--batch-size', '--concurrency', '--gzip-level'].flatMap((option, index) => {
    const number = numbers[index] ?? '-';
    return number === '-' ? [] : [option, number];
  });
  return [PROGRAM, 'load', join(folder, 'generation'), '--url', url, ...options];
}

function rowOf(way: string, runs: readonly Run[], maxima: readonly number[], rows: number): Row {
  const of = (value: (run: Run, index: number) => number): number => median(runs.map(value));
  const perMillion = (value: (run: Run) => number): number => round(of(value) / (rows / 1e6));
  return {
    way,
    'rows/s': round(
      of(({ seconds }) => rows / seconds),
      0,
    ),
    // The share within each round, because the speed of the machine changes between rounds.
    'share of the maximum': round(of(({ seconds }, index) => rows / seconds / (maxima[index] ?? 0))),
    'influxd busy': round(of(({ influxdCpuSeconds, seconds }) => influxdCpuSeconds / seconds)),
    'influxd CPU-s per million': perMillion(({ influxdCpuSeconds }) => influxdCpuSeconds),
    'CPU-s per million': perMillion(({ cpuSeconds }) => cpuSeconds),
    'whole process, s': round(of(({ wholeSeconds }) => wholeSeconds)),
  };
}

async function main(): Promise<void> {
  const [first, ...rest] = process.argv.slice(2);
  const [one = '', two = '', ...numbers] = rest;
  if (first === '--prepare') return prepare(one, Number(two), Number(numbers[0]));
  if (first === '--send') {
    const [lines = 0, inFlight = 0, level = 0] = numbers.map(Number);
    return sendBodies(one, two, lines, inFlight, level);
  }
  const [rows = 400_000, rounds = 3, files = 1] = process.argv.slice(2, 5).map(Number);
  const given = process.argv.slice(5);
  const ways = given.length > 0 ? given : [...BODIES, ...LOADS];
  const binary = findInfluxd();
  if (binary === undefined) throw new Error('influxd is missing: set INFLUXD to the path of influxd 2.7');
  const folder = mkdtempSync(join(tmpdir(), 'influxdb-limit-'));
  mkdirSync(join(folder, 'generation'));
  try {
    inProcess('--prepare', folder, rows, files);
    const rounded: Run[][] = [];
    for (let index = 0; index < rounds; index++) {
      const runs: Run[] = [];
      for (const way of ways) runs.push(await run(way, folder, binary, rows));
      rounded.push(runs);
    }
    const maxima = rounded.map((runs) =>
      Math.max(...runs.map(({ seconds }, index) => (ways[index]?.startsWith('bodies') ? rows / seconds : 0))),
    );
    const runsOf = (index: number): Run[] => rounded.flatMap((runs) => runs[index] ?? []);
    const table = ways.map((way, index) => rowOf(way, runsOf(index), maxima, rows));
    await report('influxdb-limit', table, { rows, files, rounds });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

runMain(main);
