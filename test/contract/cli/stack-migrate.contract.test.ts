/** `migrate --stack`: the SDK's clients against fakes of CloudFormation, Step Functions and S3, over HTTP. */
import { tableKey, windowKey } from 'shared/migration/work-keys';
import { runProgram } from './program';
import { stackDoubles } from './stack';

const stack = stackDoubles({
  MigrateStateMachineArn: 'arn:aws:states:us-east-1:123456789012:stateMachine:Migrate',
  WorkBucketName: 'work',
});
const migrate = (...argv: string[]) => stack.run('migrate', ...argv);

const inputs = () => [...stack.aws.executions.values()].map((input) => JSON.parse(input) as unknown);
const putJson = (key: string, value: unknown): void => stack.s3.put('work', key, JSON.stringify(value));

/** A ledger with two windows: one is loaded and verified, the other one is exported. */
function putLedger(id: string): void {
  const windows = [
    { from: '0', to: '10', rows: 7 },
    { from: '10', to: '20', rows: 5 },
  ];
  putJson(`migrations/${id}/tables.json`, ['machines']);
  putJson(tableKey(id, 'machines'), {
    ...{ table: 'machines', columns: [], rows: 12, first: '0', last: '19', series: 1, measureNames: [] },
    ...{ scannedBytes: 0, estimatedBytes: 0, windows, findings: [] },
  });
  const loaded = {
    ...{ loadId: 'l', complete: true, rows: 7, points: 7, empty: 0, invalid: 0 },
    ...{ written: 7, rejected: 0, failed: 0, merged: 0, causes: [] },
  };
  for (const [index, { rows, ...window }] of windows.entries()) {
    const exported = { folder: 's3://b/f/', manifest: 'm', rows, bytes: 1, files: 1, columns: [] };
    const isDone = index === 0;
    putJson(windowKey(id, 'machines', window), {
      ...{ window, state: 'exported', attempt: 1, query: null, exported, source: null, scannedBytes: 0, error: null },
      loaded: isDone ? loaded : null,
      verified: isDone ? { at: '2024-03-01T12:00:00Z', target: null, differences: [] } : null,
    });
  }
}

function putReport(id: string, text: string): void {
  putJson(`migrations/${id}/report.json`, { status: 'failed', message: text });
  stack.s3.put('work', `migrations/${id}/report.txt`, `${text}\n`);
}

test('--detach starts the migration with the given options and prints only its id', async () => {
  const started = await migrate(
    '--detach',
    '--database',
    'plant',
    '--table',
    'a*',
    '--verify',
    'sums',
    '--from',
    '2024-01-01',
  );
  const [id] = [...stack.aws.executions.keys()];
  expect(started).toEqual({ code: 0, out: `${id}\n`, err: '' });
  expect(inputs()).toEqual([
    {
      ...{ database: 'plant', tables: ['a*'], from: '2024-01-01T00:00:00Z', verify: 'sums', dryRun: false },
      mapping: {},
    },
  ]);
});

test('--resume continues a migration, and --watch shows its progress and its report', async () => {
  await migrate('--detach', '--resume', 'first');
  expect(inputs()).toEqual([{ resume: 'first', verifyOnly: false }]);
  const [id = ''] = [...stack.aws.executions.keys()];
  stack.aws.states.set(id, { status: 'SUCCEEDED' });
  putLedger('first');
  putReport('first', 'everything is equal');
  const { code, out, err } = await migrate('--watch', id);
  expect([code, out]).toEqual([0, 'everything is equal\nReport: s3://work/migrations/first/report.txt\n']);
  expect(err).toBe('2 windows: 2 exported, 1 loaded, 1 verified (12 rows, 7 points written)\n');
  expect(JSON.parse((await migrate('--watch', id, '--json')).out)).toMatchObject({ message: 'everything is equal' });
});

test('a migration that is not proved exits with 1, shows its report, and prints the command that continues it', async () => {
  stack.aws.executions.set('part', '{}');
  stack.aws.states.set('part', { status: 'FAILED', error: 'MigrationIncomplete', cause: 'failed: 1 difference' });
  putReport('part', 'failed: 1 difference');
  const { code, out, err } = await migrate('--watch', 'part');
  expect([code, out]).toEqual([1, expect.stringContaining('failed: 1 difference')]);
  expect(err).toContain('To continue it: npx influxdb-timestream migrate --stack Mine --resume part\n');
});

test.each([
  ['InvalidEventError', 'no table matches', 2],
  ['TimestreamUnavailableError', 'throttled', 1],
])('a migration that ended early with %s shows its cause, not an older report', async (error, message, expected) => {
  stack.aws.executions.set('early', '{}');
  const cause = JSON.stringify({ errorType: error, errorMessage: message });
  stack.aws.states.set('early', { status: 'FAILED', error, cause });
  putReport('early', 'of an earlier run');
  const { code, out, err } = await migrate('--watch', 'early');
  expect({ code, out }).toEqual({ code: expected, out: '' });
  expect(err).toContain(`${error}: ${message}`);
});

test.each([
  [['--watch', 'none'], 'the migration none does not exist in this stack'],
  [['--verify-only'], '--verify-only with --stack needs --resume ID'],
  [['--resume', 'x', '--table', 'y'], '--table cannot be used with --resume'],
  [['--url', 'http://localhost:8086'], '--url cannot be used with --stack'],
  [['--timestream', 'eu-west-1'], '--timestream cannot be used with --stack'],
])('%p exits with 2', async (argv, message) => {
  expect(await migrate(...argv)).toMatchObject({ code: 2, err: expect.stringContaining(message) });
  expect(inputs()).toEqual([]);
});

test('a stack without a migration, and options of a stack without one, exit with 2', async () => {
  stack.aws.stacks.set('Mine', { outputs: { WorkBucketName: 'work' } });
  expect(await migrate()).toMatchObject({ code: 2, err: expect.stringContaining('MigrationDatabaseName') });
  expect(await runProgram(['migrate', '--watch', 'x'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('--stack'),
  });
});
