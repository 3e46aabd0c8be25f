import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../../..');
const bench = (...args: string[]) =>
  spawnSync(process.execPath, ['scripts/run-bench.mjs', ...args], { cwd: ROOT, encoding: 'utf8' });

test('--help lists every benchmark and what it measures', () => {
  const { status, stdout } = bench('--help');
  const listed = [...stdout.matchAll(/^ {2}(\S+) +\S.*$/gm)].map(([, name = '']) => name);
  expect(listed.filter((name) => !existsSync(join(ROOT, 'bench', `${name}.ts`)))).toEqual([]);
  const runnable = readdirSync(join(ROOT, 'bench')).filter(
    (file) =>
      file.endsWith('.ts') && / {5}(?:npm run|node scripts)/.test(readFileSync(join(ROOT, 'bench', file), 'utf8')),
  );
  expect(listed.map((name) => `${name}.ts`).sort()).toEqual(runnable.sort());
  expect(status).toBe(0);
});

test('an unknown name prints the list of benchmarks and exits with 2', () => {
  const { status, stderr } = bench('conector');
  expect(stderr).toContain("unknown benchmark 'conector'");
  expect(stderr).toMatch(/^ {2}connector +the whole connector/m);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(status).toBe(2);
});

test('a signal ends the running program and the processes that it started', async () => {
  const code = "import { runProgram } from './scripts/run-program.mjs'; await runProgram(process.argv[1], []);";
  const args = ['--input-type=module', '-e', code, 'test/fixtures/programs/with-child'];
  const runner = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  await once(runner.stdout, 'data');
  runner.kill('SIGTERM');
  // The output closes once no process has it open.
  expect(await once(runner, 'close')).toEqual([null, 'SIGTERM']);
});
