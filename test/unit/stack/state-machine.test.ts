import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import validate from 'asl-validator';
import jsonata from 'jsonata';
import { InfluxDBConnectionError, S3UnavailableError } from 'shared/errors';
import { parse } from 'yaml';
import { at, type Fields, LOADER, resourcesWith } from './template';

interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly MaxAttempts: number;
  readonly JitterStrategy: string;
  readonly MaxDelaySeconds: number;
}

interface State {
  readonly Type: string;
  readonly Resource?: string;
  readonly TimeoutSeconds?: number;
  readonly Retry?: readonly Retrier[];
  readonly Catch?: readonly {
    readonly ErrorEquals: readonly string[];
    readonly Assign: Fields;
    readonly Next: string;
  }[];
  readonly Choices?: readonly { readonly Condition: string; readonly Assign?: Fields; readonly Next: string }[];
  readonly Assign?: Fields;
  readonly Default?: string;
  readonly Next?: string;
  readonly Error?: string;
  readonly Cause?: string;
  readonly ItemProcessor?: Machine;
}

interface Machine {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

const text = readFileSync(join(__dirname, '../../../statemachine/bulk-load.asl.yaml'), 'utf8');
const definition: Machine & { readonly TimeoutSeconds: number } = parse(text);
const substitutions = at(resourcesWith(LOADER).BulkLoadStateMachine?.Properties, 'DefinitionSubstitutions') as Fields;

/** The machine and those inside of its maps. */
function machines(machine: Machine): Machine[] {
  const inner = Object.values(machine.States).flatMap(({ ItemProcessor }) => (ItemProcessor ? [ItemProcessor] : []));
  return [machine, ...inner.flatMap(machines)];
}

const statesOf = (type: string): [string, State, Machine][] =>
  machines(definition).flatMap((machine) =>
    Object.entries(machine.States)
      .filter(([, state]) => state.Type === type)
      .map(([name, state]): [string, State, Machine] => [name, state, machine]),
  );

/** Where a state leads to, errors aside. */
const next = ({ Next, Default, Choices = [] }: State): string[] =>
  [Next, Default, ...Choices.map((choice) => choice.Next)].filter((name) => name !== undefined);

/** The types of the states in which a machine may end after this one. */
function ends(machine: Machine, name: string, seen = new Set<string>()): Set<string> {
  if (seen.has(name)) return new Set();
  seen.add(name);
  const state = machine.States[name];
  if (!state) throw new Error(`there is no state ${name}`);
  const following = next(state);
  if (following.length === 0) return new Set([state.Type]);
  return new Set(following.flatMap((each) => [...ends(machine, each, seen)]));
}

test('is valid before and after substitution', () => {
  const values: Record<string, string> = { Partition: 'aws', WorkBucket: 'work-bucket' };
  const functionArn = 'arn:aws:lambda:us-east-1:123456789012:function:name';
  const filled = text.replaceAll(/\$\{(\w+)\}/g, (_, name) => values[name] ?? functionArn);
  for (const each of [definition, parse(filled)]) {
    const { isValid, errorsText } = validate(each);
    expect(errorsText('\n')).toBe('');
    expect(isValid).toBe(true);
  }
});

test('every substitution is made, and none for nothing', () => {
  const used = new Set([...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name));
  expect(Object.keys(substitutions).sort()).toEqual([...used].sort());
});

test('CloudFormation reads it: no YAML aliases', () => {
  expect(text).not.toMatch(/(^|\s)[&*]\w+\s*$/m);
});

/** Seconds until the last try of a state may have ended, with every wait between tries at its longest. */
function longest({ TimeoutSeconds = 0, Retry = [] }: State): number {
  const waits = Retry.map(({ MaxAttempts, MaxDelaySeconds }) => MaxAttempts * (TimeoutSeconds + MaxDelaySeconds));
  return TimeoutSeconds + waits.reduce((sum, wait) => sum + wait, 0);
}

test.each(statesOf('Task'))('outlasts every try of %s', (_name, state) => {
  expect(definition.TimeoutSeconds).toBeGreaterThan(longest(state));
});

test.each(['docs/loader.md', 'docs/operations.md'])('%s says when a load ends', (file) => {
  const page = readFileSync(join(__dirname, '../../..', file), 'utf8');
  const said = [...page.matchAll(/\b(?:ends|end) after (\d+) days\b/g)].map(([, days]) => Number(days) * 86_400);
  expect(said).toEqual([definition.TimeoutSeconds]);
});

test.each([
  ['docs/loader.md', /a throttled item is retried (\d+) times/],
  ['docs/operations.md', /`Lambda\.TooManyRequestsException`.*\| (\d+) times an item/],
])('%s says how often a throttled item is tried again', (file, said) => {
  const [, times] = said.exec(readFileSync(join(__dirname, '../../..', file), 'utf8')) ?? [];
  const [[, { Retry = [] }] = ['', {}]] = statesOf('Task').filter(([name]) => name === 'LoadBatch');
  const throttled = Retry.find(({ ErrorEquals }) => ErrorEquals.includes('Lambda.TooManyRequestsException'));
  expect(Number(times)).toBe(throttled?.MaxAttempts);
});

describe.each(statesOf('Task'))('%s', (name, state, machine) => {
  const LAMBDA_FAULTS = [
    'Lambda.ClientExecutionTimeoutException',
    'Lambda.ServiceException',
    'Lambda.AWSLambdaException',
    'Lambda.SdkClientException',
    'Lambda.TooManyRequestsException',
  ];
  const { Retry = [], Catch = [] } = state;

  test('is the function of that name, which ends before the state does', () => {
    const { Properties } = resourcesWith({ ...LOADER, LoaderTimeoutInSeconds: '900' })[`${name}Function`] ?? {};
    expect(state.Resource).toBe(`\${${name}FunctionArn}`);
    expect(substitutions[`${name}FunctionArn`]).toBe(`<${name}Function.Arn>`);
    expect(state.TimeoutSeconds).toBeGreaterThan(Number(Properties?.Timeout));
  });

  test("is tried again after Lambda's own faults, with full jitter", () => {
    const names = Retry.flatMap(({ ErrorEquals }) => ErrorEquals);
    expect(names).toEqual(expect.arrayContaining([...LAMBDA_FAULTS]));
    for (const { JitterStrategy, MaxAttempts, MaxDelaySeconds } of Retry) {
      expect(JitterStrategy).toBe('FULL');
      expect(MaxAttempts).toBeGreaterThan(0);
      expect(MaxDelaySeconds).toBeGreaterThan(0);
    }
  });

  test('is tried again after errors of a name only, of which no other try can end alike', () => {
    const named = Retry.flatMap(({ ErrorEquals }) => ErrorEquals).filter((error) => !LAMBDA_FAULTS.includes(error));
    expect(named).toEqual([
      ...(name === 'CheckInfluxDB' ? [] : ['S3UnavailableError']),
      ...(['CheckInfluxDB', 'LoadBatch'].includes(name) ? ['InfluxDBConnectionError'] : []),
    ]);
  });

  test('catches what is left, and then the machine can end in Fail', () => {
    const [caught] = Catch;
    expect(Catch).toHaveLength(1);
    expect(caught?.ErrorEquals).toEqual(['States.ALL']);
    expect(ends(machine, String(caught?.Next))).toContain('Fail');
  });
});

test('a failure leads to Fail at once, or to the summary, which decides', () => {
  const caught = [...statesOf('Task'), ...statesOf('Map')].map(([name, { Catch }]) => [name, Catch?.[0]?.Next]);
  expect(Object.fromEntries(caught)).toEqual({
    DetectDataset: 'LoadFailed',
    CheckInfluxDB: 'LoadFailed',
    PlanLoad: 'SummarizeLoad',
    LoadBatches: 'SummarizeLoad',
    LoadBatch: 'BatchFailed',
    SummarizeLoad: 'LoadFailed',
  });
  expect(definition.States.JudgeSummary?.Default).toBe('LoadIncomplete');
});

test("names of errors are those of errors.ts, Lambda's or the States Language's", () => {
  const states = machines(definition).flatMap(({ States }) => Object.values(States));
  const names = states.flatMap(({ Retry = [], Catch = [] }) => [...Retry, ...Catch]).flatMap((it) => it.ErrorEquals);
  const own = new Set(names.filter((name) => !/^(Lambda|States)\./.test(name)));
  expect([...own].sort()).toEqual([new InfluxDBConnectionError('why').name, new S3UnavailableError('why').name]);
});

test('each step has its folder', () => {
  const folders = readdirSync(join(__dirname, '../../../functions'));
  const folderOf = (name: string): string =>
    name
      .replace('InfluxDB', 'Influxdb')
      .replace(/(?<=[a-z])(?=[A-Z])/g, '-')
      .toLowerCase();
  for (const [name] of statesOf('Task')) expect(folders).toContain(folderOf(name));
});

describe('expressions', () => {
  /** What a field's JSONata comes to with these variables, by the reference implementation. */
  const evaluate = (field: unknown, variables: Record<string, unknown>): Promise<unknown> => {
    const [, expression = ''] = /^\{%(.*)%\}$/s.exec(String(field)) ?? [];
    return jsonata(expression).evaluate({}, { parse: JSON.parse, ...variables });
  };
  const { LoadBatches, SkipIgnoredObject, SkipEmptyPlan, LoadIncomplete } = definition.States;
  const result = { ResultWriterDetails: { Bucket: 'work', Key: 'manifest.json' } };
  const errorOutput = { Error: 'States.ExceedToleratedFailureThreshold', Cause: 'too many' };

  test.each([[[]], [[{ plan: 0 }]], [[{ plan: 0 }, { plan: 1 }]]])('one part joins %j', async (parts) => {
    const variables = { parts, plan: { items: 1 }, states: { result, errorOutput } };
    const joined = (part: object): object[] => [...parts, { plan: { items: 1 }, results: null, error: null, ...part }];
    const loaded = joined({ results: { bucket: 'work', manifestKey: 'manifest.json' } });
    const failed = joined({ error: { error: errorOutput.Error, cause: 'too many' } });

    expect(await evaluate(LoadBatches?.Assign?.parts, variables)).toEqual(loaded);
    expect(await evaluate(LoadBatches?.Catch?.[0]?.Assign.parts, variables)).toEqual(failed);
    expect(await evaluate(SkipEmptyPlan?.Choices?.[0]?.Assign?.parts, variables)).toEqual(joined({}));
  });

  test.each([
    ['{"errorType":"E","errorMessage":"what happened","trace":[]}', 'what happened'],
    ['plain text', 'plain text'],
    ['', ''],
  ])('the cause %j is read as %j', async (cause, expected) => {
    const failed = statesOf('Fail').filter(([name]) => name !== 'LoadIncomplete');
    expect(failed.map(([name]) => name)).toEqual(['LoadFailed', 'BatchFailed']);
    for (const [, state] of failed) {
      expect(await evaluate(state.Error, { failure: { error: 'E', cause } })).toBe('E');
      expect(await evaluate(state.Cause, { failure: { error: 'E', cause } })).toBe(expected);
    }
  });

  test.each([
    [0, 'CheckInfluxDB'],
    [1, 'SummarizeLoad'],
  ])('an event about %i objects that are not data leads to %s', async (ignored, expected) => {
    const [choice] = SkipIgnoredObject?.Choices ?? [];
    const isChosen = await evaluate(choice?.Condition, { load: { ignored } });
    expect(isChosen ? choice?.Next : SkipIgnoredObject?.Default).toBe(expected);
  });

  test.each([
    [[], 'in short'],
    [[{ error: 'E', objects: ['s3://b/k'], cause: 'is corrupt' }], 'in short; E: s3://b/k: is corrupt'],
    [
      [
        { error: 'E', objects: ['a', 'b'], cause: 'c' },
        { error: 'F', objects: [], cause: 'd' },
      ],
      'in short; E: a: c; F: d',
    ],
  ])('causes %j are told', async (causes, expected) => {
    expect(await evaluate(LoadIncomplete?.Cause, { summary: { message: 'in short', causes } })).toBe(expected);
  });
});
