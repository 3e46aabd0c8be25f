/** Bundles without zod's other languages report the same problems, in the same words. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

const ROOT = resolve(__dirname, '../../..');

/** Runs in Node itself, because Jest cannot import the plugin, which is an ES module. */
const PROGRAM = `
  import { createRequire } from 'node:module';
  import { build } from 'esbuild';
  import { zodInEnglish } from './scripts/zod-in-english.mjs';

  const stdin = { contents: "export * from 'zod';", resolveDir: process.cwd() };
  const options = { bundle: true, write: false, metafile: true, format: 'cjs', platform: 'node', mainFields: ['module', 'main'] };
  const { outputFiles, metafile } = await build({ stdin, ...options, plugins: [zodInEnglish] });
  const module = { exports: {} };
  new Function('module', 'exports', 'require', outputFiles[0].text)(module, module.exports, createRequire(import.meta.url));

  const issuesOf = (z) => {
    const schemas = [
      z.string(), z.string().min(5).regex(/x/), z.email(), z.url(), z.number().int().min(3), z.number().multipleOf(2), z.date(),
      z.enum(['a', 'b']), z.literal('x'), z.array(z.string()).max(1), z.record(z.string(), z.number()), z.union([z.string(), z.number()]),
      z.object({ a: z.string() }).strict(), z.discriminatedUnion('k', [z.object({ k: z.literal('a') })]),
    ];
    const values = [undefined, null, 1, 2.5, NaN, Infinity, '', 'q', [], ['a', 'b', 3], {}, { a: 1, b: 2 }, { k: 'z' }, true];
    return schemas.flatMap((schema) => values.map((value) => schema.safeParse(value).error?.issues ?? []));
  };
  const languages = Object.keys(metafile.inputs).filter((path) => /locales.[a-z-]+\\.js$/i.test(path) && !/index/.test(path));
  console.log(JSON.stringify({ languages, bundled: issuesOf(module.exports), installed: issuesOf(await import('zod')) }));
`;

test('the messages of a bundle are those of the package, and English is its only language', () => {
  const argv = ['--input-type=module', '-e', PROGRAM];
  const { stdout, stderr, status } = spawnSync(process.execPath, argv, { cwd: ROOT, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  const { languages, bundled, installed } = JSON.parse(stdout) as Record<string, unknown[]>;
  expect(bundled).toEqual(installed);
  expect(JSON.stringify(bundled)).toContain('Invalid input: expected string, received number');
  expect(languages).toEqual(['node_modules/zod/v4/locales/en.js']);
});
