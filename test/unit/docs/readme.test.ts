import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseMappings } from 'shared/datasets/mapping';
import { template } from '../stack/template';

const ROOT = join(__dirname, '../../..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const readme = read('README.md');

const section = (title: string): string => readme.split(/^## /m).find((text) => text.startsWith(`${title}\n`)) ?? '';

test('the README lists exactly the parameters of the template, with their defaults and descriptions', () => {
  const rows = [...section('Parameters').matchAll(/^\| `(\w+)` +\| (?:`(.*?)`)? *\| (.*?) +\|$/gm)];
  const listed = rows.map(([, name, value = '', meaning]) => [name, value, meaning]);
  const expected = Object.entries(template.Parameters).map(([name, { Default, Description }]) => [
    name,
    String(Default),
    Description,
  ]);
  expect(listed).toEqual(expected);
});

test('the README names the commands that package.json has', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const named = [...readme.matchAll(/npm run (?:-s )?([\w:]+)/g)].map(([, script = '']) => script);
  expect(named.filter((script) => !Object.hasOwn(scripts, script))).toEqual([]);
});

test.each(['README.md', 'docs/architecture.md', 'docs/operations.md', 'docs/reliability.md', 'CONTRIBUTING.md'])(
  'the files that %s links to are there',
  (file) => {
    const links = [...read(file).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link = '']) => link);
    expect(links.filter((link) => !existsSync(join(ROOT, file, '..', link)))).toEqual([]);
  },
);

test('sections that the README links to are there', () => {
  const anchors = [...readme.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
  const links = [...readme.matchAll(/\]\(#([^)]+)\)/g)].map(([, link = '']) => link);
  expect(links.filter((link) => !anchors.includes(link))).toEqual([]);
});

test.each(['README.md', 'docs/operations.md'])('the queries of logs in %s are whole', (file) => {
  const blocks = read(file)
    .split(/^```.*\n/m)
    .filter((_, index) => index % 2 === 1);
  const queries = blocks.filter((block) => /^(?:fields|filter) /.test(block));
  expect(queries).not.toEqual([]);
  for (const query of queries) {
    // What follows a pipe is a command of CloudWatch Logs Insights.
    const [, ...commands] = query.split(/^\|/m);
    expect(commands).not.toEqual([]);
    for (const command of commands) expect(command).toMatch(/^ (?:filter|sort|stats) /);
  }
});

test("the README's dataset mapping is one that the loader takes", () => {
  const [, json = ''] = /```json\n([\s\S]*?)```/.exec(section('Load Parquet into InfluxDB')) ?? [];
  expect(parseMappings(json)).toMatchObject([{ name: 'solar', measurement: 'solar_data' }]);
});
