/** Bundles the Parquet worker, which must be a file of its own; run alone, it writes the one that tests and benchmarks use. */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** parquet-wasm stays outside, since it reads its .wasm beside its own file: the worker must lie where `require` finds it. */
export async function bundleWorker(outfile) {
  await build({
    entryPoints: [`${root}layers/shared/src/parquet/worker.ts`],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    external: ['parquet-wasm'],
    logLevel: 'warning',
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundleWorker(`${root}.build/parquet-worker.cjs`);
