/** PlanLoad with a store that speaks S3's HTTP API: requests, plans, errors. */
import { BUILT_IN_MAPPINGS } from 'shared/datasets/built-in';
import { detectDatasetStep } from 'shared/loads/detect-dataset';
import type { Load, LoadSource } from 'shared/loads/load';
import type { PlanItem, Unplanned } from 'shared/loads/plan-item';
import { type PlanResult, type PlanServices, planLoad } from 'shared/loads/plan-load';
import type { ParquetReader } from 'shared/parquet/reader';
import { DATA, fixtureBytes, parquetOf, planServices, testStore, WORK } from '../../support/loader';
import { testReader } from '../../support/parquet';
import { withFooter } from '../../support/parquet-footer';

const reader = testReader();
const s3 = testStore();

const loadOf = (source: LoadSource, options: Partial<Load> = {}): Load => ({
  loadId: 'load-1',
  source,
  dataset: null,
  toleratedFailurePercentage: 0,
  maxConcurrency: 10,
  ignored: 0,
  ...options,
});
const plan = (load: Load, options: Partial<PlanServices> = {}, part = 0, continuation: unknown = null) =>
  planLoad({ load, part, continuation }, planServices({ objects: s3.objects, reader }, options));
const detected = (input: object): Promise<Load> => {
  const rules = { mappings: BUILT_IN_MAPPINGS, reservedConcurrency: undefined, objects: s3.objects, workBucket: WORK };
  return detectDatasetStep({ loadId: 'load-1', input }, rules);
};
const itemsOf = (part = 0) => s3.store.lines<PlanItem>(WORK, `loads/load-1/plan-${part}.jsonl`);
const unplannedOf = (part = 0) => s3.store.lines<Unplanned>(WORK, `loads/load-1/unplanned-${part}.jsonl`);
const requestsOf = (method: string) =>
  s3.store.requests.filter((request) => request.method === method && request.path !== DATA);
const etagOf = async (key: string) => (await s3.objects.find({ bucket: DATA, key }))?.etag;

const small = { targets: { bytes: 1, rows: 1 } };
const prefix = { bucket: DATA, prefix: 'in/' };
const GOOD = fixtureBytes('codec-snappy');

