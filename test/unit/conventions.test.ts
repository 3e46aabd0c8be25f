/** Conventions of CONTRIBUTING.md that the linter cannot enforce. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');
const FOLDERS = ['functions', 'layers/shared/src', 'local', 'samples', 'schemas', 'test', 'bench'];

const sources = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(folder, file)),
);

test('private members are declared private, not as #name', () => {
  const declaration = /^ +(?:(?:static|readonly|async|get|set) |\*)*#\w+/m;
  expect(sources.length).toBeGreaterThan(200);
  expect(sources.filter((file) => declaration.test(readFileSync(join(ROOT, file), 'utf8')))).toEqual([]);
});

test('no source names a file beside the repository', () => {
  const outside = /\.\.\/shared\/(?:tools|data)/;
  expect(sources.filter((file) => outside.test(readFileSync(join(ROOT, file), 'utf8')))).toEqual([]);
});
