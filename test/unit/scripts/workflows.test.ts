/** The workflows in .github run the checks of .ci/run, and publish what docs/deploy.md deploys. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Workflow {
  readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[] }>>;
}

const ROOT = join(__dirname, '../../..');
const FOLDER = join(ROOT, '.github/workflows');
const stepsOf = (name: string): readonly Step[] => {
  const { jobs } = parse(readFileSync(join(FOLDER, name), 'utf8')) as Workflow;
  return Object.values(jobs).flatMap(({ steps }) => steps);
};

test.each(readdirSync(FOLDER))('%s leaves no credentials in the checkout', (name) => {
  const checkouts = stepsOf(name).filter(({ uses }) => uses?.startsWith('actions/checkout@'));
  expect(checkouts).not.toEqual([]);
  for (const { with: options } of checkouts) expect(options).toMatchObject({ 'persist-credentials': false });
});

test('a pull request runs the checks that need no AWS account', () => {
  const run = stepsOf('ci.yml').flatMap(({ run = '' }) => /^bash \.ci\/run (.+)$/.exec(run)?.[1]?.split(' ') ?? []);
  const needed = ['check', 'test', 'validate', 'build', 'checkov', 'test:artifact', 'test:integration', 'test:docs'];
  expect(needed.filter((name) => !run.includes(name))).toEqual([]);
});

test('a release has the files beside the template that `sam deploy -t` reads', () => {
  const [packaging = ''] = stepsOf('release.yml').flatMap(({ run = '' }) => (run.includes('zip -') ? [run] : []));
  // Files of a resource that `sam build` does not copy into its folder.
  const template = readFileSync(join(ROOT, 'template.yml'), 'utf8');
  const definitions = [...template.matchAll(/DefinitionUri: (\S+)/g)].map(([, path = '']) => path);
  expect(definitions).not.toEqual([]);
  expect(packaging).toContain(`cp ${['samconfig.toml', ...definitions].join(' ')} .aws-sam/build\n`);
  expect(packaging).toMatch(/zip .* build /);
  expect(readFileSync(join(ROOT, 'docs/deploy.md'), 'utf8')).toContain('sam deploy -t build/template.yaml');
});