describe('a prefix', () => {
  test('needs one ranged read per file, and no other request', async () => {
    for (const name of ['a', 'b', 'c']) s3.store.put(DATA, `in/generation/${name}.parquet`, GOOD);
    s3.store.pageSize = 2;
    const result = await plan(loadOf(prefix));
    s3.store.pageSize = 1000;
    expect(result).toMatchObject({ items: 3, files: 3, rows: 900, unplanned: 0, continuation: null });
    expect(requestsOf('HEAD')).toHaveLength(0);
    const ranges = requestsOf('GET').filter(({ path }) => path !== `${DATA}/`);
    expect(ranges.map(({ path, range }) => [path, range]).sort()).toEqual(
      ['a', 'b', 'c'].map((name) => [`${DATA}/in/generation/${name}.parquet`, `bytes=0-${GOOD.length - 1}`]),
    );
  });

  test('has one item for each run of row groups, in the order of keys and rows', async () => {
    s3.store.put(DATA, 'in/generation/b.parquet', GOOD);
    s3.store.put(DATA, 'in/generation/a b:c.parquet', GOOD);
    await plan(loadOf(prefix), small);
    expect(
      itemsOf().map(({ key, firstRowGroup, rowGroups, firstRow, rows }) => [
        key,
        firstRowGroup,
        rowGroups,
        firstRow,
        rows,
      ]),
    ).toEqual(
      ['in/generation/a b:c.parquet', 'in/generation/b.parquet'].flatMap((key) =>
        [0, 1, 2].map((group) => [key, group, 1, group * 100, 100]),
      ),
    );
    expect(itemsOf()[0]).toMatchObject({
      bucket: DATA,
      etag: await etagOf('in/generation/b.parquet'),
      fileRows: 300,
      dataset: 'generation',
      taken: [],
    });
  });

  test('plans valid files, and reports the causes for the others', async () => {
    const bad: Record<string, [Buffer, RegExp]> = {
      'in/generation/empty.parquet': [
        Buffer.alloc(0),
        /^s3:\/\/energy-data\/in\/generation\/empty.parquet: .*it is empty/,
      ],
      'in/generation/text.parquet': [Buffer.from('a text, and no Parquet at all'), /not a Parquet file/],
      'in/generation/truncated.parquet': [GOOD.subarray(0, 5000), /truncated/],
      'in/generation/column.parquet': [
        fixtureBytes('missing-column'),
        /the file has no column value, which the mapping "generation" requires. It has: timestamp, .*DATASET_MAPPINGS/,
      ],
      'in/unknown.parquet': [GOOD, /its path names none of the built-in datasets/],
      'in/generation/consumption/x.parquet': [GOOD, /its path names several: generation, consumption/],
    };
    for (const [key, [bytes]] of Object.entries(bad)) s3.store.put(DATA, key, bytes);
    s3.store.put(DATA, 'in/generation/good.parquet', GOOD);
    s3.store.put(DATA, 'in/generation/no-rows.parquet', fixtureBytes('zero-rows'));
    expect(await plan(loadOf(prefix))).toMatchObject({ items: 1, files: 2, unplanned: 6 });
    const causes = Object.fromEntries(unplannedOf().map(({ key, error, cause }) => [key, `${error} ${cause}`]));
    expect(Object.keys(causes).sort()).toEqual(Object.keys(bad).sort());
    for (const [key, [, cause]] of Object.entries(bad)) {
      expect(causes[key]).toMatch(/^DataConversionError /);
      expect(causes[key]?.replace('DataConversionError ', '')).toMatch(cause);
    }
  });

  test('detects the dataset from each key, unless one is given', async () => {
    s3.store.put(DATA, 'in/generation/a.parquet', GOOD);
    s3.store.put(DATA, 'in/dataset=transmission/b.parquet', fixtureBytes('transmission-mw'));
    s3.store.put(DATA, 'in/c.parquet', GOOD);
    await plan(loadOf(prefix));
    expect(
      itemsOf()
        .map(({ dataset }) => dataset)
        .sort(),
    ).toEqual(['generation', 'transmission']);
    await plan(loadOf(prefix, { dataset: 'generation' }), { validateSchema: false });
    expect(itemsOf().map(({ dataset }) => dataset)).toEqual(['generation', 'generation', 'generation']);
  });

  test('leaves out hidden folders and markers, with their contents', async () => {
    const data = ['in/generation/_year=2024/a.parquet', 'in/generation/b.parquet', 'in/generation/part-2'];
    const others = [
      ...['_temporary/0/task_1/part-0.parquet', '_delta_log/00.checkpoint.parquet', '_change_data/cdc-0.parquet'],
      ...['.ipynb_checkpoints/a-checkpoint.parquet', '_SUCCESS', '.part-0.parquet.crc', '_hidden=1/.c.parquet'],
      ...['', 'x_$folder$', 'export_manifest.json'],
    ].map((name) => `in/generation/${name}`);
    for (const key of [...data, ...others]) s3.store.put(DATA, key, GOOD);
    s3.store.put(DATA, 'in/_spark_metadata/generation/d.parquet', GOOD);
    const result = await plan(loadOf(prefix));
    expect(itemsOf().map(({ key }) => key)).toEqual([...data].sort());
    expect(result).toMatchObject({ files: data.length, ignored: others.length + 1, unplanned: 0 });
  });

  test('may be in a hidden folder, because the request names it', async () => {
    s3.store.put(DATA, '_staging/.in/generation/a.parquet', GOOD);
    s3.store.put(DATA, '_staging/.in/generation/_temporary/b.parquet', GOOD);
    const source = { bucket: DATA, prefix: '_staging/.in/gen' };
    expect(await plan(loadOf(source))).toMatchObject({ files: 1, ignored: 1 });
  });

  test('reports an invalid file by name, and plans the others', async () => {
    for (const name of ['a', 'b', 'c']) s3.store.put(DATA, `in/generation/${name}.parquet`, GOOD);
    const negative = withFooter(GOOD, (footer) => {
      footer.num_rows = -1n;
    });
    s3.store.put(DATA, 'in/generation/b.parquet', Buffer.from(negative));
    const inspect: ParquetReader['inspect'] = (source, signal) =>
      source.name.endsWith('a.parquet')
        ? Promise.reject(new TypeError('what nobody foresaw'))
        : reader.inspect(source, signal);
    const odd = Object.assign(Object.create(reader) as ParquetReader, { inspect });
    expect(await plan(loadOf(prefix), { reader: odd })).toMatchObject({ items: 1, files: 1, unplanned: 2, ignored: 0 });
    expect(unplannedOf().map(({ error, cause }) => [error, cause])).toEqual([
      ['UnexpectedError', `s3://${DATA}/in/generation/a.parquet: TypeError: what nobody foresaw`],
      ['DataConversionError', `s3://${DATA}/in/generation/b.parquet: corrupt: the footer counts -1 rows`],
    ]);
  });

  test('without a Parquet file is rejected', async () => {
    s3.store.put(DATA, 'in/generation/_SUCCESS', '');
    await expect(plan(loadOf(prefix))).rejects.toMatchObject({
      name: 'InvalidEventError',
      message: 'no Parquet file under s3://energy-data/in/ (1 other keys were left out)',
    });
  });

  test('fails a file whose footer says that a required column has no value, after one request', async () => {
    const values = `hash(i)::DOUBLE AS "value", 'MW' AS unit, 'solar' AS energy_source, 'generation' AS measurement_type`;
    const select = `SELECT make_timestamp(i * 1000000) AS "timestamp", NULL::VARCHAR AS region, ${values}`;
    const file = await parquetOf(`${select} FROM range(20000) AS r(i)`);
    s3.store.put(DATA, 'in/generation/a.parquet', file);
    await plan(loadOf(prefix));
    expect(unplannedOf()).toMatchObject([{ cause: expect.stringContaining('column region has no value in any row') }]);
    const ranges = requestsOf('GET').filter(({ path }) => path !== `${DATA}/`);
    expect(ranges.map(({ range }) => range)).toEqual([`bytes=${file.length - 65536}-${file.length - 1}`]);
  });

  test('names a field for the whole file, whichever row group has the unit with that name', async () => {
    s3.store.put(DATA, 'in/transmission/kv.parquet', fixtureBytes('transmission-kv-last'));
    await plan(loadOf(prefix), small);
    expect(itemsOf().length).toBeGreaterThan(1);
    for (const { taken } of itemsOf()) expect(taken).toEqual(['voltage_kv']);
  });
});

