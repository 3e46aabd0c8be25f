/** The loader's state machine before engines and linters of others. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import validate from 'asl-validator';
import { parse } from 'yaml';
import { missingForStack } from '../support/ministack';
import { pythonWith, runPython } from './python';
import { describeProof, detail } from './report';

type Definition = { readonly States: Readonly<Record<string, Readonly<Record<string, unknown>>>> } & Record<
  string,
  unknown
>;

const ROOT = path.resolve(__dirname, '../..');
const FILE = path.join(ROOT, 'statemachine/bulk-load.asl.yaml');
const arnOf = (name: string): string => `arn:aws:lambda:us-east-1:123456789012:function:${name}`;
const text = readFileSync(FILE, 'utf8')
  .replace(/\$\{(\w+)FunctionArn\}/g, (_, name: string) => arnOf(name))
  .replace(/\$\{(Partition|WorkBucket)\}/g, (_, name: string) => (name === 'Partition' ? 'aws' : 'work'));
const definition = parse(text) as Definition;

const STATELINT = 'statelint==3.1.0';
const statelint = pythonWith('statelint', STATELINT, 'jsonata-python==0.7.1', 'PyYAML==6.0.4');
const MOTO = 'moto[stepfunctions]==5.2.5';
const moto = pythonWith('moto.stepfunctions, jsonata', MOTO, 'jsonata-python==0.7.1');

describeProof('asl-validator', undefined, () => {
  test('the state machine is valid', () => {
    expect(validate(definition as Parameters<typeof validate>[0]).errorsText('\n')).toBe('');
  });
});

describeProof(`${STATELINT.replace('==', ' ')}, which parses each JSONata expression`, statelint.missing, () => {
  test('nothing is found in the state machine', () => {
    const STATELINT = path.join(path.dirname(statelint.python), 'statelint');
    const options = { cwd: ROOT, env: { ...process.env, STATELINT }, encoding: 'utf8' } as const;
    const output = execFileSync(process.execPath, ['scripts/lint-state-machine.mjs'], options);
    expect(output).toContain('no problems found by statelint');
  });
});

type Answer = { readonly result: unknown } | { readonly error: string; readonly message: string };
type Answers = Readonly<Record<string, readonly Answer[]>>;

interface Ended {
  readonly status: string;
  readonly output: unknown;
  readonly error: string | null;
  readonly cause: string | null;
  readonly calls: readonly (readonly [name: string, input: Readonly<Record<string, unknown>>])[];
}

/** moto has no Distributed Map with JSON Lines and a result writer: a task answers as the map does. */
function withoutMap(): Definition {
  const { Assign, Catch, Next } = definition.States.LoadBatches ?? {};
  const task = { Type: 'Task', Resource: arnOf('LoadBatches'), Arguments: '{% $plan %}', Assign, Catch, Next };
  return { ...definition, States: { ...definition.States, LoadBatches: task } };
}

/** What the map runs for each batch, as a machine of its own. */
function batches(): Definition {
  const { StartAt, States } = (definition.States.LoadBatches?.ItemProcessor ?? {}) as Definition;
  return { QueryLanguage: 'JSONata', StartAt, States };
}

const load = { loadId: 'execution', maxConcurrency: 10, toleratedFailurePercentage: 0, ignored: 0 };
const ignored = { ...load, ignored: 1 };
const plan = { items: 2, plan: { bucket: 'work', key: 'plan.jsonl' }, continuation: null };
const mapped = { ResultWriterDetails: { Bucket: 'work', Key: 'manifest.json' } };
const summary = { withinTolerance: true, message: 'all of it', causes: [] };
const failed = {
  withinTolerance: false,
  message: 'a part of it',
  causes: [{ error: 'E', objects: ['s3://b/k'], cause: 'why' }],
};
const error = (name: string, message = 'what "happened"'): Answer => ({ error: name, message });
const times = (count: number, answer: Answer): Answer[] => Array<Answer>(count).fill(answer);
const is = (result: unknown): readonly Answer[] => [{ result }];
const GOOD: Answers = {
  DetectDataset: is(load),
  CheckInfluxDB: is({ healthy: true }),
  PlanLoad: is(plan),
  LoadBatches: is(mapped),
  SummarizeLoad: is(summary),
};
const ONE = { plan, error: null, results: { bucket: 'work', manifestKey: 'manifest.json' } };
const ALL = ['DetectDataset', 'CheckInfluxDB', 'PlanLoad', 'LoadBatches', 'SummarizeLoad'];
const failure = (name: string) => ({ error: name, cause: expect.stringContaining('what \\"happened\\"') as string });

