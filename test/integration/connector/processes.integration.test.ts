/** Ten instances of the function in separate processes, as Lambda runs them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { numberedLines } from '../../contract/connector/harness';
import { DATABASE, type Harness, select, startHarness } from '../../contract/timestream/harness';
import { bundleWriteFunction } from '../../support/bundled-function';
import { LambdaRuntime } from '../../support/lambda-runtime';

const PROCESSES = 10;
const TABLES = ['first', 'second', 'third'];
const POINTS = 150;

let folder: string;
let timestream: Harness;
let runtimes: LambdaRuntime[] = [];

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'processes-'));
  bundleWriteFunction(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeEach(async () => {
  timestream = await startHarness({ now: Date.now });
  const environment = { AWS_ENDPOINT_URL_TIMESTREAM_WRITE: timestream.server.url, write_deadline_millis: '28000' };
  const start = () => LambdaRuntime.start({ folder, handler: 'handler.handler', environment });
  runtimes = await Promise.all(Array.from({ length: PROCESSES }, start));
  // All processes have loaded the function before the writes are sent.
  const pings = await Promise.all(runtimes.map((runtime) => runtime.invoke({ httpMethod: 'GET', path: '/ping' })));
  expect(pings).toEqual(
    pings.map(() => expect.objectContaining({ result: expect.objectContaining({ statusCode: 204 }) })),
  );
});
afterEach(async () => {
  await Promise.all(runtimes.map((runtime) => runtime.stop()));
  await timestream.close();
});

const statusesOf = async (events: readonly object[]): Promise<unknown[]> => {
  const outcomes = await Promise.all(events.map((event, n) => runtimes[n]?.invoke(event)));
  return outcomes.map((outcome) =>
    outcome && 'result' in outcome ? (outcome.result as { statusCode: number }).statusCode : outcome,
  );
};
const stored = async (table: string, what: string) =>
  (await select(timestream, `SELECT ${what} FROM "${DATABASE}"."${table}"`)).map(([value]) => Number(value));

const body = TABLES.flatMap((table) => numberedLines(table, POINTS)).join('\n');
const times = Array.from({ length: POINTS }, (_, n) => n);
const inOrder = (numbers: number[]) => numbers.sort((a, b) => a - b);

test('the same concurrent request without database and tables returns 204 ten times, and stores every point once', async () => {
  expect(await statusesOf(runtimes.map(() => ({ body })))).toEqual(runtimes.map(() => 204));
  for (const table of TABLES) expect(inOrder(await stored(table, 'n'))).toEqual(times);
});

test('concurrent requests with other values of the same points return 204 ten times, and the latest request counts', async () => {
  const first = Date.now();
  const events = runtimes.map((_, n) => ({
    body: body.replace(/value=\d+/g, `value=${n}`),
    requestContext: { requestTimeEpoch: first + n },
  }));
  expect(await statusesOf(events)).toEqual(runtimes.map(() => 204));
  for (const table of TABLES) {
    expect(inOrder(await stored(table, 'n'))).toEqual(times);
    expect(new Set(await stored(table, 'value'))).toEqual(new Set([PROCESSES - 1]));
  }
});