describe('keys', () => {
  test('are planned once each, whatever their names, and missing ones are reported', async () => {
    s3.store.put(DATA, 'generation/_hidden.csv', GOOD);
    const keys = ['generation/_hidden.csv', 'generation/gone.parquet', 'generation/_hidden.csv'];
    expect(await plan(await detected({ bucket: DATA, keys }))).toMatchObject({
      items: 1,
      files: 1,
      unplanned: 1,
      ignored: 0,
    });
    expect(unplannedOf()).toEqual([
      {
        bucket: DATA,
        key: 'generation/gone.parquet',
        error: 'DataConversionError',
        cause: `s3://${DATA}/generation/gone.parquet: the object does not exist`,
      },
    ]);
  });
});

describe('many keys', () => {
  /** An input of nearly 256 KB. */
  const keys = Array.from({ length: 10_000 }, (_, n) => `generation/${String(n).padStart(6, '0')}/x.pq`);

  test('are moved to the work bucket by DetectDataset, so that the state stays small', async () => {
    const input = { bucket: DATA, keys };
    expect(JSON.stringify(input).length).toBeGreaterThan(250_000);
    const load = await detected({ ...input, toleratedFailurePercentage: 5 });
    expect(JSON.stringify(load).length).toBeLessThan(1_000);
    expect(load).toMatchObject({
      source: { plan: `s3://${WORK}/loads/load-1/keys.jsonl` },
      toleratedFailurePercentage: 5,
    });
    expect(s3.store.lines(WORK, 'loads/load-1/keys.jsonl').map(({ key }) => key)).toEqual(keys);
  });
});

