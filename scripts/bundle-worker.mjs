/** Bundles the Parquet worker, which must be a separate file. As a program it writes the worker of tests and benchmarks. */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * parquet-wasm reads its .wasm from the folder of its own file. By default the package is not bundled, and the worker must be in a
 * place from where `require` finds it. If it is bundled, the .wasm must be beside the worker.
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
