/** A load through an S3, a secret and an InfluxDB that fail: what is reported as written is stored, and loading again completes it. */
import { InfluxClient } from 'shared/influxdb/client';
import { secretToken } from 'shared/influxdb/token';
import type { ItemResult } from 'shared/loads/item-result';
import { type LoadServices, loadItem } from 'shared/loads/load-item';
import type { PlanItem } from 'shared/loads/plan-item';
import { planLoad } from 'shared/loads/plan-load';
import { s3Objects } from '../../functions/clients/s3';
import { configOf, DATA, loadServices, parquetOf, planServices, testStore, WORK } from '../support/loader';
import { testReader } from '../support/parquet';
import { type Answer, type ReceivedRequest, ScriptedServer } from '../support/scripted-server';
import { VirtualClock } from '../support/virtual-clock';

const ROWS = 30_000;
const KEY = 'generation/a.parquet';
const STORED: Answer = { status: 204 };
const reader = testReader();
const s3 = testStore();
let file: Buffer;
let influxdb: ScriptedServer;
/** Lines that InfluxDB holds. */
const held = new Set<string>();
let answer: (request: ReceivedRequest, index: number) => Answer | Promise<Answer>;

/** 15 row groups, whose values take more room than is read with the footer; `shift` makes others of them. */
const rowsOf = (shift: number) =>
  parquetOf(`
    SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 SECOND * i AS "timestamp", 'norte' AS region, hash(i) % 1000000 + ${shift} AS "value",
      'MW' AS unit, 'solar' AS energy_source, 'generation' AS measurement_type
    FROM range(${ROWS}) AS r(i)`);

beforeAll(async () => {
  file = await rowsOf(0);
  influxdb = await ScriptedServer.start(async (request, index) => {
    const reply = await answer(request, index);
    const isStored = typeof reply === 'object' && reply.status === 204;
    if (isStored) for (const line of request.body.split('\n').filter((text) => text !== '')) held.add(line);
    return reply;
  });
});
beforeEach(() => {
  answer = () => STORED;
  influxdb.requests.length = 0;
  held.clear();
  s3.store.put(DATA, KEY, file);
});
afterAll(() => influxdb.stop());

async function planned(): Promise<PlanItem> {
  const load = {
    ...{ loadId: 'load-1', source: { bucket: DATA, key: KEY }, dataset: 'generation' },
    ...{ toleratedFailurePercentage: 0, maxConcurrency: 1 },
  };
  await planLoad({ load, part: 0, continuation: null }, planServices({ objects: s3.objects, reader }));
  const [item] = s3.store.lines<PlanItem>(WORK, 'loads/load-1/plan-0.jsonl');
  if (!item) throw new Error('the file has no item');
  return item;
}

const run = (item: PlanItem, options: Partial<LoadServices> = {}): Promise<ItemResult> =>
  loadItem(
    'load-1',
    item,
    loadServices({ objects: s3.objects, reader }, configOf(influxdb.url), { clock: new VirtualClock(), ...options }),
  );

/** Runs an item that must fail; what it reports to have written is stored. */
async function failureOf(item: PlanItem, options: Partial<LoadServices> = {}): Promise<unknown> {
  let written = 0;
  const onUnfinished = (result: ItemResult) => {
    written = result.pointsWritten;
  };
  const failure = await run(item, { ...options, onUnfinished }).then(
    () => 'it did not fail',
    (error: unknown) => error,
  );
  expect(held.size).toBeGreaterThanOrEqual(written);
  return failure;
}

async function expectCompletedBy(item: PlanItem): Promise<void> {
  answer = () => STORED;
  s3.store.fail = () => undefined;
  expect(await run(item)).toMatchObject({ statusCode: 200, pointsWritten: ROWS });
  expect(held.size).toBe(ROWS);
}

/** Ranges of the file's row groups; those of its footer come first. */
const isRead = ({ method, path }: { method: string; path: string }) => method === 'GET' && path === `${DATA}/${KEY}`;

test('S3 that answers 503 SlowDown to every second read costs no point: the SDK reads again', async () => {
  const item = await planned();
  let reads = 0;
  s3.store.fail = (request) => (isRead(request) && reads++ % 2 === 0 ? 503 : undefined);
  const objects = s3Objects({ ...s3.store.options, maxAttempts: 5 });
  expect(await run(item, { objects })).toMatchObject({ statusCode: 200, pointsWritten: ROWS });
  expect(reads).toBeGreaterThan(2);
  expect(held.size).toBe(ROWS);
});