describe('errors of S3', () => {
  test('fail the step, not the file, so that the workflow retries it', async () => {
    s3.store.put(DATA, 'in/generation/a.parquet', GOOD);
    s3.store.fail = ({ range }) => (range ? 503 : undefined);
    await expect(plan(loadOf(prefix))).rejects.toMatchObject({ name: 'S3UnavailableError' });
  });

  test('that deny the listing are reported', async () => {
    s3.store.fail = () => 403;
    await expect(plan(loadOf(prefix))).rejects.toMatchObject({
      name: 'InvalidEventError',
      message: expect.stringMatching(/^cannot list s3:\/\/energy-data\/in\/: AccessDenied/),
    });
  });

  test('that deny one file fail only that file', async () => {
    s3.store.put(DATA, 'in/generation/a.parquet', GOOD);
    s3.store.put(DATA, 'in/generation/b.parquet', GOOD);
    s3.store.fail = ({ path }) => (path.endsWith('a.parquet') ? 403 : undefined);
    expect(await plan(loadOf(prefix))).toMatchObject({ items: 1, unplanned: 1 });
    expect(unplannedOf()[0]?.cause).toMatch(/access denied/);
  });

  test.each([
    [301, 'PermanentRedirect'],
    [400, 'InvalidRequest'],
    [405, 'MethodNotAllowed'],
    [409, 'InvalidObjectState'],
  ])('that refuse one file with %i %s fail only that file, and name it', async (status, code) => {
    s3.store.put(DATA, 'in/generation/a.parquet', GOOD);
    s3.store.put(DATA, 'in/generation/b.parquet', GOOD);
    s3.store.fail = ({ path }) => (path.endsWith('a.parquet') ? [status, code] : undefined);
    expect(await plan(loadOf(prefix))).toMatchObject({ items: 1, unplanned: 1 });
    expect(unplannedOf()).toMatchObject([
      {
        error: 'DataConversionError',
        cause: expect.stringMatching(
          new RegExp(`^s3://energy-data/in/generation/a.parquet: S3 refused .*status ${status}: ${code}`),
        ),
      },
    ]);
  });

  test.each<[number, string]>([
    [307, 'TemporaryRedirect'],
    [400, 'RequestTimeout'],
    [400, 'ExpiredToken'],
    [400, 'KMS.ThrottlingException'],
    [408, 'RequestTimeout'],
    [429, 'TooManyRequests'],
    [503, 'SlowDown'],
  ])('that are transient (%i %s) fail the step', async (status, code) => {
    s3.store.put(DATA, 'in/generation/a.parquet', GOOD);
    s3.store.fail = ({ range }) => (range ? [status, code] : undefined);
    await expect(plan(loadOf(prefix))).rejects.toMatchObject({ name: 'S3UnavailableError' });
  });
});

/** All parts of a plan. Each part begins where the previous part ended. */
async function allParts(
  load: Load,
  options: Partial<PlanServices>,
): Promise<{ results: PlanResult[]; items: PlanItem[] }> {
  const results: PlanResult[] = [];
  let continuation: PlanResult['continuation'] = null;
  do {
    const result: PlanResult = await plan(load, options, results.length, continuation);
    results.push(result);
    continuation = result.continuation;
  } while (continuation !== null);
  return { results, items: results.flatMap(({ part }) => itemsOf(part)) };
}

describe('a plan in parts', () => {
  const keys = Array.from({ length: 7 }, (_, index) => `in/generation/${index}.parquet`);
  beforeEach(() => {
    for (const key of keys) s3.store.put(DATA, key, GOOD);
  });

  test.each<[string, object]>([
    ['a prefix', prefix],
    ['keys', { bucket: DATA, keys }],
    ['a plan', { plan: `s3://${WORK}/loads/earlier/failed-items.jsonl` }],
  ])('has every item of %s once, in order', async (_, source) => {
    await plan(loadOf(prefix), small);
    const whole = itemsOf();
    s3.store.put(WORK, 'loads/earlier/failed-items.jsonl', whole.map((item) => `${JSON.stringify(item)}\n`).join(''));
    const { results, items } = await allParts(await detected(source), { ...small, planBytes: 2000 });
    expect(results.length).toBeGreaterThan(2);
    expect(items).toEqual(whole);
    expect(results.map(({ part }) => part)).toEqual(results.map((_result, index) => index));
  });

  test('waits for no other file after its deadline', async () => {
    const abort = new AbortController();
    const [first] = keys;
    const stuck: Partial<ParquetReader> = {
      inspect: async (source, signal) => {
        if (source.name.endsWith(first ?? '')) {
          const metadata = await reader.inspect(source, signal);
          abort.abort();
          return metadata;
        }
        return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
      },
    };
    const result = await plan(loadOf(prefix), { deadline: abort.signal, reader: stuck as ParquetReader });
    expect(result).toMatchObject({ files: 1, unplanned: 0, continuation: { after: first } });
  });

  test('ends at its deadline, and continues after the last file', async () => {
    const result = await plan(loadOf(prefix), { deadline: AbortSignal.abort() });
    expect(result).toMatchObject({ files: 1, continuation: { after: keys[0] } });
    const next = await plan(loadOf(prefix), {}, 1, result.continuation);
    expect(next).toMatchObject({ part: 1, files: 6, continuation: null });
  });
});

