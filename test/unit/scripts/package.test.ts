/** The scripts and files in package.json. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../../..');
const { scripts, bin, files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
  bin: Record<string, string>;
  files: string[];
};

/** Commands and characters that cmd.exe does not support. npm runs scripts with the shell of the system. */
const OF_A_SHELL =
  /\bexec\b|\$\(|\$\{?\w|`|'|^\w+=|[&|;] *\w+=|;|\b(?:rm|cp|mv|mkdir|cat|export|source|test) |\|\| *true/;

test.each(Object.entries(scripts))('npm run %s runs on Windows too', (_, script) => {
  expect(script).not.toMatch(OF_A_SHELL);
});

test.each(['exec node x', 'A=1 node x', 'node $(pwd)', 'node $HOME', "node 'x'", 'rm -rf x', 'a && B=1 b'])(
  '%s would not',
  (script) => {
    expect(script).toMatch(OF_A_SHELL);
  },
);

test('the program exists, and the archive contains it with all files that it needs', () => {
  const [program = ''] = Object.values(bin);
  expect(Object.keys(bin)).toEqual(['influxdb-timestream']);
  expect(existsSync(join(ROOT, program))).toBe(true);
  expect(readFileSync(join(ROOT, program), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  expect(files).toEqual(
    expect.arrayContaining([
      'bin',
      'dist/cli.cjs',
      'dist/console',
      'dist/parquet-worker.cjs',
      'dist/parquet_wasm_bg.wasm',
    ]),
  );
});
