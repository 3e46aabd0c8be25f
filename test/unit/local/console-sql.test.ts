/** The limits on the queries of the console. */
import { SqlRunner } from '../../../local/console/sql';
import type { Page } from '../../../local/query/format';
import type { QueryService } from '../../../local/query/service';

/** Each query waits for a call of `next`, and ends with an error when its signal aborts. */
function waitingService() {
  const waiting: (() => void)[] = [];
  const started: string[] = [];
  const service: QueryService = {
    async *pages(sql, { signal } = {}): AsyncGenerator<Page> {
      started.push(sql);
      await new Promise<void>((resolve, reject) => {
        waiting.push(resolve);
        signal?.addEventListener('abort', () => reject(new Error('aborted')));
      });
      yield { columns: [{ Name: 'a', Type: { ScalarType: 'BIGINT' } }], rows: [{ Data: [{ ScalarValue: '1' }] }] };
    },
  };
  return { service, started, next: () => waiting.shift()?.() };
}

const runner = (service: QueryService, limitMs?: number) =>
  new SqlRunner({ connect: () => Promise.resolve(service), database: 'd', ...(limitMs !== undefined && { limitMs }) });
const request = (sql: string, signal = new AbortController().signal) => ({ sql, maxRows: 10, signal });
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('runs one query at a time, in their order', async () => {
  const { service, started, next } = waitingService();
  const sql = runner(service);
  const all = ['SELECT 1', 'SELECT 2', 'SELECT 3'].map((each) => sql.run(request(each)));
  for (const count of [1, 2, 3]) {
    await turn();
    expect(started).toHaveLength(count);
    next();
  }
  expect((await Promise.all(all)).map((text) => (JSON.parse(text) as { rows: unknown }).rows)).toEqual(
    Array(3).fill([['1']]),
  );
  expect(started).toEqual(['SELECT 1', 'SELECT 2', 'SELECT 3']);
});

test('refuses a query when eight others are waiting or running, and accepts one again after an end', async () => {
  const { service, next } = waitingService();
  const sql = runner(service);
  const all = Array.from({ length: 8 }, () => sql.run(request('SELECT 1')));
  await expect(sql.run(request('SELECT 1'))).rejects.toMatchObject({ status: 429 });
  await turn();
  next();
  await all[0];
  const ninth = sql.run(request('SELECT 1'));
  for (let count = 0; count < 8; count++) {
    await turn();
    next();
  }
  await expect(Promise.all([...all, ninth])).resolves.toHaveLength(9);
});

test('stops a query after the time limit, and says what to do; the next one runs', async () => {
  const { service, next } = waitingService();
  const sql = runner(service, 20);
  await expect(sql.run(request('SELECT 1'))).rejects.toMatchObject({
    status: 504,
    message: expect.stringMatching(/^the query was stopped after 0\.02 s: select less/),
  });
  next();
  const other = runner(service).run(request('SELECT 2'));
  await turn();
  next();
  await expect(other).resolves.toContain('"rows":[["1"]]');
});

test('an aborted query leaves room for the next one', async () => {
  const { service, next } = waitingService();
  const sql = runner(service);
  const page = new AbortController();
  const first = sql.run(request('SELECT 1', page.signal));
  const second = sql.run(request('SELECT 2'));
  await turn();
  page.abort();
  await expect(first).rejects.toThrow('aborted');
  next();
  await turn();
  next();
  await expect(second).resolves.toContain('"rows":[["1"]]');
});

test.each([
  { pages: [1, 1, 1], maxRows: 10, rows: 3, truncated: false },
  { pages: [2, 1], maxRows: 2, rows: 2, truncated: true },
  { pages: [2, 0], maxRows: 2, rows: 2, truncated: false },
])('cuts a result after maxRows rows, and says so: %j', async ({ pages, maxRows, rows, truncated }) => {
  const text = await runner(serviceOf(pages, 'x')).run({ ...request('SELECT 1'), maxRows });
  expect(JSON.parse(text)).toMatchObject({ rows: Array(rows).fill(['x']), truncated });
});

test('cuts a result after 64 MB of text, and says so', async () => {
  const { rows, truncated } = JSON.parse(
    await runner(serviceOf(Array(200).fill(1), 'x'.repeat(1e6))).run({ ...request('SELECT 1'), maxRows: 1_000 }),
  ) as { rows: unknown[]; truncated: boolean };
  expect({ rows: rows.length, truncated }).toEqual({ rows: 64, truncated: true });
});

/** A service whose pages have these numbers of rows, each with the text. */
function serviceOf(pages: readonly number[], text: string): QueryService {
  return {
    async *pages(): AsyncGenerator<Page> {
      await turn();
      for (const rows of pages) {
        const columns = [{ Name: 'a', Type: { ScalarType: 'VARCHAR' as const } }];
        yield { columns, rows: Array(rows).fill({ Data: [{ ScalarValue: text }] }) };
      }
    },
  };
}
