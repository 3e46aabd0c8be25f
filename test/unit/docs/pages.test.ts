/** README.md and the pages of docs/: their links, size and index, and the examples that the programs read. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { parseMappings } from 'shared/datasets/mapping';
import { anchorsIn } from './anchors';

const ROOT = join(__dirname, '../../..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

const DOCS = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .map((name) => join('docs', name))
  .sort();
const PAGES = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...DOCS];

/** The text without code, in which brackets are no links. */
const prose = (page: string): string =>
  read(page)
    .replace(/^```[\s\S]*?^```$/gm, '')
    .replace(/`[^`\n]*`/g, '`code`');

test.each(PAGES)('every link of %s leads to a file, and to a heading in it', (page) => {
  const links = [...prose(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, link = '']) => link);
  const broken = links.filter((link) => {
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? page : normalize(join(page, '..', file));
    if (!existsSync(join(ROOT, target))) return true;
    return anchor !== undefined && !anchorsIn(read(target)).includes(anchor);
  });
  expect(broken).toEqual([]);
});

test('the README has at most 250 lines and 16 KB', () => {
  expect(read('README.md').split('\n').length).toBeLessThanOrEqual(250);
  expect(Buffer.byteLength(read('README.md'))).toBeLessThanOrEqual(16 * 1024);
});

test('the index lists every page of docs/ once, each in one line', () => {
  const listed = [...read('docs/README.md').matchAll(/^- \[.+\]\(([\w-]+\.md)\): .+\.$/gm)].map(([, page]) => page);
  const pages = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md') && name !== 'README.md');
  expect(listed.sort()).toEqual(pages.sort());
});

test.each(PAGES.filter((page) => !page.startsWith('docs/adr')))('%s names only npm scripts that exist', (page) => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const named = [...read(page).matchAll(/npm run (?:-s )?([a-z][\w:-]*)/g)].map(([, script = '']) => script);
  expect(named.filter((script) => !Object.hasOwn(scripts, script))).toEqual([]);
});

test('the log queries of docs/operations.md are whole', () => {
  const blocks = [...read('docs/operations.md').matchAll(/^```\w*.*\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);
  const queries = blocks.filter((block) => /^(?:fields|filter) /.test(block));
  expect(queries).not.toEqual([]);
  for (const query of queries) {
    // CloudWatch Logs Insights reads a command after each pipe.
    const [, ...commands] = query.split(/^\|/m);
    expect(commands).not.toEqual([]);
    for (const command of commands) expect(command).toMatch(/^ (?:filter|sort|stats) /);
  }
});

test('the mappings in docs/datasets.md are valid', () => {
  const examples = [...read('docs/datasets.md').matchAll(/^```json\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);
  expect(examples).not.toEqual([]);
  for (const example of examples) expect(parseMappings(example)).not.toEqual([]);
});
