/** The Query API: types, values, pages, functions, and refused queries. */
import {
  CancelQueryCommand,
  DescribeEndpointsCommand,
  paginateQuery,
  QueryCommand,
} from '@aws-sdk/client-timestream-query';
import type { _Record as Record_ } from '@aws-sdk/client-timestream-write';
import { Store } from '../../../local/timestream/store';
import {
  DATABASE,
  from,
  type Harness,
  makeTable,
  NOW,
  record,
  select,
  startHarness,
  validationMessage,
  writeRecords,
} from './harness';

const HOUR = 3_600_000;
let timestream: Harness;
beforeAll(async () => {
  timestream = await startHarness();
});
afterAll(() => timestream.close());

const query = (QueryString: string, input: { MaxRows?: number; NextToken?: string | undefined } = {}) =>
  timestream.query.send(new QueryCommand({ QueryString, ...input }));

/** Creates a table with these records. */
async function tableOf(...records: Record_[]): Promise<string> {
  const table = await makeTable(timestream);
  for (let i = 0; i < records.length; i += 100) await writeRecords(timestream, table, records.slice(i, i + 100));
  return table;
}

const all = record({
  Dimensions: [
    { Name: 'host', Value: 'server01' },
    { Name: 'region', Value: 'us-west' },
  ],
  MeasureValues: [
    { Name: 'text', Value: "it's “x”\n", Type: 'VARCHAR' },
    { Name: 'count', Value: '-9223372036854775808', Type: 'BIGINT' },
    { Name: 'ratio', Value: '0.1', Type: 'DOUBLE' },
    { Name: 'up', Value: 'TRUE', Type: 'BOOLEAN' },
    { Name: 'seen', Value: '9223372036854775807', Type: 'TIMESTAMP' },
  ],
  Time: `${NOW}123456`,
  TimeUnit: 'NANOSECONDS',
});

