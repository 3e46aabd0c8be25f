/** SummarizeLoad, with results in the format of the workflow's map. */
import { BUILT_IN_MAPPINGS } from 'shared/datasets/built-in';
import type { ItemResult } from 'shared/loads/item-result';
import type { ObjectStore } from 'shared/loads/objects';
import type { PlanItem } from 'shared/loads/plan-item';
import { summarizeLoad } from 'shared/loads/summarize-load';
import { type Summary, summarySchema } from 'shared/loads/summary';
import { DATA, never, testStore, WORK } from '../../support/loader';

const s3 = testStore();

const item = (name: string, firstRowGroup = 0): PlanItem => ({
  ...{ bucket: DATA, key: `generation/${name}.parquet`, etag: '"e"', size: 1000, dataset: 'generation' },
  ...{ firstRowGroup, rowGroups: 1, firstRow: firstRowGroup * 100, rows: 100, bytes: 500, fileRows: 200, taken: [] },
});

const result = ({ bucket, key, firstRowGroup, rowGroups }: PlanItem, change: Partial<ItemResult> = {}): ItemResult => ({
  ...{ item: { bucket, key, firstRowGroup, rowGroups }, dataset: 'generation', statusCode: 200 as const },
  ...{ sourceRecords: 100, pointsWritten: 100, batches: 1, failedBatches: 0, failedPoints: 0, invalidRecords: {} },
  ...{ invalidExamples: [], invalidFile: null, rejectedPoints: 0, rejected: [], duplicates: 0, warnings: [] },
  ...{ earliest: '0', latest: '99', series: 2, fieldSeries: 2, nulls: { value: 0 }, retries: 0, milliseconds: 10 },
  ...change,
});

/** A child execution, in the format of the map. */
const child = (of: PlanItem, rest: object) => ({
  ExecutionArn: 'arn:aws:states:us-east-1:123456789012:execution:BulkLoad/LoadBatches:1',
  Input: JSON.stringify({ loadId: 'load-1', item: of }),
  InputDetails: { Included: true },
  ...rest,
});
const succeeded = (of: PlanItem, change?: Partial<ItemResult>) =>
  child(of, { Output: JSON.stringify(result(of, change)), Status: 'SUCCEEDED' });
const failed = (of: PlanItem, error: string, cause: string) =>
  child(of, { Error: error, Cause: cause, Status: 'FAILED' });
const pending = (of: PlanItem) => child(of, { Status: 'PENDING' });

interface PartOptions {
  readonly items: PlanItem[];
  readonly children?: Record<'SUCCEEDED' | 'FAILED' | 'PENDING', unknown[]>;
  readonly unplanned?: { key: string; error: string; cause: string }[];
  readonly error?: { error: string; cause: string };
  /** Whether the map returned the location of its results. */
  readonly isTold?: boolean;
}