interface Execution {
  readonly name: string;
  readonly definition?: Definition;
  readonly input?: object;
  readonly answers: Answers;
  readonly status: 'SUCCEEDED' | 'FAILED';
  readonly calls: readonly string[];
  /** Of the last call. */
  readonly given?: object;
  readonly output?: unknown;
  readonly error?: string;
  readonly cause?: string;
}

const batch: Answers = { LoadBatch: is({ statusCode: 200 }) };
const EXECUTIONS: readonly Execution[] = [
  {
    name: 'a load goes through every step and ends with its summary',
    answers: GOOD,
    status: 'SUCCEEDED',
    calls: ALL,
    given: { load, parts: [ONE], error: null },
    output: summary,
  },
  {
    name: 'a plan without batches runs none',
    answers: { ...GOOD, PlanLoad: is({ ...plan, items: 0 }) },
    status: 'SUCCEEDED',
    calls: ALL.filter((name) => name !== 'LoadBatches'),
    given: { load, parts: [{ plan: { ...plan, items: 0 }, results: null, error: null }], error: null },
  },
  {
    name: 'a plan that goes on is loaded in parts, in order',
    answers: { ...GOOD, PlanLoad: [{ result: { ...plan, continuation: { after: 'key' } } }, { result: plan }] },
    status: 'SUCCEEDED',
    calls: [...ALL.slice(0, 4), 'PlanLoad', 'LoadBatches', 'SummarizeLoad'],
    given: { load, parts: [{ ...ONE, plan: { ...plan, continuation: { after: 'key' } } }, ONE], error: null },
  },
  {
    name: 'an event about an object that is not data is summed up at once, and succeeds',
    answers: { ...GOOD, DetectDataset: is(ignored) },
    status: 'SUCCEEDED',
    calls: ['DetectDataset', 'SummarizeLoad'],
    given: { load: ignored, parts: [], error: null },
  },
  {
    name: 'an input that is no load fails at once, by its own error',
    answers: { ...GOOD, DetectDataset: [error('InvalidEventError')] },
    status: 'FAILED',
    calls: ['DetectDataset'],
    error: 'InvalidEventError',
    cause: 'what "happened"',
  },
  {
    name: 'an InfluxDB that comes back within three retries is written to',
    answers: { ...GOOD, CheckInfluxDB: [...times(3, error('InfluxDBConnectionError')), { result: {} }] },
    status: 'SUCCEEDED',
    calls: ['DetectDataset', ...Array<string>(4).fill('CheckInfluxDB'), ...ALL.slice(2)],
  },
  {
    name: 'an InfluxDB that stays away fails the load after three retries',
    answers: { ...GOOD, CheckInfluxDB: [error('InfluxDBConnectionError')] },
    status: 'FAILED',
    calls: ['DetectDataset', ...Array<string>(4).fill('CheckInfluxDB')],
    error: 'InfluxDBConnectionError',
    cause: 'what "happened"',
  },
  {
    name: 'a token that InfluxDB refuses is not tried again',
    answers: { ...GOOD, CheckInfluxDB: [error('InfluxDBWriteError')] },
    status: 'FAILED',
    calls: ['DetectDataset', 'CheckInfluxDB'],
    error: 'InfluxDBWriteError',
  },
  {
    name: 'a second part that cannot be planned leaves the first one summed up, and fails by its error',
    answers: {
      ...GOOD,
      PlanLoad: [{ result: { ...plan, continuation: { after: 'key' } } }, error('DataConversionError')],
      SummarizeLoad: is(failed),
    },
    status: 'FAILED',
    calls: [...ALL.slice(0, 4), 'PlanLoad', 'SummarizeLoad'],
    given: {
      load,
      parts: [{ ...ONE, plan: { ...plan, continuation: { after: 'key' } } }],
      error: failure('DataConversionError'),
    },
    error: 'DataConversionError',
    cause: 'what "happened"',
  },
  {
    name: 'more failed batches than are tolerated are summed up, and the load is incomplete',
    answers: { ...GOOD, LoadBatches: [error('TooManyFailures')], SummarizeLoad: is(failed) },
    status: 'FAILED',
    calls: ALL,
    given: {
      load,
      parts: [{ plan, results: null, error: failure('TooManyFailures') }],
      error: null,
    },
    error: 'LoadIncomplete',
    cause: 'a part of it; E: s3://b/k: why',
  },
  {
    name: 'a summary that cannot be written is tried four times more, and then fails the load',
    answers: { ...GOOD, SummarizeLoad: [error('S3UnavailableError')] },
    status: 'FAILED',
    calls: [...ALL.slice(0, 4), ...Array<string>(5).fill('SummarizeLoad')],
    error: 'S3UnavailableError',
  },
  {
    name: 'a batch is tried again while Lambda is busy',
    definition: batches(),
    input: { loadId: 'execution', item: { key: 'k' } },
    answers: { LoadBatch: [...times(9, error('Lambda.TooManyRequestsException')), ...(batch.LoadBatch ?? [])] },
    status: 'SUCCEEDED',
    calls: Array<string>(10).fill('LoadBatch'),
    given: { loadId: 'execution', item: { key: 'k' } },
    output: { statusCode: 200 },
  },
  {
    name: 'a batch whose file is corrupt fails at once, by its own error',
    definition: batches(),
    input: { loadId: 'execution', item: { key: 'k' } },
    answers: { LoadBatch: [error('DataConversionError')] },
    status: 'FAILED',
    calls: ['LoadBatch'],
    error: 'DataConversionError',
    cause: 'what "happened"',
  },
  {
    name: 'a batch that InfluxDB does not take is tried four times more',
    definition: batches(),
    input: { loadId: 'execution', item: { key: 'k' } },
    answers: { LoadBatch: [error('InfluxDBConnectionError')] },
    status: 'FAILED',
    calls: Array<string>(5).fill('LoadBatch'),
    error: 'InfluxDBConnectionError',
  },
];