describe('a row', () => {
  test('has dimensions, measure_name, time and measures, with types', async () => {
    const table = await tableOf(all);
    const { ColumnInfo, Rows, QueryId, NextToken } = await query(`SELECT * FROM ${from(table)} LIMIT 10`);
    expect(ColumnInfo?.map(({ Name, Type }) => [Name, Type?.ScalarType])).toEqual([
      ['host', 'VARCHAR'],
      ['region', 'VARCHAR'],
      ['measure_name', 'VARCHAR'],
      ['time', 'TIMESTAMP'],
      ['text', 'VARCHAR'],
      ['count', 'BIGINT'],
      ['ratio', 'DOUBLE'],
      ['up', 'BOOLEAN'],
      ['seen', 'TIMESTAMP'],
    ]);
    expect(Rows?.[0]?.Data?.map(({ ScalarValue }) => ScalarValue)).toEqual([
      'server01',
      'us-west',
      'influxdb-measure',
      '2024-03-01 12:00:00.000123456',
      "it's “x”\n",
      '-9223372036854775808',
      '0.1',
      'true',
      '2262-04-11 23:47:16.854775807',
    ]);
    expect(QueryId).toMatch(/^[a-zA-Z0-9]{1,64}$/);
    expect(NextToken).toBeUndefined();
  });

  test('has NullValue if a record lacks a dimension or measure', async () => {
    const table = await tableOf(
      all,
      record({
        Dimensions: [{ Name: 'rack', Value: '1' }],
        MeasureValues: [{ Name: 'ok', Value: 'false', Type: 'BOOLEAN' }],
      }),
    );
    const { Rows } = await query(`SELECT host, rack, text, ok FROM ${from(table)} ORDER BY rack`);
    expect(Rows?.map(({ Data }) => Data)).toEqual([
      [{ NullValue: true }, { ScalarValue: '1' }, { NullValue: true }, { ScalarValue: 'false' }],
      [{ ScalarValue: 'server01' }, { NullValue: true }, { ScalarValue: "it's “x”\n" }, { NullValue: true }],
    ]);
  });

  test('of a single-measure record has its value in measure_value::<type>', async () => {
    const single = (MeasureName: string, MeasureValueType: 'DOUBLE' | 'BIGINT', MeasureValue: string) =>
      record({ MeasureName, MeasureValueType, MeasureValue, MeasureValues: undefined });
    const table = await tableOf(single('cpu', 'DOUBLE', '1.5'), single('count', 'BIGINT', '3'));
    const { ColumnInfo } = await query(`SELECT * FROM ${from(table)}`);
    expect(ColumnInfo?.map(({ Name }) => Name)).toEqual([
      'host',
      'measure_name',
      'time',
      'measure_value::double',
      'measure_value::bigint',
    ]);
    expect(
      await select(timestream, `SELECT measure_value::double FROM ${from(table)} WHERE measure_name = 'cpu'`),
    ).toEqual([['1.5']]);
  });

  test('keeps every nanosecond of its time', async () => {
    const times = [0n, 1n, 999_999_999n].map((ns) => BigInt(NOW) * 1_000_000n + ns);
    const table = await tableOf(...times.map((time) => record({ Time: `${time}`, TimeUnit: 'NANOSECONDS' })));
    expect(await select(timestream, `SELECT time FROM ${from(table)} ORDER BY time`)).toEqual([
      ['2024-03-01 12:00:00.000000000'],
      ['2024-03-01 12:00:00.000000001'],
      ['2024-03-01 12:00:00.999999999'],
    ]);
    const exact = `SELECT count(*) FROM ${from(table)} WHERE time = TIMESTAMP '2024-03-01 12:00:00.000000001'`;
    expect(await select(timestream, exact)).toEqual([['1']]);
  });

  test.each([
    ['1', '1.0'],
    ['-0.5', '-0.5'],
    ['10000000', '1.0E7'],
    ['0.0001', '1.0E-4'],
    ['1.7976931348623157e308', '1.7976931348623157E308'],
  ])('shows the double %s as Java does: %s', async (Value, shown) => {
    const table = await tableOf(record({ MeasureValues: [{ Name: 'v', Value, Type: 'DOUBLE' }] }));
    expect(await select(timestream, `SELECT v FROM ${from(table)}`)).toEqual([[shown]]);
  });

  test('keeps columns apart whose names differ only in case', async () => {
    const table = await tableOf(
      record({
        Dimensions: ['host', 'Host', 'Time', 'MEASURE_NAME'].map((Name) => ({ Name, Value: `${Name} 1` })),
        MeasureValues: ['Load', 'load', 'LOAD', 'load_1'].map((Name, i) => ({ Name, Value: `${i}`, Type: 'BIGINT' })),
      }),
    );
    const { ColumnInfo, Rows } = await query(`SELECT * FROM ${from(table)}`);
    const cells = Rows?.[0]?.Data?.map(({ ScalarValue }) => ScalarValue);
    expect(ColumnInfo?.map(({ Name }, i) => [Name, cells?.[i]])).toEqual([
      ['host', 'host 1'],
      ['Host', 'Host 1'],
      ['Time', 'Time 1'],
      ['MEASURE_NAME', 'MEASURE_NAME 1'],
      ['measure_name', 'influxdb-measure'],
      ['time', '2024-03-01 12:00:00.000000000'],
      ['Load', '0'],
      ['load', '1'],
      ['LOAD', '2'],
      ['load_1', '3'],
    ]);
    expect((await select(timestream, `DESCRIBE ${from(table)}`)).map(([name]) => name)).toEqual(
      ColumnInfo?.map(({ Name }) => Name),
    );
    const named = await query(
      `SELECT load, "LOAD", t."Load", sum("load_1") AS "load_1" FROM ${from(table)} t WHERE "Host" = 'Host 1' GROUP BY 1, 2, 3`,
    );
    expect(named.ColumnInfo?.map(({ Name }) => Name)).toEqual(['load', 'LOAD', 'Load', 'load_1']);
    expect(named.Rows?.[0]?.Data?.map(({ ScalarValue }) => ScalarValue)).toEqual(['1', '2', '0', '3']);
  });

  test('finds a column in another case if no name is equal', async () => {
    const table = await tableOf(record({ MeasureValues: [{ Name: 'Load', Value: '1', Type: 'BIGINT' }] }));
    expect(await select(timestream, `SELECT lOAD FROM ${from(table)}`)).toEqual([['1']]);
  });
});

