/** The migration's state machine in third-party engines; statelint checks it with that of the loader. */
import validate from 'asl-validator';
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
import { describeProof } from './report';

const definition = readDefinition('migrate.asl.yaml');

describeProof('asl-validator', undefined, () => {
  test('the state machine of the migration is valid', () => {
    expect(validate(definition as Parameters<typeof validate>[0]).errorsText('\n')).toBe('');
  });
});

/** moto has no Distributed Map with JSON Lines: a task stands for the map over the tables. */
function withoutMap(): Definition {
  const { Catch, Next, Output } = definition.States.LoadTables ?? {};
  const task = { Type: 'Task', Resource: arnOf('LoadTables'), Arguments: '{% $tables %}', Output, Catch, Next };
  return { ...definition, States: { ...definition.States, LoadTables: task } };
}

/** The states that the inner map runs for each window, as a state machine; a function stands for the nested execution. */
function windows(): Definition {
  const tables = (definition.States.LoadTables?.ItemProcessor ?? {}) as Definition;
  const { StartAt, States } = (tables.States.LoadWindows?.ItemProcessor ?? {}) as Definition;
  const LoadWindow = { ...States.LoadWindow, Resource: arnOf('LoadWindow') };
  return { QueryLanguage: 'JSONata', StartAt, States: { ...States, LoadWindow } };
}

const survey = { migrationId: 'execution', done: true, next: 'Export' };
const report = { migrationId: 'execution', status: 'proved', message: 'all equal', page: 's3://work/report.txt' };
const GOOD: Responses = {
  Survey: is(survey),
  CheckInfluxDB: is({ healthy: true }),
  Export: is({ done: true, continuation: 2 }),
  Load: is({ tables: { bucket: 'work', key: 'loads.jsonl' } }),
  LoadTables: is([]),
  Verify: is({ done: true, continuation: 2 }),
  Report: is(report),
};
const ALL = ['Survey', 'CheckInfluxDB', 'Export', 'Load', 'LoadTables', 'Verify', 'Report'];
const line = { migrationId: 'm', table: 't', window: '1-2', input: { export: 's3://b/p/' } };

const EXECUTIONS: readonly Execution[] = [
  {
    name: 'a migration runs every step and ends with its report',
    responses: GOOD,
    status: 'SUCCEEDED',
    calls: ALL,
    given: { migrationId: 'execution' },
    output: report,
  },
  {
    name: 'a migration that is continued uses the earlier ledger',
    input: { resume: 'earlier' },
    responses: GOOD,
    status: 'SUCCEEDED',
    calls: ALL,
    given: { migrationId: 'earlier' },
  },
  {
    name: 'steps that end before their timeout are called again, Verify where it ended',
    responses: {
      ...GOOD,
      Survey: [{ result: { ...survey, done: false } }, { result: survey }],
      Export: [
        { result: { done: false, continuation: 1 } },
        { result: { done: false, continuation: 2 } },
        { result: { done: true, continuation: 3 } },
      ],
      Verify: [{ result: { done: false, continuation: 1 } }, { result: { done: true, continuation: 2 } }],
    },
    status: 'SUCCEEDED',
    calls: [
      ...['Survey', 'Survey', 'CheckInfluxDB', 'Export', 'Export', 'Export', 'Load', 'LoadTables'],
      ...['Verify', 'Verify', 'Report'],
    ],
  },
  {
    name: 'a dry run ends with the report',
    responses: { ...GOOD, Survey: is({ ...survey, next: 'Report' }), Report: is({ ...report, status: 'surveyed' }) },
    status: 'SUCCEEDED',
    calls: ['Survey', 'Report'],
  },
  {
    name: 'a verification alone exports and loads nothing',
    responses: { ...GOOD, Survey: is({ ...survey, next: 'Verify' }) },
    status: 'SUCCEEDED',
    calls: ['Survey', 'Verify', 'Report'],
  },
  {
    name: 'without windows to load comes the verification',
    responses: { ...GOOD, Load: is({ tables: null }) },
    status: 'SUCCEEDED',
    calls: ALL.filter((name) => name !== 'LoadTables'),
  },
  {
    name: 'a difference ends the migration as incomplete, with the message and where the report is',
    responses: { ...GOOD, Report: is({ ...report, status: 'failed', message: '1 difference' }) },
    status: 'FAILED',
    calls: ALL,
    error: 'MigrationIncomplete',
    cause: '1 difference; report: s3://work/report.txt',
  },
  {
    name: 'a migration succeeds if Timestream is available again within six retries of the export',
    responses: {
      ...GOOD,
      Export: [...times(6, error('TimestreamUnavailableError')), { result: { done: true, continuation: 2 } }],
    },
    status: 'SUCCEEDED',
    calls: ['Survey', 'CheckInfluxDB', ...Array<string>(7).fill('Export'), ...ALL.slice(3)],
  },
  {
    name: 'an export that Timestream refuses is reported, and the migration fails with that error',
    responses: { ...GOOD, Export: [error('TimestreamQueryError')], Report: is({ ...report, status: 'failed' }) },
    status: 'FAILED',
    calls: ['Survey', 'CheckInfluxDB', 'Export', 'Report'],
    error: 'TimestreamQueryError',
    cause: 'what "happened"',
  },
  {
    name: 'an invalid input, which has no ledger to report, fails with its own error',
    responses: { ...GOOD, Survey: [error('InvalidEventError', 'no table')], Report: [error('InvalidEventError', 'x')] },
    status: 'FAILED',
    calls: ['Survey', 'Report'],
    error: 'InvalidEventError',
    cause: 'no table',
  },
  {
    name: 'a window is loaded and recorded',
    definition: windows(),
    input: line,
    responses: { LoadWindow: is({ Output: {} }), RecordLoad: is({ complete: true }) },
    status: 'SUCCEEDED',
    calls: ['LoadWindow', 'RecordLoad'],
    given: {
      ...{ migrationId: 'm', table: 't', window: '1-2', error: null },
      // moto has no $uuid.
      loadId: expect.stringMatching(/^migration-/),
    },
    output: {},
  },
  {
    name: 'a load that failed is recorded with its error',
    definition: windows(),
    input: line,
    responses: { LoadWindow: [error('LoadIncomplete')], RecordLoad: is({ complete: false }) },
    status: 'SUCCEEDED',
    calls: ['LoadWindow', 'RecordLoad'],
    given: expect.objectContaining({ error: { error: 'LoadIncomplete', cause: expect.stringContaining('happened') } }),
  },
  {
    name: 'a window whose record cannot be written within four retries fails',
    definition: windows(),
    input: line,
    responses: { LoadWindow: is({}), RecordLoad: [error('S3UnavailableError')] },
    status: 'FAILED',
    calls: ['LoadWindow', ...Array<string>(5).fill('RecordLoad')],
    error: 'S3UnavailableError',
  },
];

describeExecutions(EXECUTIONS, { definition: withoutMap(), input: { database: 'plant' } });
