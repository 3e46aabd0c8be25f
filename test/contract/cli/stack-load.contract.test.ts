/** `load --stack`: the SDK's clients against fakes of CloudFormation, Step Functions and S3, over HTTP. */
import type { Summary } from 'shared/loads/summary';
import { stackDoubles } from './stack';

const stack = stackDoubles({
  BulkLoadStateMachineArn: 'arn:aws:states:us-east-1:123456789012:stateMachine:Bulk',
  WorkBucketName: 'work',
});
const load = (...argv: string[]) => stack.run('load', ...argv);

const totals = {
  source_records: 12_000,
  points_written: 11_990,
  batches_processed: 12,
  failed_batches: 0,
  failed_points: 0,
  rejected_points: 0,
  invalid_records: { 'value nan': 10 },
  rejected_reasons: {},
  duplicates: 0,
  earliest: '0',
  latest: '11989',
  warnings: {},
};
const summary: Summary = {
  ...totals,
  loadId: 'x',
  summary: 's3://work/loads/x/summary.json',
  withinTolerance: true,
  statusCode: 200,
  message: '',
  files: 3,
  ignored: 0,
  items: 4,
  failed_items: 0,
  causes: [],
  datasets: { generation: totals },
  failedItems: null,
  fullyPlanned: true,
};

test('--detach starts the load and prints only its id; --watch shows its end like a local load', async () => {
  const started = await load('s3://data/dataset=generation/', '--detach', '--keep-going');
  const [[id, input] = ['', '']] = [...stack.aws.executions];
  expect(started).toEqual({ code: 0, out: `${id}\n`, err: '' });
  expect(JSON.parse(input)).toEqual({ bucket: 'data', prefix: 'dataset=generation/', toleratedFailurePercentage: 100 });

  stack.aws.states.set(id, { status: 'SUCCEEDED' });
  stack.aws.mapRuns = [
    { total: 3, succeeded: 3 },
    { total: 1, succeeded: 1 },
  ];
  for (const name of ['0123456789abcdef-0.11000.0.0.9', '0123456789abcdef-1.990.2.3.1'])
    stack.s3.put('work', `loads/${id}/progress/${name}`, '');
  stack.s3.put('work', `loads/${id}/summary.json`, JSON.stringify({ ...summary, loadId: id }));
  const watched = await load('--watch', id);
  expect(watched.code).toBe(0);
  expect(watched.err).toContain('100% 4 of 4 items');
  expect(watched.err).toMatch(/; 11,990 points, .*2 points rejected, 3 points failed, 10 invalid rows\n/);
  expect(watched.out).toBe(
    [
      'Stored 11,990 points of 12,000 rows in 3 files; 10 invalid rows dropped',
      '  generation: 11,990 points of 12,000 rows',
      'Invalid rows, which were dropped:',
      '  10 rows: value is NaN',
      '',
    ].join('\n'),
  );
  expect((await load('--watch', id, '--max-invalid', '9')).code).toBe(1);
  expect(JSON.parse((await load('--watch', id, '--json')).out)).toMatchObject({ loadId: id, points_written: 11_990 });
});

test.each([
  ['not a JSON', 's3://work/loads/odd/summary.json is not JSON. Update the stack'],
  [JSON.stringify({ ...summary, causes: undefined }), 's3://work/loads/odd/summary.json is not valid: causes: '],
])('a summary that is not in the form of this version exits with 1: %#', async (text, message) => {
  stack.aws.executions.set('odd', '{}');
  stack.aws.states.set('odd', { status: 'SUCCEEDED' });
  stack.s3.put('work', 'loads/odd/summary.json', text);
  const { code, out, err } = await load('--watch', 'odd');
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toContain(message);
});

test('a partly failed load exits with 1 and prints the command that loads the failed items', async () => {
  stack.aws.executions.set('part', '{}');
  stack.aws.states.set('part', { status: 'FAILED', error: 'LoadIncomplete', cause: 'x' });
  const failedItems = 's3://work/loads/part/failed-items.jsonl';
  const causes = [{ error: 'DataConversionError', cause: 'not a Parquet file', items: 1, objects: ['s3://data/x'] }];
  stack.s3.put(
    'work',
    'loads/part/summary.json',
    JSON.stringify({ ...summary, statusCode: 207, failed_items: 1, failedItems, causes }),
  );
  const { code, out, err } = await load('--watch', 'part');
  expect(code).toBe(1);
  expect(out).toContain('1 of 4 items not loaded');
  expect(err).toContain(
    `When the files are fixed, load them again: npx influxdb-timestream load ${failedItems} --stack Mine\n`,
  );
});

test.each([
  [{ bucket: 'data', prefix: 'a b/' }, "npx influxdb-timestream load 's3://data/a b/' --stack Mine"],
  [
    { bucket: 'data', key: 'x.parquet', dataset: 'air' },
    'npx influxdb-timestream load s3://data/x.parquet --dataset air --stack Mine',
  ],
  [{ bucket: 'data', keys: ['x.parquet'] }, 'start a load with the input of the execution cut'],
])('a load that was not fully planned prints the command for its whole input: %j', async (input, command) => {
  stack.aws.executions.set('cut', JSON.stringify(input));
  stack.aws.states.set('cut', { status: 'FAILED', error: 'LoadIncomplete', cause: 'x' });
  const failedItems = 's3://work/loads/cut/failed-items.jsonl';
  stack.s3.put(
    'work',
    'loads/cut/summary.json',
    JSON.stringify({ ...summary, statusCode: 207, failed_items: 1, failedItems, fullyPlanned: false }),
  );
  const { code, err } = await load('--watch', 'cut');
  expect(code).toBe(1);
  expect(err).toContain(`${command}\n`);
  expect(err).not.toContain('failed-items.jsonl');
});

test.each([
  ['InvalidEventError', 'no Parquet file under s3://data/none/', 2],
  ['InfluxDBConnectionError', 'InfluxDB is unavailable', 1],
])('a load that ended early with %s shows its cause', async (error, cause, expected) => {
  stack.aws.executions.set('early', '{}');
  stack.aws.states.set('early', {
    status: 'FAILED',
    error,
    cause: JSON.stringify({ errorType: error, errorMessage: cause }),
  });
  const { code, out, err } = await load('--watch', 'early');
  expect({ code, out }).toEqual({ code: expected, out: '' });
  expect(err).toContain(`${error}: ${cause}`);
});

test('an unknown load, an unknown stack or a stack without a loader exits with 2', async () => {
  expect(await load('--watch', 'none')).toMatchObject({ code: 2, err: 'the load none does not exist in this stack\n' });
  stack.aws.stacks.set('Mine', { outputs: {} });
  expect(await load('s3://data/x/')).toMatchObject({
    code: 2,
    err: expect.stringContaining('InfluxDBUrl and DataBucketName'),
  });
  stack.aws.stacks.clear();
  expect(await load('s3://data/x/')).toMatchObject({ code: 2, err: expect.stringContaining('Mine does not exist') });
});

test('a file and a failed-items.jsonl in S3 become the matching kinds of input', async () => {
  await load('s3://data/generation/a.parquet', '--detach', '--dataset', 'generation');
  await load('s3://work/loads/x/failed-items.jsonl', '--detach');
  expect([...stack.aws.executions.values()].map((input) => JSON.parse(input) as unknown)).toEqual([
    { bucket: 'data', key: 'generation/a.parquet', dataset: 'generation', toleratedFailurePercentage: 0 },
    { plan: 's3://work/loads/x/failed-items.jsonl', toleratedFailurePercentage: 0 },
  ]);
});
