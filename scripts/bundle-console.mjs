/**
 * Bundles the page of the console (local/console-page) into a folder: index.html, console.js, console.css, query-worker.js and the
 * licences of the bundled packages.
 */
import './require-node.cjs';

import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'local/console-page');

/** Replaces each file in one step, as a server may read the folder at the same time. */
export async function bundleConsole(folder) {
  const fresh = `${folder}.${process.pid}`;
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { console: join(source, 'main.tsx'), 'query-worker': join(source, 'query-worker.ts') },
    outdir: fresh,
    bundle: true,
    minify: true,
    format: 'esm',
    // light-dark() of CSS and modules in workers.
    target: ['chrome123', 'firefox120', 'safari17.5'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  await cp(join(source, 'index.html'), join(fresh, 'index.html'));
  await writeFile(join(fresh, 'licenses.txt'), await licencesOf(Object.keys(metafile.inputs)));
  await mkdir(folder, { recursive: true });
  for (const name of ['licenses.txt', 'console.css', 'query-worker.js', 'console.js', 'index.html'])
    await rename(join(fresh, name), join(folder, name));
  await rm(fresh, { recursive: true });
}

/** The licences of the packages that the inputs belong to: they require it of every copy. */
async function licencesOf(inputs) {
  const found = inputs.map((input) => input.match(/^node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]);
  const texts = [...new Set(found.filter((folder) => folder !== undefined))].sort().map(async (folder) => {
    const { name, version, license } = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'));
    const file = ['LICENSE', 'LICENSE.md', 'license'].map((each) => join(root, folder, each)).find(existsSync);
    if (file === undefined) throw new Error(`${name} has no file LICENSE`);
    return `${name} ${version} (${license})\n\n${(await readFile(file, 'utf8')).trim()}\n`;
  });
  return (await Promise.all(texts)).join(`\n${'-'.repeat(78)}\n\n`);
}
