/**
 * Loads generated files into a real InfluxDB and counts the stored points. Reports rate, latency of the writes, and memory of the
 * loading process. Fails if a point is missing or the memory exceeds its limit.
 *
 *     npm run test:load -- [files] [rows per file]
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LineWriter } from 'shared/influxdb/client';
import { findInfluxd, Influxd, TOKEN } from '../test/support/influxd';
import { makeGeneration } from './generation';
import { loadFolder } from './load-folder';
import { type Cost, costSoFar, inProcess } from './runs';

const MAX_MEGABYTES = 300;

/** Each file has its own year, so that points of different files do not overwrite each other. */
async function generate(folder: string, files: number, rows: number): Promise<void> {
  for (let file = 0; file < files; file++) {
    await makeGeneration({ path: join(folder, `${file}.parquet`), rows, start: `${2024 + file}-01-01` });
  }
}

/** A writer that records the duration of each write, ms. */
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
  const latencies: number[] = [];
  const begun = performance.now();
  const summary = await loadFolder(folder, { INFLUXDB_URL: url, INFLUXDB_TOKEN: TOKEN }, (writer) =>
    timed(writer, latencies),
  );
  const outcome: Outcome = {
    ...costSoFar(),
    seconds: (performance.now() - begun) / 1000,
    points: summary.points_written,
    statusCode: summary.statusCode,
    latencies: percentiles(latencies),
  };
  console.log(JSON.stringify(outcome));
}

function percentiles(values: number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  return [0.5, 0.95, 0.99, 1].map((share) => sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
}

interface Outcome extends Cost {
  readonly points: number;
  readonly statusCode: number;
  readonly latencies: readonly number[];
}

async function main(): Promise<void> {
  const [first, ...rest] = process.argv.slice(2);
  if (first === '--generate') return generate(String(rest[0]), Number(rest[1]), Number(rest[2]));
  if (first === '--load') return load(String(rest[0]), String(rest[1]));
  const [files, rows] = [Number(first ?? 4), Number(rest[0] ?? 250_000)];
  const binary = findInfluxd();
  if (binary === undefined) throw new Error('influxd is missing: set INFLUXD to the path of influxd 2.7');
  const folder = mkdtempSync(join(tmpdir(), 'load-influxdb-'));
  mkdirSync(join(folder, 'generation'));
  inProcess('--generate', join(folder, 'generation'), files, rows);
  const influxd = await Influxd.start(binary);
  try {
    const outcome = JSON.parse(inProcess('--load', folder, influxd.url)) as Outcome;
    const { points, statusCode, seconds, latencies, cpuSeconds, peakMegabytes } = outcome;
    const counted = await influxd.count('power_mw');
    const [p50, p95, p99, max] = latencies.map((latency) => latency.toFixed(1));
    console.log(
      `${files} files of ${rows} rows: ${points} points written, ${counted} counted by Flux, status ${statusCode}`,
    );
    console.log(
      `${seconds.toFixed(1)} s, ${(points / seconds).toFixed(0)} points/s, ${cpuSeconds.toFixed(1)} CPU-s of the loader`,
    );
    console.log(`writes: p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms, maximum ${max} ms`);
    console.log(`peak memory: ${peakMegabytes.toFixed(0)} MB, at most ${MAX_MEGABYTES}`);
    if (counted !== files * rows || statusCode !== 200 || peakMegabytes > MAX_MEGABYTES) process.exitCode = 1;
  } finally {
    await influxd.remove();
    rmSync(folder, { recursive: true });
  }
}

void main();
