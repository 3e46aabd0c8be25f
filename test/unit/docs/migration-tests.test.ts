/** docs/differences.md: each case that other migration tools lose or spoil names tests that exist. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../../..');
const page = readFileSync(join(ROOT, 'docs/differences.md'), 'utf8');
const [, section = ''] = page.split('### The same export, case by case');
const [table = ''] = section.split('\n## ');
const rows = table
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(2)
  .map((line) => line.split(' | '));

test('there are cases', () => {
  expect(rows.length).toBeGreaterThan(20);
});

test.each(rows.map((cells) => [cells[0], cells.at(-1) ?? '']))('the tests of the case exist: %s', (_, cell) => {
  const tests = [...cell.matchAll(/\[([^\]]+)\]\(\.\.\/(\S+)\)/g)];
  expect(tests).not.toEqual([]);
  for (const [, title = '', file = ''] of tests) expect(readFileSync(join(ROOT, file), 'utf8')).toContain(`'${title}'`);
});