describe('an earlier plan', () => {
  const source = { plan: `s3://${WORK}/loads/earlier/failed-items.jsonl` };
  const putPlan = (lines: unknown[]): void =>
    s3.store.put(WORK, 'loads/earlier/failed-items.jsonl', lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const failed = { error: 'InfluxDBConnectionError', cause: 'it was away' };

  beforeEach(async () => {
    s3.store.put(DATA, 'in/generation/a.parquet', GOOD);
    s3.store.put(DATA, 'in/generation/b.parquet', GOOD);
    await plan(loadOf(prefix), small);
  });

  test('is used unchanged if its files have not changed', async () => {
    const [, second, , fourth] = itemsOf();
    putPlan([
      { ...second, ...failed },
      { ...fourth, ...failed },
    ]);
    s3.store.requests.length = 0;
    expect(await plan(loadOf(source), small)).toMatchObject({ items: 2, files: 2, rows: 200 });
    expect(itemsOf()).toEqual([second, fourth]);
    expect(requestsOf('GET').filter(({ range }) => range)).toEqual([]);
  });

  test('plans a whole file again, once, if it has changed or could not be planned before', async () => {
    const [first, second, , fourth] = itemsOf();
    putPlan([first, second, fourth, { bucket: DATA, key: 'in/generation/mended.parquet', ...failed }]);
    s3.store.put(DATA, 'in/generation/a.parquet', fixtureBytes('codec-gzip'));
    s3.store.put(DATA, 'in/generation/mended.parquet', GOOD);
    expect(await plan(loadOf(source), small)).toMatchObject({ items: 7, files: 3, rows: 700, unplanned: 0 });
    const changed = itemsOf().filter(({ key }) => key.endsWith('a.parquet'));
    expect(changed.map(({ firstRowGroup }) => firstRowGroup)).toEqual([0, 1, 2]);
    for (const { etag } of changed) expect(etag).toBe(await etagOf('in/generation/a.parquet'));
  });

  test('plans a changed file once, also if its items are in several parts', async () => {
    const [first, second, third, fourth] = itemsOf();
    const unplanned = { bucket: DATA, key: 'in/generation/fixed.parquet', ...failed };
    putPlan([first, fourth, second, unplanned, third, { bucket: DATA, key: 'in/generation/gone.parquet' }, unplanned]);
    s3.store.put(DATA, 'in/generation/a.parquet', fixtureBytes('codec-gzip'));
    s3.store.put(DATA, 'in/generation/fixed.parquet', GOOD);
    await plan(loadOf(source), small);
    const whole = itemsOf();
    expect(whole).toHaveLength(7);
    const { results, items } = await allParts(loadOf(source), { ...small, deadline: AbortSignal.abort() });
    expect(results.length).toBeGreaterThan(5);
    expect(items).toEqual(whole);
    const sum = (of: (result: PlanResult) => number) => results.reduce((total, result) => total + of(result), 0);
    expect([sum(({ files }) => files), sum(({ unplanned }) => unplanned)]).toEqual([3, 1]);
  });

  test('uses the given dataset for a file without a detected dataset', async () => {
    putPlan([{ bucket: DATA, key: 'nameless.parquet', ...failed }]);
    s3.store.put(DATA, 'nameless.parquet', GOOD);
    await plan(loadOf(source, { dataset: 'generation' }));
    expect(itemsOf()).toMatchObject([{ key: 'nameless.parquet', dataset: 'generation' }]);
  });

  test.each([
    ['that does not exist', undefined, /does not exist/],
    [
      'with an invalid line',
      '{"bucket":"b"}\n',
      /line 1 of s3:\/\/work-bucket\/loads\/earlier\/failed-items.jsonl is not valid: key/,
    ],
  ])('%s is rejected', async (_, text, message) => {
    if (text) s3.store.put(WORK, 'loads/earlier/failed-items.jsonl', text);
    await expect(plan(loadOf(source))).rejects.toMatchObject({
      name: 'InvalidEventError',
      message: expect.stringMatching(message),
    });
  });
});

test('rejects an invalid input with every problem', async () => {
  const services = planServices({ objects: s3.objects, reader });
  await expect(planLoad({ load: { loadId: 'a/b' }, part: -1, continuation: {} }, services)).rejects.toMatchObject({
    name: 'InvalidEventError',
    message: expect.stringMatching(/load.loadId.*part.*continuation/s),
  });
});
