import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InfluxDBConnectionError, S3UnavailableError, TimestreamUnavailableError } from 'shared/errors';
import { ends, evaluate, folderOf, machines, Workflow } from './state-machines';
import { at, MIGRATION, propertiesOf } from './template';

const workflow = new Workflow('migrate.asl.yaml', 'MigrateStateMachine', MIGRATION);
const loads = new Workflow('bulk-load.asl.yaml', 'BulkLoadStateMachine', MIGRATION);
const { definition } = workflow;

workflow.describeForm();

const RETRIED: Readonly<Record<string, readonly string[]>> = {
  Survey: ['S3UnavailableError', 'TimestreamUnavailableError', 'InfluxDBConnectionError'],
  CheckInfluxDB: ['InfluxDBConnectionError'],
  Export: ['S3UnavailableError', 'TimestreamUnavailableError'],
  Load: ['S3UnavailableError'],
  RecordLoad: ['S3UnavailableError'],
  Verify: ['S3UnavailableError', 'InfluxDBConnectionError'],
  Report: ['S3UnavailableError'],
};

test('has the steps of the migration, each with its folder', () => {
  const names = workflow.steps.map(([name]) => name);
  expect([...names].sort()).toEqual(Object.keys(RETRIED).sort());
  const folders = readdirSync(join(__dirname, '../../../functions'));
  for (const name of names) expect(folders).toContain(folderOf(name));
});

describe.each(workflow.steps)('%s', (name, state, machine) => {
  workflow.describeStep(name, state, machine, { parameters: MIGRATION, retried: RETRIED[name] ?? [] });
});

test('a failure leads to the report, and then to Fail; a failed window or table does not stop the others', () => {
  expect(workflow.catches()).toEqual({
    ...Object.fromEntries(
      ['Survey', 'CheckInfluxDB', 'Export', 'Load', 'LoadTables', 'Verify'].map((name) => [name, 'Report']),
    ),
    Report: 'MigrationFailed',
    LoadWindow: 'RecordLoad',
    RecordLoad: 'WindowFailed',
  });
  for (const [, state] of workflow.statesOf('Map')) expect(state.ToleratedFailurePercentage).toBe(100);
  expect(ends(definition, 'Report')).toEqual(new Set(['Succeed', 'Fail']));
});

test('loads several tables at once, and the windows of a table one after the other', () => {
  const maps = workflow.statesOf('Map').map(([name, { MaxConcurrency }]) => [name, MaxConcurrency]);
  expect(maps).toEqual([
    ['LoadTables', 4],
    ['LoadWindows', 1],
  ]);
});

test("names of errors are those of errors.ts, Lambda's, Step Functions' or the States Language's", () => {
  const own = [InfluxDBConnectionError, S3UnavailableError, TimestreamUnavailableError];
  expect(workflow.ownErrors()).toEqual(own.map((type) => new type('why').name).sort());
});

const [, , windows] = machines(definition);
const { LoadWindow, NameLoad, RecordLoad } = windows?.States ?? {};

describe('a nested load', () => {
  const options = { measurement: 'machines', measureName: 'tag' };
  const line = { migrationId: 'm', table: 't', window: '1-2', input: { export: 's3://b/p/', options } };

  test('may run as long as a load may', () => {
    expect(LoadWindow?.TimeoutSeconds).toBeGreaterThan(loads.definition.TimeoutSeconds);
    expect(definition.TimeoutSeconds).toBeGreaterThan(loads.definition.TimeoutSeconds);
  });

  test('gets the input of its window; failed items do not end it, and four of them stay below the default concurrency', async () => {
    const input = (await evaluate(LoadWindow?.Arguments?.Input, { line })) as { readonly maxConcurrency: number };
    expect(input).toEqual({ ...line.input, toleratedFailurePercentage: 100, maxConcurrency: 5 });
    const [, { MaxConcurrency } = {}] = workflow.statesOf('Map')[0] ?? [];
    expect(Number(MaxConcurrency) * input.maxConcurrency).toBeLessThanOrEqual(20);
  });

  test('has a name that the rule of failed loads ignores', async () => {
    const uuid = () => '5c8e5a43-1f5e-4d0f-9a52-7d0f2f3a8c11';
    const name = String(await evaluate(NameLoad?.Assign?.loadId, { uuid }));
    expect(name).toMatch(/^[\w-]{1,80}$/);
    const pattern = at(propertiesOf('FailedLoadRule', MIGRATION), 'EventPattern', 'detail', 'name', 0, 'anything-but');
    expect(name.startsWith(String(at(pattern, 'prefix')))).toBe(true);
    expect(LoadWindow?.Arguments?.Name).toBe('{% $loadId %}');
  });

  test('is an execution that the state waits for', () => {
    expect(workflow.substitutions[String(LoadWindow?.Resource).slice(2, -1)]).toMatch(
      /^arn:.*:states:::states:startExecution\.sync:2$/,
    );
    const started = String(LoadWindow?.Arguments?.StateMachineArn).slice(2, -1);
    expect(workflow.substitutions[started]).toBe('<BulkLoadStateMachine>');
  });

  test('is recorded, also if it failed', async () => {
    expect([LoadWindow?.Next, LoadWindow?.Catch?.[0]?.Next]).toEqual(['RecordLoad', 'RecordLoad']);
    const failure = await evaluate(LoadWindow?.Catch?.[0]?.Assign.failure, {
      states: { errorOutput: { Error: 'States.TaskFailed', Cause: '{}' } },
    });
    expect(failure).toEqual({ error: 'States.TaskFailed', cause: '{}' });
    expect(await evaluate(RecordLoad?.Arguments?.error, { failure: null })).toBeNull();
  });
});

