/**
 * Loads generated files into a real InfluxDB and counts what it holds: rate, latency of the writes, memory of the loading process.
 * It fails where a point is missing or the memory exceeds its bound.
 *
 *     npm run test:load -- [files] [rows a file]
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUILT_IN_MAPPINGS } from 'shared/datasets/built-in';
import { InfluxClient, type LineWriter } from 'shared/influxdb/client';
import { staticToken } from 'shared/influxdb/token';
import { loadLoaderConfig } from 'shared/loader-config';
import { ParquetReader } from 'shared/parquet/reader';
import { FolderObjects } from '../local/loader/folder-objects';
import { runLoad } from '../local/loader/workflow';
import { findInfluxd, Influxd, TOKEN } from '../test/influxd';

const MOST_MEGABYTES = 300;

/** Each file has a year of its own, so that no point overwrites one of another file. */
const MAKE = (rows: number, file: number, path: string) => `
  COPY (
    SELECT TIMESTAMP '2024-01-01' + INTERVAL 365 DAY * ${file} + INTERVAL 5 MINUTE * (i // 100) AS "timestamp",
      ['norte', 'nordeste', 'sudeste', 'sul'][1 + i % 4] AS region,
      round(1000 * (hash(i) % 1000003) / 1000003.0, 3)::DOUBLE AS "value",
      'MW' AS unit,
      ['hidrica', 'termica', 'eolica', 'solar', 'nuclear'][1 + i % 5] AS energy_source,
      'generation' AS measurement_type,
      'Usina ' || (i % 100) AS plant_name,
      (50 + (i % 100) * 13.7)::DOUBLE AS capacity_mw
    FROM range(${rows}) AS r(i)
  ) TO '${path}' (FORMAT parquet, COMPRESSION snappy)`;

async function generate(folder: string, files: number, rows: number): Promise<void> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const connection = await (await DuckDBInstance.create()).connect();
  for (let file = 0; file < files; file++) await connection.run(MAKE(rows, file, join(folder, `${file}.parquet`)));
  connection.closeSync();
}

/** The same writer, which notes how long each write takes, in ms. */
function timed(writer: LineWriter, latencies: number[]): LineWriter {
  return {
    encode: (lines) => writer.encode(lines),
    async write(encoded, signal) {
      const begun = performance.now();
      const outcome = await writer.write(encoded, signal);
      latencies.push(performance.now() - begun);
      return outcome;
    },
  };
}

async function load(folder: string, url: string): Promise<void> {
  const config = loadLoaderConfig({ INFLUXDB_URL: url, INFLUXDB_TOKEN: TOKEN, WORK_BUCKET: 'work' });
  const client = new InfluxClient(config.target, staticToken(TOKEN), { gzipLevel: config.gzipLevel });
  const reader = new ParquetReader({ workerFile: join(process.cwd(), '.build/parquet-worker.cjs') });
  const objects = new FolderObjects({ data: folder, work: join(folder, 'work') });
  const latencies: number[] = [];
  const silent = (): void => undefined;
  const logger = { debug: silent, info: silent, warn: silent, error: silent };
  const common = { objects, reader, mappings: BUILT_IN_MAPPINGS, deadline: new AbortController().signal };
  const begun = performance.now();
  const summary = await runLoad(
    'test',
    { bucket: 'data', prefix: 'generation/', maxConcurrency: 1 },
    {
      plan: { ...common, validateSchema: true, workBucket: 'work' },
      load: { ...common, config, influxdb: timed(client, latencies), logger },
      check: () => Promise.resolve(),
    },
  );
  const seconds = (performance.now() - begun) / 1000;
  await reader.close();
  client.close();
  const { user, system } = process.cpuUsage();
  const outcome = {
    ...{ points: summary.points_written, statusCode: summary.statusCode, seconds, latencies: percentiles(latencies) },
    ...{ cpuSeconds: (user + system) / 1e6, megabytes: process.resourceUsage().maxRSS / 1024 },
  };
  console.log(JSON.stringify(outcome));
}

function percentiles(values: number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  return [0.5, 0.95, 0.99, 1].map((share) => sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
}

interface Outcome {
  readonly points: number;
  readonly statusCode: number;
  readonly seconds: number;
  readonly latencies: readonly number[];
  readonly cpuSeconds: number;
  readonly megabytes: number;
}

/** A part of this program in a process of its own, so that its memory is its own. */
function inProcess(...argv: (string | number)[]): string {
  const args = [process.argv[1] ?? '', ...argv.map(String)];
  return execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

async function main(): Promise<void> {
  const [first, ...rest] = process.argv.slice(2);
  if (first === '--generate') return generate(String(rest[0]), Number(rest[1]), Number(rest[2]));
  if (first === '--load') return load(String(rest[0]), String(rest[1]));
  const [files, rows] = [Number(first ?? 4), Number(rest[0] ?? 250_000)];
  const binary = findInfluxd();
  if (binary === undefined) throw new Error('no influxd: set INFLUXD to one of version 2.7');
  const folder = mkdtempSync(join(tmpdir(), 'load-influxdb-'));
  mkdirSync(join(folder, 'generation'));
  inProcess('--generate', join(folder, 'generation'), files, rows);
  const influxd = await Influxd.start(binary);
  try {
    const outcome = JSON.parse(inProcess('--load', folder, influxd.url)) as Outcome;
    const { points, statusCode, seconds, latencies, cpuSeconds, megabytes } = outcome;
    const counted = await influxd.count('power_mw');
    const [p50, p95, p99, most] = latencies.map((latency) => latency.toFixed(1));
    console.log(
      `${files} files of ${rows} rows: ${points} points written, ${counted} counted by Flux, status ${statusCode}`,
    );
    console.log(
      `${seconds.toFixed(1)} s, ${(points / seconds).toFixed(0)} points/s, ${cpuSeconds.toFixed(1)} CPU-s of the loader`,
    );
    console.log(`writes: p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms, longest ${most} ms`);
    console.log(`peak memory: ${megabytes.toFixed(0)} MB, at most ${MOST_MEGABYTES}`);
    if (counted !== files * rows || statusCode !== 200 || megabytes > MOST_MEGABYTES) process.exitCode = 1;
  } finally {
    await influxd.remove();
    rmSync(folder, { recursive: true });
  }
}

void main();
