/** The differences that docs/differences.md lists, for the tests that verify that each occurs, and no other does. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

const DOCUMENTED = path.resolve(__dirname, '../../../docs/differences.md');

/** The rows of the table below a title: the cells after the name of the difference, by that name. */
export function documentedDifferences(title: string): Map<string, string[]> {
  const [, section = ''] = readFileSync(DOCUMENTED, 'utf8').split(`\n## ${title}\n`);
  const [table = ''] = section.split('\n## ');
  const rows = table
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2);
  return new Map(
    rows
      .map((row) =>
        row
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      )
      .map(([name = '', ...cells]) => [name, cells]),
  );
}
