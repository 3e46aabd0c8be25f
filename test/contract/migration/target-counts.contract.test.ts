/**
 * Counts at an InfluxDB 3, by its SQL API. The responses are written by hand after the documentation of InfluxDB 3 Core: no InfluxDB 3 is
 * available to the tests. Counts at InfluxDB 2 are tested with a real one (proof.integration.test.ts).
 */
import { InfluxClient } from 'shared/influxdb/client';
import { staticToken } from 'shared/influxdb/token';
import { countTarget, countWithoutTag, NO_SUMS } from 'shared/migration/target-counts';
import { type Answer, ScriptedServer } from '../../support/scripted-server';

const WINDOW = { from: '1700000000000000001', to: '1700000000000000009' };
const DURING =
  "time >= '2023-11-14T22:13:20.000000001Z'::TIMESTAMP AND time < '2023-11-14T22:13:20.000000009Z'::TIMESTAMP";

let server: ScriptedServer;
let replies: Answer[] = [];
beforeAll(async () => {
  server = await ScriptedServer.start(() => replies.shift() ?? { status: 500 });
});
afterAll(() => server.stop());
beforeEach(() => {
  server.requests.length = 0;
});

const json = (rows: object[]): Answer => ({ status: 200, body: JSON.stringify(rows) });
const client = () =>
  new InfluxClient({ engine: 'v3', url: server.url, org: '', bucket: 'plant' }, staticToken('token'));
const statements = () => server.requests.map(({ body }) => (JSON.parse(body) as { q: string }).q);
const column = (column_name: string, data_type: string) => ({ column_name, data_type });

test('counts all fields of the table, but neither tags nor time, and adds up integers in two exact parts', async () => {
  replies = [
    json([
      column('device', 'Dictionary(Int32, Utf8)'),
      column('time', 'Timestamp(Nanosecond, None)'),
      column('n', 'Int64'),
      column('x"y', 'Float64'),
      column('ok', 'Boolean'),
      column('other', 'Utf8'),
      column('note', 'Utf8'),
    ]),
    json([{ c0: 3, c1: 2, c2: 3, c3: 0, c4: 2, first: '1700000000000000001', last: '1700000000000000008' }]),
    json([{ n: 2 }]),
    json([{ s0: '6442450941', r0: '12884901885', s1: '2.5', s2: '1', s3: '12' }]),
  ];
  const found = await countTarget(
    client(),
    "it's",
    WINDOW,
    { numbers: ['n', 'x"y'], booleans: ['ok'], texts: ['note'] },
    {},
  );
  expect(found).toEqual({
    // Three times 2^63 - 1.
    fields: [
      { field: 'n', count: 3, sum: '27670116110564327421' },
      { field: 'note', count: 2, sum: '12' },
      { field: 'ok', count: 3, sum: '1' },
      { field: 'x"y', count: 2, sum: '2.5' },
    ],
    series: 2,
    first: '1700000000000000001',
    last: '1700000000000000008',
  });
  const [columns, counts, series, sums] = statements();
  expect(columns).toContain("table_name = 'it''s'");
  expect(counts).toContain(
    'COUNT("n") AS c0, COUNT("x""y") AS c1, COUNT("ok") AS c2, COUNT("other") AS c3, COUNT("note") AS c4',
  );
  expect(counts).toContain(`FROM "it's" WHERE ${DURING}`);
  expect(series).toBe(`SELECT COUNT(*) AS n FROM (SELECT DISTINCT "device" FROM "it's" WHERE ${DURING})`);
  expect(sums).toContain('CAST(SUM("n" / 4294967296) AS VARCHAR) AS s0, CAST(SUM("n" % 4294967296) AS VARCHAR) AS r0');
  expect(sums).toContain('CAST(SUM(character_length("note")) AS VARCHAR) AS s3');
  expect(server.requests[0]).toMatchObject({ path: '/api/v3/query_sql', headers: { authorization: 'Bearer token' } });
});

test('a table that does not exist has no fields', async () => {
  replies = [json([])];
  const found = await countTarget(client(), 'm', WINDOW, NO_SUMS, {});
  expect(found).toEqual({ fields: [], series: 0, first: null, last: null });
});

test('counts points without a tag', async () => {
  replies = [json([column('measure_name', 'Dictionary(Int32, Utf8)')]), json([{ n: 2 }])];
  expect(await countWithoutTag(client(), 'm', WINDOW, 'measure_name', {})).toBe(2);
  expect(statements()[1]).toBe(`SELECT COUNT(*) AS n FROM "m" WHERE ${DURING} AND "measure_name" IS NULL`);
});

test('all points lack a tag that the table does not have', async () => {
  replies = [json([column('n', 'Int64')]), json([{ n: 3 }])];
  expect(await countWithoutTag(client(), 'm', WINDOW, 'measure_name', {})).toBe(3);
  expect(statements()[1]).toBe(`SELECT COUNT(*) AS n FROM "m" WHERE ${DURING}`);
});

test('a query is repeated while InfluxDB is unavailable, and ends with the reason when it is refused', async () => {
  replies = [{ status: 503 }, { status: 400, body: '{"error":"no such column"}' }];
  await expect(countWithoutTag(client(), 'm', WINDOW, 'measure_name', {})).rejects.toMatchObject({
    name: 'InfluxDBWriteError',
    message: expect.stringContaining('400: no such column'),
  });
  expect(server.requests).toHaveLength(2);
});
