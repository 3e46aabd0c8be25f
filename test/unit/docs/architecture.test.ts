/** The tables of modules in the architecture pages are complete. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../../..');
const SOURCE = join(ROOT, 'layers/shared/src');

/** Modules named in first cells: `shared/loads/load`, and bare names that follow it, which are in the same folder. */
function listed(page: string): string[] {
  const rows = [...readFileSync(join(ROOT, page), 'utf8').matchAll(/^\| (`shared\/.*?) \|/gm)];
  return rows.flatMap(([, cell = '']) => {
    let folder = '';
    return [...cell.matchAll(/`(.*?)`/g)].map(([, name = '']) => {
      const at = name.lastIndexOf('/');
      if (at >= 0) folder = name.slice('shared/'.length, at + 1);
      return folder + name.slice(at + 1);
    });
  });
}

test('the architecture pages list each module of the layer exactly once', () => {
  const modules = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length).replaceAll('\\', '/'));
  const pages = ['docs/architecture.md', 'docs/architecture-loader.md', 'docs/architecture-migration.md'];
  expect(pages.flatMap(listed).sort()).toEqual(modules.sort());
});
