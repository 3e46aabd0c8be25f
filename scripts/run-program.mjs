/** Bundles a program of TypeScript that is not part of the product, such as a benchmark, and runs it. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** @param path of the source below the root, without its extension. Returns the exit code. */
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
  return spawnSync(process.execPath, [outfile, ...args], { stdio: 'inherit', cwd: root }).status ?? 1;
}