describe('expressions', () => {
  const { ReadInput, ContinueSurvey, SkipLoads, JudgeReport, MigrationIncomplete, Report } = definition.States;
  const context = { Execution: { Name: 'execution' } };

  test.each([
    [{ database: 'plant' }, 'execution'],
    [{ resume: 'earlier' }, 'earlier'],
    [{ resume: 1 }, 'execution'],
    ['text', 'execution'],
  ])('the input %j uses the ledger %s', async (input, expected) => {
    expect(await evaluate(ReadInput?.Assign?.migrationId, { states: { input, context } })).toBe(expected);
  });

  const chosen = async (state: typeof ContinueSurvey, variables: Record<string, unknown>) => {
    for (const { Condition, Next } of state?.Choices ?? []) if (await evaluate(Condition, variables)) return Next;
    return state?.Default;
  };

  test.each([
    [{ done: false, next: 'Report' }, 'Survey'],
    [{ done: true, next: 'Export' }, 'CheckInfluxDB'],
    [{ done: true, next: 'Verify' }, 'Verify'],
    [{ done: true, next: 'Report' }, 'Report'],
  ])('after the survey %j comes %s', async (survey, expected) => {
    expect(await chosen(ContinueSurvey, { survey })).toBe(expected);
  });

  test.each(['Export', 'Verify'])('%s is called again until it is done', async (name) => {
    const variable = name === 'Export' ? 'exported' : 'verified';
    const state = definition.States[`Continue${name}`];
    expect(await chosen(state, { [variable]: { done: false } })).toBe(name);
    expect(await chosen(state, { [variable]: { done: true } })).toBe(name === 'Export' ? 'Load' : 'Report');
  });

  test.each([
    [{ done: false, continuation: 7 }, 7],
    [{ done: true, continuation: 9 }, 0],
  ])('after the export %j the next step begins at window %i', async (result, expected) => {
    const { Arguments, Assign } = definition.States.Export ?? {};
    expect(await evaluate(Arguments?.continuation, { continuation: 7 })).toBe(7);
    expect(await evaluate(Assign?.continuation, { states: { result } })).toBe(expected);
  });

  test.each([
    [null, 'Verify'],
    [{ bucket: 'b', key: 'k' }, 'LoadTables'],
  ])('with the list %j comes %s', async (tables, expected) => {
    expect(await chosen(SkipLoads, { tables })).toBe(expected);
  });

  test.each([
    [null, 'proved', 'MigrationSucceeded'],
    [null, 'loaded', 'MigrationSucceeded'],
    [null, 'surveyed', 'MigrationSucceeded'],
    [null, 'failed', 'MigrationIncomplete'],
    [{ error: 'E', cause: 'c' }, 'failed', 'MigrationFailed'],
    [{ error: 'E', cause: 'c' }, 'proved', 'MigrationFailed'],
  ])('the failure %j and the status %s lead to %s', async (failure, status, expected) => {
    expect(await chosen(JudgeReport, { failure, report: { status } })).toBe(expected);
  });

  test('the cause is the message and where the report is', async () => {
    const report = { message: 'failed: 1 difference', page: 's3://work/report.txt' };
    expect(await evaluate(MigrationIncomplete?.Cause, { report })).toBe(
      'failed: 1 difference; report: s3://work/report.txt',
    );
  });

  test('a migration without a report ends with its first error', async () => {
    const states = { errorOutput: { Error: 'InvalidEventError', Cause: 'no ledger' } };
    const assigned = Report?.Catch?.[0]?.Assign.failure;
    const first = { error: 'TimestreamQueryError', cause: 'denied' };
    expect(await evaluate(assigned, { failure: first, states })).toEqual(first);
    expect(await evaluate(assigned, { failure: null, states })).toEqual({
      error: 'InvalidEventError',
      cause: 'no ledger',
    });
  });
});

test('docs/migration.md says when a migration ends', () => {
  const page = readFileSync(join(__dirname, '../../..', 'docs/migration.md'), 'utf8');
  const [, days] = /\bends after (\d+) days\b/.exec(page) ?? [];
  expect(Number(days) * 86_400).toBe(definition.TimeoutSeconds);
});
