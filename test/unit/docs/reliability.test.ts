/** docs/reliability.md names a test for each fault; test/support/reliability-reporter.cjs checks the test's name when its file runs. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../../..');

/** The rows below the heads of the tables. */
const rows = readFileSync(join(ROOT, 'docs/reliability.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (fault|-)/.test(line));

test('each fault names a test in an existing file', () => {
  expect(rows.length).toBeGreaterThan(30);
  const fileOf = (row: string): string => /\| `(test\/[\w./-]+\.test\.ts)`: \S.* \|$/.exec(row)?.[1] ?? 'nothing';
  expect(rows.filter((row) => !existsSync(join(ROOT, fileOf(row))))).toEqual([]);
});
