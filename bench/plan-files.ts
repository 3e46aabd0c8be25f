/**
 * Measures how many files one PlanLoad can plan: a prefix with many files in a local fake of S3, which runs in a separate process.
 *
 *     node scripts/run-bench.mjs plan-files [files] [latency in ms]
 *
 * The latency is added to each response, as real S3 has some; 0 by default.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUILT_IN_MAPPINGS } from 'shared/datasets/built-in';
import { planLoad } from 'shared/loads/plan-load';
import { ParquetReader } from 'shared/parquet/reader';
import { s3Objects } from '../functions/clients/s3';
import { S3Double } from '../test/support/s3-double';

const FILE = join(process.cwd(), 'test/fixtures/parquet/codec-snappy.parquet');

async function serve(files: number, latencyMs: number): Promise<void> {
  const double = await S3Double.start();
  double.latencyMs = latencyMs;
  const bytes = readFileSync(FILE);
  for (let index = 0; index < files; index++) {
    double.objects.set(`data/generation/year=2024/${String(index).padStart(8, '0')}.parquet`, bytes);
  }
  process.send?.(double.url);
}

async function plan(files: number, url: string): Promise<void> {
  const reader = new ParquetReader({ workerFile: join(process.cwd(), '.build/parquet-worker.cjs') });
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const objects = s3Objects({ endpoint: url, region: 'us-east-1', credentials, forcePathStyle: true });
  const source = { bucket: 'data', prefix: 'generation/' };
  const load = { loadId: 'bench', source, dataset: null, toleratedFailurePercentage: 0, maxConcurrency: 10 };
  const deadline = new AbortController().signal;
  const services = { objects, reader, mappings: BUILT_IN_MAPPINGS, validateSchema: true, workBucket: 'work', deadline };
  const begun = performance.now();
  const result = await planLoad({ load, part: 0, continuation: null }, services);
  const seconds = (performance.now() - begun) / 1000;
  await reader.close();
  if (result.files !== files || result.items !== files) throw new Error(`planned ${result.files} of ${files} files`);
  const { user, system } = process.cpuUsage();
  const megabytes = process.resourceUsage().maxRSS / 1024;
  console.log(
    `${files} files in ${seconds.toFixed(1)} s (${(files / seconds).toFixed(0)}/s), ${((user + system) / 1e6).toFixed(1)} CPU-s, ` +
      `peak ${megabytes.toFixed(0)} MB`,
  );
}

async function main(): Promise<void> {
  const [first, ...rest] = process.argv.slice(2);
  if (first === '--serve') return serve(Number(rest[0]), Number(rest[1]));
  const files = Number(first ?? 100_000);
  const latency = rest[0] ?? '0';
  const server = spawn(process.execPath, [process.argv[1] ?? '', '--serve', String(files), latency], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [url] = (await once(server, 'message')) as [string];
  await plan(files, url).finally(() => server.kill());
}

void main();