describe('tables', () => {
  test('with names that differ only in case are separate', async () => {
    for (const [TableName, Value] of [
      ['CPU', '1'],
      ['cpu', '2'],
    ] as const) {
      await makeTable(timestream, { TableName });
      await writeRecords(timestream, TableName, [record({ MeasureValues: [{ Name: 'v', Value, Type: 'BIGINT' }] })]);
    }
    expect(await select(timestream, `SELECT v FROM ${from('CPU')}`)).toEqual([['1']]);
    expect(await select(timestream, `SELECT v FROM ${from('cpu')}`)).toEqual([['2']]);
  });

  test('without records have measure_name and time', async () => {
    const { ColumnInfo, Rows } = await query(`SELECT * FROM ${from(await makeTable(timestream))}`);
    expect(ColumnInfo?.map(({ Name }) => Name)).toEqual(['measure_name', 'time']);
    expect(Rows).toEqual([]);
  });

  test('and databases are listed and described', async () => {
    const table = await tableOf(all);
    expect(await select(timestream, 'SHOW DATABASES')).toEqual([[DATABASE]]);
    expect(await select(timestream, `SHOW TABLES FROM "${DATABASE}"`)).toContainEqual([table]);
    expect((await select(timestream, `DESCRIBE ${from(table)}`)).slice(1, 5)).toEqual([
      ['region', 'varchar', 'DIMENSION'],
      ['measure_name', 'varchar', 'MEASURE_NAME'],
      ['time', 'timestamp', 'TIMESTAMP'],
      ['text', 'varchar', 'MULTI'],
    ]);
  });
});

