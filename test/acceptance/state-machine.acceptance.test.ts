/** The loader's state machine in third-party engines and linters. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import validate from 'asl-validator';
import { missingForStack } from '../support/ministack';
import {
  arnOf,
  type Definition,
  describeExecutions,
  type Execution,
  error,
  is,
  type Responses,
  readDefinition,
  times,
} from './moto';
import { pythonWith } from './python';
import { describeProof, detail } from './report';

const ROOT = path.resolve(__dirname, '../..');
const definition = readDefinition('bulk-load.asl.yaml');

const STATELINT = 'statelint==3.1.0';
const statelint = pythonWith('statelint', STATELINT, 'jsonata-python==0.7.1', 'PyYAML==6.0.4');
describeProof('asl-validator', undefined, () => {
  test('the state machine is valid', () => {
    expect(validate(definition as Parameters<typeof validate>[0]).errorsText('\n')).toBe('');
  });
});

describeProof(`${STATELINT.replace('==', ' ')}, which parses each JSONata expression`, statelint.missing, () => {
  test('the linter reports no problems in the state machine', () => {
    const STATELINT = path.join(path.dirname(statelint.python), 'statelint');
    const options = { cwd: ROOT, env: { ...process.env, STATELINT }, encoding: 'utf8' } as const;
    const output = execFileSync(process.execPath, ['scripts/lint-state-machine.mjs'], options);
    expect(output).toContain('no problems found by statelint');
  });
});

/** moto has no Distributed Map with JSON Lines and a result writer: a task returns the map's result. */
function withoutMap(): Definition {
  const { Assign, Catch, Next } = definition.States.LoadBatches ?? {};
  const task = { Type: 'Task', Resource: arnOf('LoadBatches'), Arguments: '{% $plan %}', Assign, Catch, Next };
  return { ...definition, States: { ...definition.States, LoadBatches: task } };
}

/** The states that the map runs for each item, as a state machine. */
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
const GOOD: Responses = {
  DetectDataset: is(load),
  CheckInfluxDB: is({ healthy: true }),
  PlanLoad: is(plan),
  LoadBatches: is(mapped),
  SummarizeLoad: is(summary),
};
const ONE = { plan, error: null, results: { bucket: 'work', manifestKey: 'manifest.json' } };
const ALL = ['DetectDataset', 'CheckInfluxDB', 'PlanLoad', 'LoadBatches', 'SummarizeLoad'];
const failure = (name: string) => ({ error: name, cause: expect.stringContaining('what \\"happened\\"') as string });

