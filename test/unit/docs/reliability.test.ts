import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../../..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** The rows below the heads of the tables. */
const rows = read('docs/reliability.md')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (fault|-)/.test(line));

test('each fault of docs/reliability.md names the test that shows it', () => {
  expect(rows.length).toBeGreaterThan(30);
  expect(rows.filter((row) => !/\| `test\/[\w./-]+\.test\.ts`: \S.* \|$/.test(row))).toEqual([]);
});

test.each(rows.map((row) => [row.split('|')[1]?.trim() ?? '', row]))('the test of "%s" is there', (_, row) => {
  const [, file = '', name = ''] = /`(test\/\S+)`: (.*?) +\|$/.exec(row) ?? [];
  const names = [...read(file).matchAll(/(['"`])((?:(?!\1).)+)\1,? *(?:async )?(?:\(|\n)/g)].map(([, , text]) => text);
  expect(names).toContain(name);
});