describe('the language', () => {
  let table: string;
  beforeAll(async () => {
    // One record a minute, values 0 to 119, the last at NOW.
    table = await tableOf(
      ...Array.from({ length: 120 }, (_, i) =>
        record({
          Time: String(NOW - (119 - i) * 60_000),
          Dimensions: [{ Name: 'host', Value: i % 2 ? 'odd' : 'even' }],
          MeasureValues: [{ Name: 'v', Value: String(i), Type: 'BIGINT' }],
        }),
      ),
    );
  });

  test('has the time of the query', async () => {
    expect(await select(timestream, 'SELECT now(), current_timestamp, ago(2h), now() - 1d')).toEqual([
      [
        '2024-03-01 12:00:00.000000000',
        '2024-03-01 12:00:00.000000000',
        '2024-03-01 10:00:00.000000000',
        '2024-02-29 12:00:00.000000000',
      ],
    ]);
  });

  test.each<[string, (string | null)[][]]>([
    ['SELECT count(*) FROM $table', [['120']]],
    ['SELECT count(*) FROM $table WHERE time > ago(15m)', [['15']]],
    ['SELECT count(*) FROM $table WHERE time BETWEEN ago(15m) AND now()', [['16']]],
    [
      'SELECT bin(time, 5m) AS b, avg(v) FROM $table GROUP BY bin(time, 5m) ORDER BY b DESC LIMIT 2',
      [
        ['2024-03-01 12:00:00.000000000', '119.0'],
        ['2024-03-01 11:55:00.000000000', '116.0'],
      ],
    ],
    [
      "SELECT DISTINCT date_trunc('hour', time) AS h FROM $table ORDER BY h LIMIT 1",
      [['2024-03-01 10:00:00.000000000']],
    ],
    [
      'SELECT host, sum(v) FROM $table GROUP BY host ORDER BY host',
      [
        ['even', '3540'],
        ['odd', '3600'],
      ],
    ],
    ['SELECT max_by(host, time), min_by(v, time), approx_distinct(host) FROM $table', [['odd', '0', '2']]],
    ['WITH recent AS (SELECT v FROM $table WHERE time >= ago(1m)) SELECT sum(v) FROM recent', [['237']]],
    ['SELECT t.v FROM $table AS t JOIN $table u ON t.time = u.time WHERE u.v = 7', [['7']]],
    ['SELECT lag(v) OVER (ORDER BY time) FROM $table ORDER BY time LIMIT 2', [[null], ['0']]],
    ['SELECT 7 / 2, 7.0 / 2', [['3', '3.5']]],
    ["SELECT cast('2024-03-01 00:00:00.123456789' AS timestamp)", [['2024-03-01 00:00:00.123456789']]],
    [
      "SELECT from_milliseconds(1709294400123), to_milliseconds(now()), from_iso8601_timestamp('2024-03-01T12:00:00Z')",
      [['2024-03-01 12:00:00.123000000', String(NOW), '2024-03-01 12:00:00.000000000']],
    ],
    // The specifiers of MySQL: %i are minutes, %M is the name of the month.
    [
      "SELECT date_format(ago(90m), '%Y-%m-%d %H:%i:%s'), date_format(now(), '%y-%M %T')",
      [['2024-03-01 10:30:00', '24-March 12:00:00']],
    ],
    [
      "SELECT date_diff('minute', ago(2h), now()), date_add('hour', 1, now())",
      [['120', '2024-03-01 13:00:00.000000000']],
    ],
    ["SELECT if(true, 'a', 'b'), if(false, 1), coalesce(null, 'c')", [['a', null, 'c']]],
    ["SELECT now() - ago(90m), date '2024-02-29'", [['0 01:30:00.000000000', '2024-02-29']]],
    ["SELECT 'now() ago(1h) ''x''' -- ago(1h)", [["now() ago(1h) 'x'"]]],
    ['SELECT v FROM $table WHERE v = 1;', [['1']]],
  ])('%s', async (sql, expected) => {
    expect(await select(timestream, sql.replaceAll('$table', from(table)))).toEqual(expected);
  });

  test('names a column without a name after its position', async () => {
    const { ColumnInfo } = await query(`SELECT host, count(*), sum(v) AS total FROM ${from(table)} GROUP BY host`);
    expect(ColumnInfo?.map(({ Name }) => Name)).toEqual(['host', '_col1', 'total']);
  });

  test.each<[string, RegExp]>([
    ['DELETE FROM $table', /Only SELECT/],
    ['DROP TABLE $table', /Only SELECT/],
    ["COPY $table TO '/tmp/stolen.csv'", /Only SELECT/],
    ["ATTACH '/tmp/other.duckdb'", /Only SELECT/],
    ['SELECT 1; SELECT 2', /single statement/],
    ['SELECT 1; DROP TABLE $table', /single statement/],
    ["SELECT * FROM read_csv('/etc/passwd')", /function read_csv is not supported/],
    ["SELECT * FROM read_text('/etc/passwd')", /function read_text is not supported/],
    ["SELECT * FROM '/etc/passwd'", /does not exist/],
    ['SELECT * FROM "/etc/passwd"', /does not exist/],
    ["SELECT getenv('HOME')", /function getenv is not supported/],
    ['SELECT "getenv"(\'HOME\')', /function getenv is not supported/],
    ["SELECT * FROM query('SELECT 1')", /function query is not supported/],
    ['SELECT * FROM duckdb_settings', /not available/],
    ['SELECT * FROM information_schema.tables', /does not exist/],
    ['SELECT * FROM $table, information_schema.tables', /not available/],
    ['SELECT * FROM _timestream.tables', /does not exist/],
    ['SELECT * FROM $table, _timestream.tables', /not available/],
    ['SELECT interpolate_linear(v) FROM $table', /function interpolate_linear is not supported/],
    [`SELECT * FROM "${DATABASE}"."missing"`, /"missing" does not exist/],
    ['SELECT missing FROM $table', /missing/],
    ['SELECT FROM WHERE', /cannot be run/],
    ["SELECT 'unfinished", /line 1: unexpected text/],
    ['SELECT time + 5ns FROM $table', /finer than a microsecond/],
    ['SELECT count(DISTINCT v), [1] FROM $table', /not supported/],
    ['', /queryString/],
  ])('refuses %s', async (sql, message) => {
    const error = await validationMessage(query(sql.replaceAll('$table', from(table))));
    expect(error).toMatch(message);
    expect(error).not.toMatch(/\n| at .*\.[jt]s:/);
  });

  const name = () => table;
  test.each<[string, (sql: string) => string]>([
    ['SELECT * FROM "$name"', (sql) => `The table ${sql} does not exist without its database: write ${from(sql)}.`],
    ['SELECT * FROM "$namex"', (sql) => `The table ${sql}x does not exist. Did you mean ${sql}`],
    [`SELECT * FROM "${DATABASE}"."$namex"`, (sql) => `${from(`${sql}x`)} does not exist. Did you mean "${sql}"`],
    [`SELECT * FROM "${DATABASE}x"."$name"`, () => `There is no database "${DATABASE}x". Did you mean "${DATABASE}"?`],
    ['SELECT hots FROM $table', () => 'The column hots does not exist. Did you mean host? DESCRIBE "'],
    ['SELECT hots FROM $table', (sql) => `${from(sql)} (or .schema ${sql}) lists the columns.`],
    ['SELECT "$name".hots FROM $table', () => 'The column hots does not exist. Did you mean host?'],
    [
      'SELECT v FROM $table WHERE host = "it\'s"',
      () => "The column it's does not exist. Text takes single quotes: 'it''s'.",
    ],
    ['SELECT * FROM $table.x', (sql) => `has a part too many: write ${from(sql)} without .x.`],
    ['SELECT * FROM influxdb-line-protocol.x', () => 'Put the name in double quotes: "influxdb-line-protocol".'],
    ['SELECT * FROM influxdb-1.x', () => 'Put the name in double quotes: "influxdb-1'],
    ['SELECT aveg(v) FROM $table', () => 'Timestream. Did you mean avg?'],
  ])('%s says what to write', async (sql, message) => {
    const text = sql.replaceAll('$table', from(name())).replaceAll('$name', name());
    const error = await validationMessage(query(text));
    expect(error).toContain(message(name()));
    expect(error).not.toMatch(/\bd\d+\b|Binder|Catalog|Parser/);
  });

  test('has changed no data', async () => {
    expect(await select(timestream, `SELECT count(*) FROM ${from(table)}`)).toEqual([['120']]);
  });
});