const jsonLines = (values: object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('');

function putPart({ items, children, unplanned = [], error, isTold = true }: PartOptions, part = 0) {
  const planKey = `loads/load-1/plan-${part}.jsonl`;
  s3.store.put(WORK, planKey, jsonLines(items));
  s3.store.put(
    WORK,
    `loads/load-1/unplanned-${part}.jsonl`,
    jsonLines(unplanned.map((line) => ({ bucket: DATA, ...line }))),
  );
  const folder = `loads/load-1/results-${part}/2a7ff50d`;
  const files = Object.entries(children ?? {}).filter(([, list]) => list.length > 0);
  for (const [status, list] of files) s3.store.put(WORK, `${folder}/${status}_0.json`, JSON.stringify(list));
  const named = Object.fromEntries(files.map(([status]) => [status, [{ Key: `${folder}/${status}_0.json`, Size: 1 }]]));
  const ResultFiles = { SUCCEEDED: [], FAILED: [], PENDING: [], ...named };
  const manifestKey = `${folder}/manifest.json`;
  if (children)
    s3.store.put(WORK, manifestKey, JSON.stringify({ DestinationBucket: WORK, MapRunArn: 'arn', ResultFiles }));
  const plan = { bucket: WORK, key: planKey };
  const files_ = new Set(items.map(({ key }) => key)).size;
  return {
    plan: {
      plan,
      part,
      items: items.length,
      files: files_,
      rows: 100 * items.length,
      bytes: 1,
      unplanned: unplanned.length,
      ignored: 0,
      continuation: null,
    },
    results: children && isTold ? { bucket: WORK, manifestKey } : null,
    error: error ?? null,
  };
}

const load = (toleratedFailurePercentage = 0) => ({
  ...{ loadId: 'load-1', source: { bucket: DATA, prefix: 'generation/' }, dataset: null },
  ...{ toleratedFailurePercentage, maxConcurrency: 10 },
});

async function sum(
  parts: unknown[],
  options: { tolerated?: number; error?: object; validateSchema?: boolean; deadline?: AbortSignal } = {},
): Promise<Summary> {
  const { tolerated, error = null, validateSchema = true, deadline = never } = options;
  const services = { objects: s3.objects, workBucket: WORK, mappings: BUILT_IN_MAPPINGS, validateSchema, deadline };
  const summary = await summarizeLoad({ load: load(tolerated), parts, error }, services);
  // The published schema has every member with its type.
  expect(summarySchema.strict().parse(summary)).toEqual(summary);
  return summary;
}

describe('the results of many failed items', () => {
  const items = Array.from({ length: 120 }, (_, n) => item(`file-${String(n).padStart(3, '0')}`));
  const putAll = () => {
    for (const of of items) {
      const before = result(of, { sourceRecords: 30, pointsWritten: 30 });
      s3.store.put(WORK, `loads/load-1/unfinished/${of.key}-0.json`, JSON.stringify(before));
    }
    const FAILED = items.map((of) => failed(of, 'InfluxDBConnectionError', 'away'));
    return putPart({ items, children: { ...none, FAILED } });
  };

  test('are read concurrently', async () => {
    const part = putAll();
    let [open, most] = [0, 0];
    const read: ObjectStore['read'] = async (ref) => {
      most = Math.max(most, ++open);
      const chunks = await s3.objects.read(ref);
      open -= 1;
      return chunks;
    };
    const objects = Object.assign(Object.create(s3.objects) as ObjectStore, { read });
    const services = { objects, workBucket: WORK, mappings: BUILT_IN_MAPPINGS, validateSchema: true, deadline: never };
    const summary = await summarizeLoad({ load: load(), parts: [part], error: null }, services);
    expect(summary).toMatchObject({ statusCode: 207, points_written: 3600, failed_items: 120 });
    expect(most).toBe(50);
  });

  test('are not counted after the deadline, and the message reports it', async () => {
    const summary = await sum([putAll()], { deadline: AbortSignal.abort() });
    expect(summary).toMatchObject({ statusCode: 207, points_written: 0, failed_items: 120 });
    expect(summary.message).toContain('the results of 120 failed items were not read before the deadline');
    expect(repeated()).toHaveLength(120);
  });
});

const repeated = () => s3.store.lines(WORK, 'loads/load-1/failed-items.jsonl');
const none = { SUCCEEDED: [], FAILED: [], PENDING: [] };

test('counts points that failed items had written, and counts no point twice', async () => {
  const [gone, repeated, lacking] = [item('gone'), item('repeated'), { ...item('lacking'), fileRows: 100 }];
  const nulls = { value: 100 };
  for (const [of, pointsWritten] of [
    [gone, 30],
    [repeated, 40],
    [lacking, 50],
  ] as const) {
    const before = result(of, {
      sourceRecords: 60,
      pointsWritten,
      failedBatches: 1,
      failedPoints: 10,
      statusCode: 207,
    });
    s3.store.put(WORK, `loads/load-1/unfinished/${of.key}-0.json`, JSON.stringify(before));
  }
  const summary = await sum([
    putPart({
      items: [gone, repeated, lacking],
      children: {
        ...none,
        SUCCEEDED: [succeeded(repeated), succeeded(lacking, { nulls })],
        FAILED: [failed(gone, 'InfluxDBConnectionError', 'away')],
      },
    }),
  ]);
  // 30 before the failure, and two items of 100.
  expect(summary).toMatchObject({ statusCode: 207, points_written: 230, source_records: 260, failed_points: 10 });
  expect(summary.datasets.generation).toMatchObject({ points_written: 230 });
  expect(summary.failed_items).toBe(2);
});

test('a load with only failed items has status 207 if one of them has written points', async () => {
  const gone = item('gone');
  const before = result(gone, { pointsWritten: 30, statusCode: 207 });
  s3.store.put(WORK, 'loads/load-1/unfinished/x-0.json', JSON.stringify(before));
  const children = { ...none, FAILED: [failed(gone, 'InfluxDBConnectionError', 'away')] };
  const error = { error: 'InfluxDBConnectionError', cause: 'away' };
  const summary = await sum([putPart({ items: [gone], children, error })]);
  expect(summary).toMatchObject({ statusCode: 207, points_written: 30, failed_items: 1, withinTolerance: false });
  expect(repeated()).toHaveLength(1);
});

test('adds up parts, datasets and reasons', async () => {
  const [a, b] = [item('a'), { ...item('b'), dataset: 'consumption' }];
  const invalid = {
    invalidRecords: { 'value nan': 2 },
    pointsWritten: 97,
    rejectedPoints: 1,
    statusCode: 207 as const,
  };
  const rejected = [{ reason: 'field type conflict', lines: 1, examples: [] }];
  const summary = await sum([
    putPart(
      { items: [a], children: { ...none, SUCCEEDED: [succeeded(a, { ...invalid, rejected, duplicates: 3 })] } },
      0,
    ),
    putPart(
      {
        items: [b],
        children: {
          ...none,
          SUCCEEDED: [succeeded(b, { ...invalid, rejected, dataset: 'consumption', earliest: '-1000', latest: '8' })],
        },
      },
      1,
    ),
  ]);
  expect(summary).toMatchObject({
    statusCode: 207,
    files: 2,
    items: 2,
    failed_items: 0,
    source_records: 200,
    points_written: 194,
    rejected_points: 2,
    duplicates: 3,
    earliest: '-1000',
    latest: '99',
    invalid_records: { 'value nan': 4 },
    rejected_reasons: { 'field type conflict': 2 },
    datasets: {
      generation: { points_written: 97, earliest: '0' },
      consumption: { points_written: 97, latest: '8' },
    },
    failedItems: null,
    fullyPlanned: true,
    // Rejected points are failures, and the tolerance is 0.
    withinTolerance: false,
    causes: [expect.objectContaining({ error: 'InfluxDBWriteError' })],
  });
  expect(summary.message).toBe(
    '194 points of 200 rows in 2 files written; 4 invalid rows dropped; 2 points rejected by InfluxDB',
  );
});

describe('items that failed or were never started', () => {
  const [good, bad, waiting, lost] = [item('good'), item('bad'), item('waiting'), item('lost')];
  const cause = JSON.stringify({
    errorType: 'DataConversionError',
    errorMessage: 's3://energy-data/generation/bad.parquet: corrupt',
    trace: ['at secret.js'],
  });
  const children = {
    SUCCEEDED: [succeeded(good)],
    FAILED: [failed(bad, 'DataConversionError', cause)],
    PENDING: [pending(waiting)],
  };
  const unplanned = [
    {
      key: 'generation/empty.parquet',
      error: 'DataConversionError',
      cause: 's3://energy-data/generation/empty.parquet: no bytes',
    },
  ];

  test('are reported with their causes, without stacks, and form a plan to repeat', async () => {
    const summary = await sum([putPart({ items: [good, bad, waiting, lost], children, unplanned })], { tolerated: 80 });
    expect(summary).toMatchObject({
      statusCode: 207,
      items: 5,
      failed_items: 4,
      points_written: 100,
      failedItems: `s3://${WORK}/loads/load-1/failed-items.jsonl`,
      withinTolerance: true,
    });
    expect(summary.causes).toEqual([
      {
        error: 'NotStarted',
        cause: 'the item was not started before the load ended',
        items: 2,
        objects: [`s3://${DATA}/${waiting.key}`, `s3://${DATA}/${lost.key}`],
      },
      { error: 'DataConversionError', cause: 'corrupt', items: 1, objects: [`s3://${DATA}/${bad.key}`] },
      { error: 'DataConversionError', cause: 'no bytes', items: 1, objects: [`s3://${DATA}/generation/empty.parquet`] },
    ]);
    expect(JSON.stringify(summary)).not.toContain('secret.js');
    expect(repeated()).toMatchObject([bad, waiting, lost, { bucket: DATA, key: 'generation/empty.parquet' }]);
  });

  test.each([
    [80, true],
    [79, false],
  ])('are within a tolerance of %i %%: %s', async (tolerated, withinTolerance) => {
    expect(
      await sum([putPart({ items: [good, bad, waiting, lost], children, unplanned })], { tolerated }),
    ).toMatchObject({ withinTolerance });
  });

  test('are found if the map failed and did not return the location of its results', async () => {
    const error = {
      error: 'States.ExceedToleratedFailureThreshold',
      cause: 'The specified tolerated failure threshold was exceeded',
    };
    const summary = await sum([putPart({ items: [good, bad, waiting, lost], children, error, isTold: false })], {
      tolerated: 100,
    });
    expect(summary).toMatchObject({ statusCode: 207, points_written: 100, failed_items: 3, withinTolerance: false });
    expect(summary.causes).toContainEqual({ ...error, items: 1, objects: [] });
  });

  test('are all items if there are no results', async () => {
    const error = { error: 'States.ItemReaderFailed', cause: 'AccessDenied' };
    const summary = await sum([putPart({ items: [good, bad], error })], { tolerated: 100 });
    expect(summary).toMatchObject({ statusCode: 500, points_written: 0, failed_items: 2, withinTolerance: false });
    expect(repeated()).toHaveLength(2);
  });

  test('include items with skipped batches', async () => {
    const skipped = { failedBatches: 1, failedPoints: 5, pointsWritten: 95, statusCode: 207 as const };
    const summary = await sum([
      putPart({ items: [good], children: { ...none, SUCCEEDED: [succeeded(good, skipped)] } }),
    ]);
    expect(summary).toMatchObject({ statusCode: 207, failed_items: 0, failed_batches: 1, withinTolerance: true });
    expect(repeated()).toEqual([good]);
  });
});

describe('status', () => {
  const a = item('a');

  test('is 500 if nothing was stored, whatever the tolerance', async () => {
    const nothing = { pointsWritten: 0, invalidRecords: { 'value nan': 100 } };
    const part = putPart({ items: [a], children: { ...none, SUCCEEDED: [succeeded(a, nothing)] } });
    expect(await sum([part], { tolerated: 100 })).toMatchObject({ statusCode: 500, withinTolerance: false });
  });

  test('is 200 for files without rows', async () => {
    expect(await sum([putPart({ items: [] })])).toMatchObject({
      statusCode: 200,
      points_written: 0,
      withinTolerance: true,
    });
  });

  test('is 207 if a later part could not be planned', async () => {
    const part = putPart({ items: [a], children: { ...none, SUCCEEDED: [succeeded(a)] } });
    const error = { error: 'UnexpectedError', cause: '{"errorType":"UnexpectedError","errorMessage":"cannot list"}' };
    const summary = await sum([part], { error, tolerated: 100 });
    expect(summary).toMatchObject({ statusCode: 207, withinTolerance: false });
    expect(summary.causes).toEqual([{ error: 'UnexpectedError', cause: 'cannot list', items: 1, objects: [] }]);
  });
});

test('reports whether every file was planned', async () => {
  const part = putPart({ items: [item('a')], error: { error: 'States.ExceedToleratedFailureThreshold', cause: '' } });
  expect(await sum([part])).toMatchObject({ fullyPlanned: true, failed_items: 1 });

  const cut = { ...part, plan: { ...part.plan, continuation: { key: 'generation/a' } } };
  expect(await sum([cut])).toMatchObject({ fullyPlanned: false, failed_items: 1 });
  const error = { error: 'S3UnavailableError', cause: 'slow down' };
  expect(await sum([part], { error })).toMatchObject({ fullyPlanned: false });
});

describe('a required column without any value', () => {
  const [first, second] = [item('a', 0), item('a', 1)];
  const withoutUnit = { nulls: { unit: 100 } };
  const run = (changes: Partial<ItemResult>[], options = {}) =>
    sum(
      [
        putPart({
          items: [first, second],
          children: { ...none, SUCCEEDED: [succeeded(first, changes[0]), succeeded(second, changes[1])] },
        }),
      ],
      options,
    );

  test('in the whole file fails the file', async () => {
    const summary = await run([withoutUnit, withoutUnit]);
    expect(summary).toMatchObject({ failed_items: 2, withinTolerance: false });
    expect(summary.causes).toMatchObject([
      { error: 'DataConversionError', cause: 'column unit has no value in any row', items: 2 },
    ]);
  });

  test('in some row groups does not fail the file', async () => {
    expect(await run([withoutUnit, { nulls: { unit: 99 } }])).toMatchObject({ failed_items: 0, statusCode: 200 });
  });

  test('does not fail the file without VALIDATE_SCHEMA, or if only a part of the file was loaded', async () => {
    expect(await run([withoutUnit, withoutUnit], { validateSchema: false })).toMatchObject({ failed_items: 0 });
    const part = putPart({ items: [first], children: { ...none, SUCCEEDED: [succeeded(first, withoutUnit)] } });
    expect(await sum([part])).toMatchObject({ failed_items: 0 });
  });
});

test('stays small for many causes', async () => {
  const items = Array.from({ length: 2000 }, (_, index) => item(`file-${index}`));
  const FAILED = items.map((one, index) => failed(one, 'DataConversionError', `cause ${index} ${'x'.repeat(5000)}`));
  const summary = await sum([putPart({ items, children: { ...none, FAILED } })]);
  expect(summary).toMatchObject({ failed_items: 2000, statusCode: 500 });
  expect(summary.causes).toHaveLength(21);
  expect(summary.causes.reduce((all, { items: count }) => all + count, 0)).toBe(2000);
  expect(Buffer.byteLength(JSON.stringify(summary))).toBeLessThan(64 * 1024);
  expect(repeated()).toHaveLength(2000);
});

test.each(['plan-0.jsonl', 'results-0/2a7ff50d/SUCCEEDED_0.json'])('fails if %s is missing', async (name) => {
  const a = item('a');
  const part = putPart({ items: [a], children: { ...none, SUCCEEDED: [succeeded(a)] } });
  s3.store.objects.delete(`${WORK}/loads/load-1/${name}`);
  await expect(sum([part])).rejects.toMatchObject({
    name: 'UnexpectedError',
    message: expect.stringContaining('is missing'),
  });
});
