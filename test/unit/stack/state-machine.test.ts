import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InfluxDBConnectionError, S3UnavailableError } from 'shared/errors';
import { evaluate, folderOf, Workflow } from './state-machines';
import { LOADER } from './template';

const workflow = new Workflow('bulk-load.asl.yaml', 'BulkLoadStateMachine', LOADER);
const { definition } = workflow;

workflow.describeForm();

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
  const [[, { Retry = [] }] = ['', {}]] = workflow.statesOf('Task').filter(([name]) => name === 'LoadBatch');
  const throttled = Retry.find(({ ErrorEquals }) => ErrorEquals.includes('Lambda.TooManyRequestsException'));
  expect(Number(times)).toBe(throttled?.MaxAttempts);
});

describe.each(workflow.steps)('%s', (name, state, machine) => {
  const retried = [
    ...(name === 'CheckInfluxDB' ? [] : ['S3UnavailableError']),
    ...(['CheckInfluxDB', 'LoadBatch'].includes(name) ? ['InfluxDBConnectionError'] : []),
  ];
  workflow.describeStep(name, state, machine, { parameters: LOADER, retried });
});

test('a failure leads to Fail at once, or to the summary, which decides', () => {
  expect(workflow.catches()).toEqual({
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
  expect(workflow.ownErrors()).toEqual([new InfluxDBConnectionError('why').name, new S3UnavailableError('why').name]);
});

test('each step has its folder', () => {
  const folders = readdirSync(join(__dirname, '../../../functions'));
  for (const [name] of workflow.statesOf('Task')) expect(folders).toContain(folderOf(name));
});

describe('expressions', () => {
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
    const failed = workflow.statesOf('Fail').filter(([name]) => name !== 'LoadIncomplete');
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
