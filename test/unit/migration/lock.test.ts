/** The lock of a migration on this machine. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../../../local/cli/ending';
import { lockMigration } from '../../../local/migration/lock';

let folder: string;
const file = () => join(folder, 'migrations/m-1/lock');
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'));
  lockMigration(folder, 'm-1')();
});
afterEach(() => rmSync(folder, { recursive: true }));

test('refuses a migration that another process works on', () => {
  writeFileSync(file(), String(process.ppid));
  expect(() => lockMigration(folder, 'm-1')).toThrow(UsageError);
  expect(() => lockMigration(folder, 'm-1')).toThrow(`running in process ${process.ppid}`);
  expect(() => lockMigration(folder, 'm-2')).not.toThrow();
});

test.each([
  ['a process that has ended', () => String(spawnSync(process.execPath, ['-e', '']).pid)],
  ['this process, as after a restart of a container', () => String(process.pid)],
  ['a write that was cut off', () => ''],
])('takes the lock of %s', (_, owner) => {
  writeFileSync(file(), owner());
  expect(() => lockMigration(folder, 'm-1')).not.toThrow();
});