describe('pages', () => {
  let rows: string;
  let sql: string;
  beforeAll(async () => {
    const table = await tableOf(
      ...Array.from({ length: 250 }, (_, i) =>
        record({ Time: String(NOW - i), MeasureValues: [{ Name: 'v', Value: String(i), Type: 'BIGINT' }] }),
      ),
    );
    rows = from(table);
    sql = `SELECT v FROM ${rows} ORDER BY v`;
  });

  test('have MaxRows rows, and together contain every row once', async () => {
    const pages: number[][] = [];
    for await (const { Rows } of paginateQuery({ client: timestream.query, pageSize: 100 }, { QueryString: sql })) {
      pages.push((Rows ?? []).map(({ Data }) => Number(Data?.[0]?.ScalarValue)));
    }
    expect(pages.map(({ length }) => length)).toEqual([100, 100, 50]);
    expect(pages.flat()).toEqual(Array.from({ length: 250 }, (_, i) => i));
  });

  test('have no token after the last one, even if it is full', async () => {
    const first = await query(sql, { MaxRows: 125 });
    const second = await query(sql, { MaxRows: 125, NextToken: first.NextToken });
    expect(second.Rows).toHaveLength(125);
    expect(second.NextToken).toBeUndefined();
    expect(second.QueryId).toBe(first.QueryId);
  });

  test('are the same when fetched again', async () => {
    const many = `SELECT b.v FROM ${rows} AS a, ${rows} AS b`;
    let NextToken: string | undefined;
    // The rows come in parts of 2048: the third page needs two of them.
    for (let page = 0; page < 2; page++) ({ NextToken } = await query(many, { MaxRows: 1000, NextToken }));
    const fetch = async () => (await query(many, { MaxRows: 1000, NextToken })).Rows;
    const first = await fetch();
    expect(first).toHaveLength(1000);
    expect(await fetch()).toEqual(first);
  });

  test('are refused for the token of another query', async () => {
    const { NextToken } = await query(sql, { MaxRows: 10 });
    expect(await validationMessage(query('SELECT 1', { NextToken }))).toMatch(/NextToken/);
    expect(await validationMessage(query(sql, { NextToken: 'unknown' }))).toMatch(/NextToken/);
  });

  test('have at most 1000 rows by MaxRows', async () => {
    for (const MaxRows of [0, 1001]) expect(await validationMessage(query(sql, { MaxRows }))).toMatch(/maxRows/);
  });

  test('have at most 1 MB', async () => {
    const table = await tableOf(
      ...Array.from({ length: 800 }, (_, i) =>
        record({ Time: String(NOW - i), MeasureValues: [{ Name: 'v', Value: 'x'.repeat(1500), Type: 'VARCHAR' }] }),
      ),
    );
    const large = `SELECT v FROM ${from(table)}`;
    const first = await query(large);
    const second = await query(large, { NextToken: first.NextToken });
    expect(JSON.stringify(first.Rows).length).toBeLessThan(1_100_000);
    expect((first.Rows?.length ?? 0) + (second.Rows?.length ?? 0)).toBe(800);
  });
});

