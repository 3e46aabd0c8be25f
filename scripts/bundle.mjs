/**
 * Builds the layer (layers/shared/dist and layers/shared/vendor). The output is CommonJS, and a lazy `import()` becomes a `require`,
 * because a Lambda finds the layer through NODE_PATH, which `import` ignores. Types are checked by `npm run check`, not here.
 * scripts/bundle-cli.mjs builds the command line.
 */
import './require-node.cjs';

import { promises, readdirSync, readFileSync } from 'node:fs';
import module from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';
import { zodInEnglish } from './zod-in-english.mjs';

// Not imported by name: an old Node without one of the names would fail here, before its version is checked.
const { cp, readFile, rm, writeFile } = promises;
const { isBuiltin } = module;

const SOURCE = 'layers/shared/src';
const DIST = 'layers/shared/dist';
const VENDOR = 'layers/shared/vendor';

const NODE_CODE = {
  platform: 'node',
  format: 'cjs',
  target: 'es2022',
  supported: { 'dynamic-import': false },
  logLevel: 'warning',
};

/** Builds one file per module of the layer, so that stack traces and lazy `require` calls name the source module. */
async function buildModules() {
  const files = readdirSync(SOURCE, { recursive: true }).filter((file) => /(?<!\.d)\.ts$|\.json$/.test(file));
  await build({
    ...NODE_CODE,
    entryPoints: files.map((file) => join(SOURCE, file)),
    outbase: SOURCE,
    outdir: DIST,
    loader: { '.json': 'copy' },
    sourcemap: true,
    sourcesContent: false,
    // esbuild exports through getters, which are slow in hot loops. With plain properties, mapping lines to records takes a fifth of
    // the time on Node 20. Import cycles would break, but biome.json forbids them (noImportCycles).
    footer: { js: 'module.exports = { ...module.exports };' },
  });
}

/** The npm packages that the built modules import, as written (`zod`, `parquet-wasm/node`). Type imports are already removed. */
async function importedPackages() {
  const files = readdirSync(DIST, { recursive: true }).filter((file) => file.endsWith('.js'));
  const { dependencies } = JSON.parse(readFileSync('layers/shared/package.json', 'utf8'));
  const specifiers = new Set();
  for (const file of files) {
    const code = await readFile(join(DIST, file), 'utf8');
    for (const [, specifier] of code.matchAll(/\brequire\("([^".][^"]*)"\)/g)) {
      if (isBuiltin(specifier) || specifier.startsWith('shared/')) continue;
      if (!Object.hasOwn(dependencies, packageName(specifier))) {
        throw new Error(`${DIST}/${file} requires ${specifier}, which layers/shared/package.json does not list`);
      }
      specifiers.add(specifier);
    }
  }
  return [...specifiers];
}

function packageName(specifier) {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Puts one package into the layer: a minified file in a folder with the name that the modules import. */
async function vendor(specifier) {
  const folder = join(VENDOR, specifier);
  const name = packageName(specifier);
  const main = name === 'parquet-wasm' ? 'parquet_wasm.js' : 'index.js';
  if (name === 'parquet-wasm') {
    // Its loader reads the .wasm from its own folder, so both files are copied unchanged.
    for (const file of [main, 'parquet_wasm_bg.wasm'])
      await cp(join('node_modules', name, 'node', file), join(folder, file));
  } else {
    await build({
      ...NODE_CODE,
      entryPoints: [specifier],
      outfile: join(folder, main),
      bundle: true,
      minify: true,
      mainFields: ['module', 'main'],
      plugins: [zodInEnglish],
    });
  }
  const { version } = JSON.parse(await readFile(join('node_modules', name, 'package.json'), 'utf8'));
  await writeFile(join(folder, 'package.json'), `${JSON.stringify({ name, version, main }, null, 2)}\n`);
}

await Promise.all([DIST, VENDOR].map((folder) => rm(folder, { recursive: true, force: true })));
await buildModules()
  .then(importedPackages)
  .then((specifiers) => Promise.all(specifiers.map(vendor)));
