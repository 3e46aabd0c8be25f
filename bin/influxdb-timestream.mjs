#!/usr/bin/env node
/** Starts the command line. In a clone it first bundles the sources if they changed; an installed archive contains the bundle. */
import '../scripts/require-node.cjs';

import { existsSync } from 'node:fs';
import module, { createRequire } from 'node:module';

const bundle = new URL('../dist/cli.cjs', import.meta.url);
if (existsSync(new URL('../local/cli/main.ts', import.meta.url))) {
  const { bundleWhenStale } = await import('../scripts/bundle-cli.mjs');
  await bundleWhenStale();
}
if (process.env.npm_lifecycle_event !== undefined) {
  // SIGTERM ends the shell that npm started, but the shell does not forward it. So this program ends when its parent does.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 200);
  watch.unref();
}
if (existsSync(bundle)) {
  // Node 22 and newer cache the compiled code, which makes the next start faster.
  module.enableCompileCache?.();
  createRequire(import.meta.url)('../dist/cli.cjs');
} else {
  console.error(
    'dist/cli.cjs is missing from this archive. Build the archive with `npm run pack`, which bundles it first.',
  );
  process.exitCode = 1;
}
