/** A load while S3, the secret or InfluxDB fails: points reported as written are stored, and a second load completes it. */
import { ConfiguredRetryStrategy } from '@smithy/core/retry';
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
/** Lines stored in InfluxDB. */
const held = new Set<string>();
let respond: (request: ReceivedRequest, index: number) => Answer | Promise<Answer>;

/** A file of 15 row groups, too large to be read together with the footer. @param shift added to all values */
const rowsOf = (shift: number) =>
  parquetOf(`
    SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 SECOND * i AS "timestamp", 'norte' AS region, hash(i) % 1000000 + ${shift} AS "value",
      'MW' AS unit, 'solar' AS energy_source, 'generation' AS measurement_type
    FROM range(${ROWS}) AS r(i)`);

beforeAll(async () => {
  file = await rowsOf(0);
  influxdb = await ScriptedServer.start(async (request, index) => {
    const reply = await respond(request, index);
    const isStored = typeof reply === 'object' && reply.status === 204;
    if (isStored) for (const line of request.body.split('\n').filter((text) => text !== '')) held.add(line);
    return reply;
  });
});
beforeEach(() => {
  respond = () => STORED;
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

/** Runs an item that must fail; checks that the points it reports as written are stored. */
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
  respond = () => STORED;
  s3.store.fail = () => undefined;
  expect(await run(item)).toMatchObject({ statusCode: 200, pointsWritten: ROWS });
  expect(held.size).toBe(ROWS);
}

/** Whether a request reads a range of the file. The first ones read its footer. */
const isRead = ({ method, path }: { method: string; path: string }) => method === 'GET' && path === `${DATA}/${KEY}`;

test('loses no point if S3 returns 503 SlowDown for every second read: the SDK retries', async () => {
  const item = await planned();
  // Counted per range: ranges are read concurrently, and a common count could fail the same range five times.
  const reads = new Map<string, number>();
  s3.store.fail = (request) => {
    if (!isRead(request)) return undefined;
    const range = request.range ?? '';
    const count = (reads.get(range) ?? 0) + 1;
    reads.set(range, count);
    return count % 2 === 1 ? 503 : undefined;
  };
  // The SDK's own delays average 0.5 s for each of the reads.
  const objects = s3Objects({ ...s3.store.options, retryStrategy: new ConfiguredRetryStrategy(5, 1) });
  expect(await run(item, { objects })).toMatchObject({ statusCode: 200, pointsWritten: ROWS });
  expect(reads.size).toBeGreaterThan(2);
  expect([...reads.values()].every((count) => count % 2 === 0)).toBe(true);
  expect(held.size).toBe(ROWS);
});

test('fails the item with a retryable error if S3 returns 503 SlowDown during a load', async () => {
  const item = await planned();
  let reads = 0;
  s3.store.fail = (request) => (isRead(request) && reads++ >= 3 ? 503 : undefined);
  expect(await failureOf(item)).toMatchObject({ name: 'S3UnavailableError' });
  expect(held.size).toBeLessThan(ROWS);
  await expectCompletedBy(item);
});

test('completes the load without retries if S3 is slow', async () => {
  const item = await planned();
  s3.store.latencyMs = 100;
  const result = await run(item).finally(() => {
    s3.store.latencyMs = 0;
  });
  expect(result).toMatchObject({ statusCode: 200, pointsWritten: ROWS, retries: 0 });
  expect(held.size).toBe(ROWS);
});

test('ends the item before the deadline of the invocation if S3 is too slow', async () => {
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

test('fails the item permanently if the object is replaced during its load, and writes no row of the new object', async () => {
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

  test('is read again if it is rotated during a load, and the load completes', async () => {
    const item = await planned();
    let token = 'first';
    respond = (request, index) => {
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

  test('fails the item with a retryable error if it is missing when the token is refused', async () => {
    const item = await planned();
    let token: string | undefined = 'first';
    respond = (request, index) => {
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

test('fails the item with a retryable error and its reason if the disk of InfluxDB is full', async () => {
  const item = await planned();
  const full: Answer = { status: 500, body: 'engine: error writing WAL entry: write /data: no space left on device' };
  respond = (_, index) => (index < 2 ? STORED : full);
  expect(await failureOf(item)).toMatchObject({
    name: 'InfluxDBConnectionError',
    message: expect.stringContaining('no space left on device'),
  });
  expect(held.size).toBeGreaterThan(0);
  await expectCompletedBy(item);
});
