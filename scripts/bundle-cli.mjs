/**
 * Bundles the command line (local/cli/main.ts) into dist/: one file with all packages except DuckDB, which is native, and beside it
 * the Parquet worker, its .wasm and the console's page. As a program it always bundles; `bundleWhenStale` bundles only if a source has
 * changed.
 */
import './require-node.cjs';

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { cp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const SOURCES = ['local', 'samples', 'functions', 'layers/shared/src'];
const SCRIPTS = ['bundle-cli', 'bundle-console', 'bundle-worker', 'zod-in-english'].map(
  (name) => `scripts/${name}.mjs`,
);
const FILES = ['package.json', 'package-lock.json', ...SCRIPTS];
const STAMP = join(root, 'dist/sources.stamp');

/** A hash that changes with the name, size or modification time of any source. */
function stampOf() {
  const sources = SOURCES.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .filter((file) => /\.(?:tsx?|json|css|html)$/.test(file))
      .map((file) => join(folder, file)),
  );
  const hash = createHash('sha256');
  for (const file of [...sources, ...FILES].sort()) {
    const { size, mtimeMs } = statSync(join(root, file));
    hash.update(`${file} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function isFresh() {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stampOf();
}

/** For a clone; an installed archive has no sources. */
export async function bundleWhenStale() {
  if (!isFresh()) await bundleCli();
}

export async function bundleCli() {
  const { build } = await import('esbuild');
  const { bundleConsole } = await import('./bundle-console.mjs');
  const { bundleWorker } = await import('./bundle-worker.mjs');
  const { zodInEnglish } = await import('./zod-in-english.mjs');
  const stamp = stampOf();
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  await rm(STAMP, { force: true });
  // Another process may load the files at the same time, so each file is replaced in one step.
  const fresh = (name) => join(root, 'dist', `${name}.${process.pid}`);
  const wasm = join(root, 'node_modules/parquet-wasm/node/parquet_wasm_bg.wasm');
  await Promise.all([
    build({
      absWorkingDir: root,
      entryPoints: ['local/cli/main.ts'],
      outfile: fresh('cli.cjs'),
      bundle: true,
      minifySyntax: true,
      minifyWhitespace: true,
      platform: 'node',
      format: 'cjs',
      target: 'node20',
      // Keep lazy imports as require(), so that a subcommand loads its packages only when it runs.
      supported: { 'dynamic-import': false },
      mainFields: ['module', 'main'],
      external: ['@duckdb/node-api', 'shared/parquet/worker'],
      alias: { shared: join(root, 'layers/shared/src') },
      // Packages use import.meta.url to require files, but CommonJS has no import.meta.
      banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
      define: { PROGRAM_VERSION: JSON.stringify(version), 'import.meta.url': 'bundleUrl' },
      plugins: [zodInEnglish],
      logLevel: 'warning',
    }),
    bundleWorker(fresh('parquet-worker.cjs'), { external: [] }),
    bundleConsole(join(root, 'dist/console')),
  ]);
  await cp(wasm, fresh('parquet_wasm_bg.wasm'));
  for (const name of ['parquet_wasm_bg.wasm', 'parquet-worker.cjs', 'cli.cjs'])
    await rename(fresh(name), join(root, 'dist', name));
  await writeFile(STAMP, stamp);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundleCli();