test('S3 that asks for patience in the middle of a load fails the item in a way that is tried again', async () => {
  const item = await planned();
  let reads = 0;
  s3.store.fail = (request) => (isRead(request) && reads++ >= 3 ? 503 : undefined);
  expect(await failureOf(item)).toMatchObject({ name: 'S3UnavailableError' });
  expect(held.size).toBeLessThan(ROWS);
  await expectCompletedBy(item);
});

test('S3 that is slow makes a load slow, and nothing else', async () => {
  const item = await planned();
  s3.store.latencyMs = 100;
  const result = await run(item).finally(() => {
    s3.store.latencyMs = 0;
  });
  expect(result).toMatchObject({ statusCode: 200, pointsWritten: ROWS, retries: 0 });
  expect(held.size).toBe(ROWS);
});

test('S3 that is slower than the time of an invocation ends the item before its deadline', async () => {
  const item = await planned();
  const deadline = new AbortController();
  let reads = 0;
  s3.store.fail = (request) => {
    if (isRead(request) && reads++ === 2) deadline.abort();
    return undefined;
  };
  expect(await failureOf(item, { deadline: deadline.signal })).toMatchObject({
    name: 'InfluxDBConnectionError',
    message: expect.stringContaining('not loaded within the timeout of the function'),
  });
  await expectCompletedBy(item);
});

test('an object that is replaced during its load fails the item for good; nothing of the new one is mixed in', async () => {
  const item = await planned();
  const other = await rowsOf(2_000_000);
  let reads = 0;
  s3.store.fail = (request) => {
    if (isRead(request) && reads++ === 3) s3.store.put(DATA, KEY, other);
    return undefined;
  };
  expect(await failureOf(item)).toMatchObject({
    name: 'DataConversionError',
    message: expect.stringContaining('has changed since it was planned'),
  });
  expect([...held].filter((line) => /[=,]power_mw=[23]\d{6}/.test(line))).toEqual([]);
  expect([...held].filter((line) => /power_mw=\d/.test(line))).toHaveLength(held.size);
});

describe('the secret of the token', () => {
  const unauthorized: Answer = { status: 401, body: '{"message":"unauthorized access"}' };
  const guardedBy = (token: () => string) => (request: ReceivedRequest) =>
    request.headers.authorization === `Token ${token()}` ? STORED : unauthorized;
  const withSecret = (read: () => Promise<string>) => {
    const { target } = configOf(influxdb.url);
    return { influxdb: new InfluxClient(target, secretToken(read)) };
  };

  test('that is rotated in the middle of a load is read again, and the load is complete', async () => {
    const item = await planned();
    let token = 'first';
    answer = (request, index) => {
      if (index === 2) token = 'second';
      return guardedBy(() => token)(request);
    };
    expect(
      await run(
        item,
        withSecret(() => Promise.resolve(token)),
      ),
    ).toMatchObject({ pointsWritten: ROWS });
    expect(held.size).toBe(ROWS);
  });

  test('that disappears as the token is refused fails the item in a way that is tried again', async () => {
    const item = await planned();
    let token: string | undefined = 'first';
    answer = (request, index) => {
      if (index === 2) token = undefined;
      return guardedBy(() => token ?? 'second')(request);
    };
    const read = () => (token === undefined ? Promise.reject(new Error('ResourceNotFound')) : Promise.resolve(token));
    expect(await failureOf(item, withSecret(read))).toMatchObject({
      name: 'InfluxDBConnectionError',
      message: expect.stringContaining('cannot read the secret'),
    });
    await expectCompletedBy(item);
  });
});

test('an InfluxDB whose disk is full fails the item in a way that is tried again, and says why', async () => {
  const item = await planned();
  const full: Answer = { status: 500, body: 'engine: error writing WAL entry: write /data: no space left on device' };
  answer = (_, index) => (index < 2 ? STORED : full);
  expect(await failureOf(item)).toMatchObject({
    name: 'InfluxDBConnectionError',
    message: expect.stringContaining('no space left on device'),
  });
  expect(held.size).toBeGreaterThan(0);
  await expectCompletedBy(item);
});
