/** Bundles benchmarks of bench/ and runs them: `node scripts/run-bench.mjs [NAME [arguments]]`; without a name, all that need nothing else. */
import { fileURLToPath } from 'node:url';
import { bundleWorker } from './bundle-worker.mjs';
import { runProgram } from './run-program.mjs';

const ALL = ['encode', 'connector', 'cold-start', 'loader'];

const root = fileURLToPath(new URL('..', import.meta.url));
const [name, ...rest] = process.argv.slice(2);
await bundleWorker(`${root}.build/parquet-worker.cjs`);

for (const benchmark of name === undefined ? ALL : [name])
  process.exitCode = (await runProgram(`bench/${benchmark}`, rest)) || process.exitCode;
