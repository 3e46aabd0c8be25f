#!/usr/bin/env node
/** Starts the command line. In a clone it is bundled first where a source changed; an installed archive holds the bundle. */
import '../scripts/require-node.cjs';

import { existsSync } from 'node:fs';
import module, { createRequire } from 'node:module';

const bundle = new URL('../dist/cli.cjs', import.meta.url);
if (existsSync(new URL('../local/cli/main.ts', import.meta.url))) {
  const { bundleWhenStale } = await import('../scripts/bundle-cli.mjs');
  await bundleWhenStale();
}
if (process.env.npm_lifecycle_event !== undefined) {
  // A shell that npm started dies of SIGTERM alone and passes nothing on: the program then ends by the same signal.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 200);
  watch.unref();
}
if (existsSync(bundle)) {
  // Node 22 and newer keep the compiled code: the second start is faster.
  module.enableCompileCache?.();
  createRequire(import.meta.url)('../dist/cli.cjs');
} else {
  console.error('dist/cli.cjs is missing: pack the archive with `npm run pack`, which bundles the program first.');
  process.exitCode = 1;
}
