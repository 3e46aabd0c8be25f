/** Bundles a benchmark and runs it: `node scripts/run-bench.mjs NAME [arguments]`. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundleWorker } from './bundle-worker.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const [name, ...rest] = process.argv.slice(2);
const outfile = `${root}.build/bench-${name}.cjs`;
await bundleWorker(`${root}.build/parquet-worker.cjs`);
await build({
  entryPoints: [`${root}bench/${name}.ts`],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  packages: 'external',
  alias: { shared: `${root}layers/shared/src` },
  logLevel: 'warning',
});
process.exitCode = spawnSync(process.execPath, [outfile, ...rest], { stdio: 'inherit', cwd: root }).status ?? 1;
