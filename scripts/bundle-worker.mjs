/** Bundles the Parquet worker, which must be a file of its own; run alone, it writes the one that tests and benchmarks use. */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * parquet-wasm reads its .wasm beside its own file. By default it stays outside, and the worker must lie where `require` finds it;
 * with nothing external the .wasm must lie beside the worker.
 */
export async function bundleWorker(outfile, { external = ['parquet-wasm'] } = {}) {
  await build({
    entryPoints: [`${root}layers/shared/src/parquet/worker.ts`],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    external,
    logLevel: 'warning',
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundleWorker(`${root}.build/parquet-worker.cjs`);
