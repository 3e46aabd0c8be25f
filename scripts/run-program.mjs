/** Bundles and runs a TypeScript program that is not part of the product, such as a benchmark. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { zodInEnglish } from './zod-in-english.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs the program and returns its exit code. A signal ends the program and all processes that it started, then this one.
 * @param path of the source below the root, without its extension
 */
export async function runProgram(path, args) {
  const outfile = `${root}.build/${path.replaceAll('/', '-')}.cjs`;
  await build({
    entryPoints: [`${root}${path}.ts`],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    packages: 'external',
    // Zod is bundled as in the product: the package has 60 files, and loading them takes 50 ms of CPU time.
    alias: { shared: `${root}layers/shared/src`, zod: `${root}node_modules/zod/index.js` },
    plugins: [zodInEnglish],
    logLevel: 'warning',
  });
  // The program leads a process group, so that a signal also reaches the processes that it starts. Windows has no process groups.
  const hasGroups = process.platform !== 'win32';
  const stdio = ['ignore', 'inherit', 'inherit'];
  const child = spawn(process.execPath, [outfile, ...args], { stdio, cwd: root, detached: hasGroups });
  let ending;
  const pass = (signal) => {
    ending = signal;
    if (hasGroups) process.kill(-child.pid, signal);
    else child.kill(signal);
  };
  for (const signal of SIGNALS) process.on(signal, pass);
  const [code] = await once(child, 'exit');
  for (const signal of SIGNALS) process.off(signal, pass);
  if (ending !== undefined) process.kill(process.pid, ending);
  return code ?? 1;
}