test('a query can be cancelled, and the endpoint is the server', async () => {
  await timestream.query.send(new CancelQueryCommand({ QueryId: 'ABC123' }));
  const { Endpoints } = await timestream.query.send(new DescribeEndpointsCommand({}));
  expect(Endpoints?.[0]?.Address).toBe(`127.0.0.1:${timestream.server.port}`);
});

test.each(['Boto3/1.44.8 md/Botocore#1.44.8', 'aws-cli/2.30.0 md/awscrt#0.27'])(
  'the endpoint has a scheme for %s, which would use https without it',
  async (agent) => {
    const response = await fetch(timestream.server.url, {
      method: 'POST',
      headers: { 'X-Amz-Target': 'Timestream_20181101.DescribeEndpoints', 'User-Agent': agent },
      body: '{}',
    });
    expect(await response.json()).toMatchObject({ Endpoints: [{ Address: timestream.server.url }] });
  },
);

test('the connection of queries cannot write', async () => {
  const store = await Store.open(undefined);
  await expect(store.reading((connection) => connection.run('CREATE TABLE t (a INTEGER)'))).rejects.toThrow(
    /read-only/,
  );
  await expect(store.reading((connection) => connection.run('SET threads = 1'))).rejects.toThrow(/locked/);
  await store.close();
});

test('queries run while records are written', async () => {
  const table = await makeTable(timestream);
  const writes = Array.from({ length: 20 }, (_, i) =>
    writeRecords(timestream, table, [
      record({ Time: String(NOW - i), MeasureValues: [{ Name: `v${i}`, Value: '1', Type: 'BIGINT' }] }),
    ]),
  );
  const reads = Array.from({ length: 20 }, () => select(timestream, `SELECT count(*) FROM ${from(table)}`));
  await Promise.all([...writes, ...reads]);
  expect(await select(timestream, `SELECT count(*) FROM ${from(table)} WHERE time > ago(${HOUR}ms)`)).toEqual([['20']]);
});

test('ends a query whose client has closed the connection', async () => {
  const own = await startHarness();
  const table = await makeTable(own);
  const times = Array.from({ length: 100 }, (_, index) => record({ Time: String(NOW - index) }));
  await writeRecords(own, table, times);
  const tables = Array.from({ length: 8 }, (_, index) => `${from(table)} t${index}`);
  const client = new AbortController();
  // 10^16 rows, which take longer than any test.
  const sent = own.query.send(new QueryCommand({ QueryString: `SELECT count(*) FROM ${tables.join(', ')}` }), {
    abortSignal: client.signal,
  });
  const ended = expect(sent).rejects.toThrow();
  await own.query.send(new QueryCommand({ QueryString: 'SELECT 1' }));
  client.abort();
  await ended;
  // Waits for all requests.
  await own.close();
});