describeProof(`${MOTO.replace('==', ' ')}, an engine of the States Language`, moto.missing, () => {
  let ended: readonly Ended[];
  beforeAll(async () => {
    const executions = EXECUTIONS.map(
      ({ answers, definition: machine = withoutMap(), input = { bucket: 'b', prefix: 'p' } }) => ({
        definition: machine,
        input,
        answers,
      }),
    );
    ended = (await runPython(moto.python, 'moto_run.py', executions)) as Ended[];
  });

  test.each(EXECUTIONS.map((execution, index) => [execution.name, execution, index] as const))(
    '%s',
    (_, expected, index) => {
      const { status, calls, given, output, error: name, cause } = expected;
      const found = ended[index];
      expect({ status: found?.status, calls: found?.calls.map(([each]) => each) }).toEqual({ status, calls });
      if (given !== undefined) expect(found?.calls.at(-1)?.[1]).toEqual(given);
      if (output !== undefined) expect(found?.output).toEqual(output);
      if (name !== undefined) expect(found?.error).toBe(name);
      if (cause !== undefined) expect(found?.cause).toBe(cause);
    },
  );
});

/** The tests that run the whole machine, its Distributed Map included, in MiniStack. */
const MINISTACK = 'test/acceptance/deployed-stack.acceptance.test.ts';

afterAll(() =>
  detail(
    'What each engine and linter is asked',
    ['by', 'what', 'where'],
    [
      ['asl-validator', 'all of it, before and after substitution', '`npm test` and here'],
      ['statelint', 'all of it, and the syntax of each expression', '`npm run validate` and here'],
      [
        'moto',
        'all states but the Distributed Map itself: it knows neither `InputType: JSONL` nor a ResultWriter with `Arguments`, so a task answers in its place, and the states inside of it run as a machine of their own',
        'here',
      ],
      [
        'MiniStack',
        'all of it, with the functions as built',
        `\`${MINISTACK}\`${missingForStack() === undefined ? '' : ' (not on this machine)'}`,
      ],
      [
        'policy tests',
        'a time limit and named retries for each task, Fail at each failure’s end, errors that exist',
        '`test/unit/stack/state-machine.test.ts`',
      ],
    ],
  ),
);
