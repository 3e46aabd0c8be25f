/** Bundles benchmarks of bench/ and runs them: `node scripts/run-bench.mjs [NAME [arguments]]`; without a name, all that need nothing else. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundleWorker } from './bundle-worker.mjs';

const ALL = ['encode', 'connector', 'cold-start', 'loader'];

const root = fileURLToPath(new URL('..', import.meta.url));
const [name, ...rest] = process.argv.slice(2);
await bundleWorker(`${root}.build/parquet-worker.cjs`);

async function run(benchmark) {
  const outfile = `${root}.build/bench-${benchmark}.cjs`;
  await build({
    entryPoints: [`${root}bench/${benchmark}.ts`],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    packages: 'external',
    alias: { shared: `${root}layers/shared/src` },
    logLevel: 'warning',
  });
  return spawnSync(process.execPath, [outfile, ...rest], { stdio: 'inherit', cwd: root }).status ?? 1;
}

for (const benchmark of name === undefined ? ALL : [name])
  process.exitCode = (await run(benchmark)) || process.exitCode;