const batch: Responses = { LoadBatch: is({ statusCode: 200 }) };
const EXECUTIONS: readonly Execution[] = [
  {
    name: 'a load runs every step and ends with its summary',
    responses: GOOD,
    status: 'SUCCEEDED',
    calls: ALL,
    given: { load, parts: [ONE], error: null },
    output: summary,
  },
  {
    name: 'a plan without items skips the map',
    responses: { ...GOOD, PlanLoad: is({ ...plan, items: 0 }) },
    status: 'SUCCEEDED',
    calls: ALL.filter((name) => name !== 'LoadBatches'),
    given: { load, parts: [{ plan: { ...plan, items: 0 }, results: null, error: null }], error: null },
  },
  {
    name: 'a plan with a continuation is loaded in parts, in order',
    responses: { ...GOOD, PlanLoad: [{ result: { ...plan, continuation: { after: 'key' } } }, { result: plan }] },
    status: 'SUCCEEDED',
    calls: [...ALL.slice(0, 4), 'PlanLoad', 'LoadBatches', 'SummarizeLoad'],
    given: { load, parts: [{ ...ONE, plan: { ...plan, continuation: { after: 'key' } } }, ONE], error: null },
  },
  {
    name: 'an event about a hidden object goes straight to the summary, and succeeds',
    responses: { ...GOOD, DetectDataset: is(ignored) },
    status: 'SUCCEEDED',
    calls: ['DetectDataset', 'SummarizeLoad'],
    given: { load: ignored, parts: [], error: null },
  },
  {
    name: 'an invalid input fails at once, with its own error',
    responses: { ...GOOD, DetectDataset: [error('InvalidEventError')] },
    status: 'FAILED',
    calls: ['DetectDataset'],
    error: 'InvalidEventError',
    cause: 'what "happened"',
  },
  {
    name: 'a load succeeds if InfluxDB is available again within three retries',
    responses: { ...GOOD, CheckInfluxDB: [...times(3, error('InfluxDBConnectionError')), { result: {} }] },
    status: 'SUCCEEDED',
    calls: ['DetectDataset', ...Array<string>(4).fill('CheckInfluxDB'), ...ALL.slice(2)],
  },
  {
    name: 'a load fails if InfluxDB is still unavailable after three retries',
    responses: { ...GOOD, CheckInfluxDB: [error('InfluxDBConnectionError')] },
    status: 'FAILED',
    calls: ['DetectDataset', ...Array<string>(4).fill('CheckInfluxDB')],
    error: 'InfluxDBConnectionError',
    cause: 'what "happened"',
  },
  {
    name: 'a load fails without a retry if InfluxDB refuses the token',
    responses: { ...GOOD, CheckInfluxDB: [error('InfluxDBWriteError')] },
    status: 'FAILED',
    calls: ['DetectDataset', 'CheckInfluxDB'],
    error: 'InfluxDBWriteError',
  },
  {
    name: 'if the second part cannot be planned, the first one is in the summary, and the load fails with that error',
    responses: {
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
    name: 'more failed items than tolerated are in the summary, and the load is incomplete',
    responses: { ...GOOD, LoadBatches: [error('TooManyFailures')], SummarizeLoad: is(failed) },
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
    name: 'a load fails if its summary cannot be written within four retries',
    responses: { ...GOOD, SummarizeLoad: [error('S3UnavailableError')] },
    status: 'FAILED',
    calls: [...ALL.slice(0, 4), ...Array<string>(5).fill('SummarizeLoad')],
    error: 'S3UnavailableError',
  },
  {
    name: 'an item is retried while Lambda is busy',
    definition: batches(),
    input: { loadId: 'execution', item: { key: 'k' } },
    responses: { LoadBatch: [...times(9, error('Lambda.TooManyRequestsException')), ...(batch.LoadBatch ?? [])] },
    status: 'SUCCEEDED',
    calls: Array<string>(10).fill('LoadBatch'),
    given: { loadId: 'execution', item: { key: 'k' } },
    output: { statusCode: 200 },
  },
  {
    name: 'an item of a corrupt file fails at once, with its own error',
    definition: batches(),
    input: { loadId: 'execution', item: { key: 'k' } },
    responses: { LoadBatch: [error('DataConversionError')] },
    status: 'FAILED',
    calls: ['LoadBatch'],
    error: 'DataConversionError',
    cause: 'what "happened"',
  },
  {
    name: 'an item is retried four times while InfluxDB is unavailable',
    definition: batches(),
    input: { loadId: 'execution', item: { key: 'k' } },
    responses: { LoadBatch: [error('InfluxDBConnectionError')] },
    status: 'FAILED',
    calls: Array<string>(5).fill('LoadBatch'),
    error: 'InfluxDBConnectionError',
  },
];

describeExecutions(EXECUTIONS, { definition: withoutMap(), input: { bucket: 'b', prefix: 'p' } });

/** The tests that run the whole state machine, with its Distributed Map, in MiniStack. */
const MINISTACK = 'test/acceptance/deployed-stack.acceptance.test.ts';

afterAll(() =>
  detail(
    'Coverage of each engine and linter',
    ['tool', 'covers', 'runs in'],
    [
      ['asl-validator', 'the whole definition, before and after substitution', '`npm test` and here'],
      ['statelint', 'the whole definition, and the syntax of each expression', '`npm run validate` and here'],
      [
        'moto',
        'all states except the Distributed Map: moto supports neither `InputType: JSONL` nor a ResultWriter with `Arguments`, so a task returns its result, and the states inside the map run as a separate state machine',
        'here',
      ],
      [
        'MiniStack',
        'the whole definition, with the built functions',
        `\`${MINISTACK}\`${missingForStack() === undefined ? '' : ' (not on this machine)'}`,
      ],
      [
        'policy tests',
        'a timeout and named retries for each task, Fail after each failure, error names that exist',
        '`test/unit/stack/state-machine.test.ts`',
      ],
    ],
  ),
);
