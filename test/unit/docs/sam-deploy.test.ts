/** The documented `sam deploy` commands: SAM reads their parameters, and the rules of the template allow each step of the cut-over. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brokenRules, LOADER, MIGRATION, type Overrides, resourcesWith, template } from '../stack/template';

const ROOT = join(__dirname, '../../..');
const PAGES = ['README.md', ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map(inDocs)]
  .filter((page) => page.endsWith('.md'))
  .sort();

function inDocs(name: string): string {
  return join('docs', name);
}

const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

/**
 * A parameter as SAM reads it from one argument: a quoted value, or one that is not empty. Source: `CfnParameterOverridesType` of the
 * SAM CLI (samcli/cli/types.py).
 */
const OVERRIDE = / ([A-Za-z0-9\\"']+)=("(?:\\.|[^"\\]+)*"|'(?:\\.|[^'\\]+)*'|(?:\\.|[^ "\\]+)+)/g;

function overridesIn(argument: string): [string, string][] {
  const found = [...` ${argument.trim()}`.matchAll(OVERRIDE)];
  if (found.length === 0) throw new Error(`${argument} is not in a format that SAM reads`);
  return found.map(([, name = '', value = '']) => [name, value.replace(/^(["'])(.*)\1$/, '$2')]);
}

/** The arguments of a `sam` command, as a shell passes them on. */
function shellArguments(command: string): string[] {
  const printed = execFileSync('bash', ['-c', `sam() { printf '%s\\0' "$@"; }; ${command}`], { encoding: 'utf8' });
  return printed.split('\0').slice(0, -1);
}

/** @throws if SAM refuses the command, or the template has no such parameter or does not allow its value */
function parametersOf(command: string): Overrides {
  const parts = shellArguments(command);
  const first = parts.indexOf('--parameter-overrides');
  if (first < 0) return {};
  const rest = parts.slice(first + 1);
  const end = rest.findIndex((part) => part.startsWith('--'));
  const overrides = rest.slice(0, end < 0 ? rest.length : end).flatMap(overridesIn);
  for (const [name, value] of overrides) {
    const { AllowedPattern = '[^]*', AllowedValues = [value] } = template.Parameters[name] ?? {};
    if (!(name in template.Parameters)) throw new Error(`there is no parameter ${name}`);
    const isAllowed = AllowedValues.includes(value) && new RegExp(`^(?:${AllowedPattern})$`).test(value);
    if (!isAllowed) throw new Error(`${name} does not allow '${value}'`);
  }
  return Object.fromEntries(overrides);
}

/** The `sam deploy` commands in shell blocks and in the text. */
const commandsIn = (text: string): string[] =>
  [...text.replace(/\\\n\s*/g, '').matchAll(/(?<=^|`)sam deploy\b[^\n`]*/gm)].map(([command]) => command);

/** Parameters in the text, such as `Destination=both`. */
const assignmentsIn = (text: string): string[] =>
  [...text.matchAll(/`('?([A-Za-z]+)=[^`\n]*)`/g)]
    .filter(([, , name = '']) => name in template.Parameters)
    .map(([, assignment = '']) => assignment);

test.each([
  ["InfluxDBUrl=''", 'InfluxDBUrl= is not in a format'],
  ['InfluxDBUrl=', 'InfluxDBUrl= is not in a format'],
  ['InfluxDBUrl=""', 'InfluxDBUrl= is not in a format'],
  ['Destination=none', "Destination does not allow 'none'"],
  ['Destinaton=both', 'there is no parameter Destinaton'],
])('%s is refused', (override, message) => {
  expect(() => parametersOf(`sam deploy --parameter-overrides ${override}`)).toThrow(message);
});

test('a value in two pairs of quotes may be empty', () => {
  const parameters = parametersOf(
    `sam deploy --parameter-overrides Destination=both 'InfluxDBUrl=""' --config-env prod`,
  );
  expect(parameters).toEqual({ Destination: 'both', InfluxDBUrl: '' });
});

test.each(PAGES)('%s: SAM reads each documented parameter', (page) => {
  const text = read(page);
  const assignments = assignmentsIn(text).map((assignment) => `sam deploy --parameter-overrides ${assignment}`);
  for (const command of [...commandsIn(text), ...assignments]) parametersOf(command);
});

test('the messages of the rules empty a parameter in the same form', () => {
  const messages = Object.values(template.Rules).flatMap(({ Assertions }) =>
    Assertions.map(({ AssertDescription }) => AssertDescription),
  );
  for (const [, assignment] of messages.join('\n').matchAll(/\((\S+) in --parameter-overrides\)/g)) {
    expect(Object.values(parametersOf(`sam deploy --parameter-overrides ${assignment}`))).toEqual(['']);
  }
  expect(messages.filter((message) => /to empty(?! \(\S+ in --parameter-overrides\))/.test(message))).toEqual([]);
});

describe('the steps of the cut-over', () => {
  const page = read('docs/cut-over.md');
  /** The parameters of each command of a section, in order. */
  const stepsOf = (title: string): Overrides[] =>
    commandsIn(page.split(/^## /m).find((section) => section.startsWith(title)) ?? '').map(parametersOf);
  const [both = {}, backWithoutLoader = {}, backWithLoader = {}] = stepsOf('2. Store in both');
  const [influxdb = {}, backToBoth = {}] = stepsOf('4. Store in InfluxDB alone');

  test('are the commands of the page', () => {
    const destinations = [both, backWithoutLoader, backWithLoader, influxdb, backToBoth].map(
      (step) => step.Destination,
    );
    expect(destinations).toEqual(['both', 'timestream', 'timestream', 'influxdb', 'both']);
    expect([stepsOf('2. Store in both'), stepsOf('4. Store in InfluxDB alone')].map((steps) => steps.length)).toEqual([
      3, 2,
    ]);
  });

  const CHOICES: Overrides[] = [
    {},
    { SecondaryRequired: 'false' },
    { InfluxDBOnlyLines: 'time-range,names' },
    { BucketMapping: 'a=b', OrgMapping: 'passthrough' },
    { SecondaryRequired: 'false', InfluxDBOnlyLines: 'all', BucketMapping: 'passthrough', OrgMapping: 'a=b' },
  ];
  const STACKS: [string, Overrides, Overrides][] = [
    ['the connector alone', {}, backWithoutLoader],
    ['the loader', LOADER, backWithLoader],
    ['the migration', MIGRATION, backWithLoader],
  ];

  test.each(STACKS.flatMap(([name, stack, back]) => CHOICES.map((choices) => [name, choices, stack, back] as const)))(
    'the rules allow each step, and each way back, of a stack with %s and %j',
    (_, choices, stack, back) => {
      const paths: Overrides[][] = [
        [{ ...both, ...choices }, back, both],
        [{ ...both, ...choices }, influxdb, backToBoth, back],
        [{ ...both, ...choices }, influxdb, back, both, influxdb],
      ];
      for (const path of paths) {
        let parameters = stack;
        for (const step of path) {
          // A deployment keeps the parameters that it does not name.
          parameters = { ...parameters, ...step };
          expect([parameters, brokenRules(parameters)]).toEqual([parameters, []]);
          expect(resourcesWith(parameters)).toHaveProperty('WriteLineProtocolFunction');
        }
      }
    },
  );
});
