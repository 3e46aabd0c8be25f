/** Bundles a program of TypeScript that is not part of the product, such as a benchmark, and runs it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * A signal ends the program and all processes that it started, then this one.
 * @param path of the source below the root, without its extension. Returns the exit code.
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
    alias: { shared: `${root}layers/shared/src` },
    logLevel: 'warning',
  });
  // The leader of a process group, so that a signal reaches those that it starts; Windows has no such groups.
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
