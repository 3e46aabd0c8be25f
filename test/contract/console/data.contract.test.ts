/** The panels Overview, Data and Writes, with real writes behind them, in the embedded Timestream. */
import { DATABASE, now, startConsole, type TestConsole } from './harness';

let server: TestConsole;
const second = now();
beforeAll(async () => {
  server = await startConsole();
  await server.write(`weather,city=Lisbon temperature=21.5,sunny=true,note="a \\"b\\"" ${second}`);
  await server.write(
    [
      `weather,city=Porto temperature=18 ${second - 2}`,
      `weather,city=Faro temperature=23 ${second - 1}`,
      'weather temperature',
      'weather,city=Braga temperature=1 100',
      `other-table,tag=a count=9007199254740993i ${second}`,
    ].join('\n'),
  );
  await server.write('weather,city=Lisbon temperature=1 1', 'hours');
});
afterAll(() => server.close());

describe('Overview', () => {
  test('counts points, requests by status, refused lines and the records of each table', async () => {
    const overview = await server.api('overview');
    expect(overview).toMatchObject({
      started: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      destination: 'timestream',
      url: server.timestreamUrl,
      statuses: { 204: 1, 400: 2 },
      pointsStored: 4,
      rejectedLines: 1,
      faultyLines: 1,
      unstored: 0,
      p50Ms: expect.any(Number),
      p99Ms: expect.any(Number),
      tables: [
        { database: DATABASE, table: 'other-table', records: 1 },
        { database: DATABASE, table: 'weather', records: 3 },
      ],
    });
  });

  test('has each of the last 300 seconds, with the points and requests of all of them', async () => {
    const { seconds } = (await server.api('overview')) as {
      seconds: { time: number; points: number; requests: number }[];
    };
    expect(seconds.map(({ time }) => time - (seconds[0]?.time ?? 0))).toEqual(
      Array.from({ length: 300 }, (_, index) => index * 1000),
    );
    const sum = (name: 'points' | 'requests') => seconds.reduce((all, each) => all + each[name], 0);
    expect([sum('points'), sum('requests')]).toEqual([4, 3]);
  });

  test('shows a point soon after it was written', async () => {
    const records = async () => {
      const { tables } = (await server.api('overview')) as { tables: { table: string; records: number }[] };
      return tables.find(({ table }) => table === 'late')?.records;
    };
    expect(await records()).toBeUndefined();
    await server.write(`late,a=b c=1 ${second}`);
    expect(await server.api('overview')).toMatchObject({ pointsStored: 5 });
    // The list of tables is read again within a second.
    while ((await records()) !== 1);
  });
});

describe('Data', () => {
  test('lists databases and tables', async () => {
    const { databases } = (await server.api('databases')) as { databases: { database: string; tables: object[] }[] };
    expect(databases.map(({ database }) => database)).toEqual([DATABASE]);
    expect(databases[0]?.tables).toEqual(
      expect.arrayContaining([
        { table: 'other-table', records: 1 },
        { table: 'weather', records: 3 },
      ]),
    );
  });

  test('shows the roles and types of columns, and the newest rows first', async () => {
    const { columns, rows } = await server.api(`table?database=${DATABASE}&table=weather`);
    expect(columns).toEqual([
      { name: 'city', role: 'dimension', type: 'VARCHAR' },
      { name: 'measure_name', role: 'measure name', type: 'VARCHAR' },
      { name: 'time', role: 'time', type: 'TIMESTAMP' },
      { name: 'temperature', role: 'measure', type: 'DOUBLE' },
      { name: 'sunny', role: 'measure', type: 'BOOLEAN' },
      { name: 'note', role: 'measure', type: 'VARCHAR' },
    ]);
    const time = (ago: number) =>
      new Date((second - ago) * 1000).toISOString().replace('T', ' ').replace('.000Z', '.000000000');
    expect(rows).toEqual([
      ['Lisbon', 'influxdb-measure', time(0), '21.5', 'true', 'a "b"'],
      ['Faro', 'influxdb-measure', time(1), '23.0', null, null],
      ['Porto', 'influxdb-measure', time(2), '18.0', null, null],
    ]);
  });

  test('shows at most 50 rows', async () => {
    const lines = Array.from({ length: 60 }, (_, index) => `many,a=b c=${index} ${second - index}`);
    expect(await server.write(lines.join('\n'))).toBe(204);
    const { rows } = (await server.api(`table?database=${DATABASE}&table=many`)) as { rows: string[][] };
    expect(rows.map((row) => row.at(-1))).toEqual(Array.from({ length: 50 }, (_, index) => `${index}.0`));
  });

  test.each([
    ['a table that does not exist', `database=${DATABASE}&table=none`, /none/],
    ['a database that does not exist', 'database=none&table=weather', /none/],
    ['a missing table', `database=${DATABASE}`, /^the table is not valid: table: /],
    ['a name that no table can have', `database=${DATABASE}&table=${encodeURIComponent('a";--')}`, /is not a name/],
  ])('refuses %s', async (_, parameters, message) => {
    expect(await server.api(`table?${parameters}`)).toMatchObject({
      status: 400,
      code: 'invalid',
      message: expect.stringMatching(message),
    });
  });
});

describe('a query', () => {
  const query = (sql: string, maxRows?: number) =>
    server.api('query', { sql, ...(maxRows !== undefined && { maxRows }) });

  test('returns columns with types and exact values as text; a table without a database is of the connector', async () => {
    expect(await query('SELECT count, tag, CAST(NULL AS BIGINT) AS nothing FROM "other-table"')).toMatchObject({
      status: 200,
      columns: [
        { name: 'count', type: 'BIGINT' },
        { name: 'tag', type: 'VARCHAR' },
        { name: 'nothing', type: 'BIGINT' },
      ],
      rows: [['9007199254740993', 'a', null]],
      truncated: false,
      milliseconds: expect.any(Number),
    });
  });

  test.each([
    [3, 3, false],
    [2, 2, true],
    [1, 1, true],
    [100_000, 3, false],
  ])('with maxRows %d returns %d rows; truncated: %s', async (maxRows, rows, truncated) => {
    const result = await query('SELECT city FROM weather', maxRows);
    expect([(result.rows as unknown[]).length, result.truncated]).toEqual([rows, truncated]);
  });

  test('returns more rows than a page of the Query API has, each once', async () => {
    const lines = Array.from({ length: 2_500 }, (_, index) => `pages,a=b c=${index}i ${second - index}`);
    expect(await server.write(lines.join('\n'))).toBe(204);
    const all = await query('SELECT c FROM pages ORDER BY c', 10_000);
    expect(all.rows).toEqual(Array.from({ length: 2_500 }, (_, index) => [String(index)]));
    const first = await query('SELECT c FROM pages ORDER BY c');
    expect([first.rows, first.truncated]).toEqual([(all.rows as unknown[]).slice(0, 1_000), true]);
  });

  test.each([
    ['SELECT nothing FROM weather', /The column nothing does not exist/],
    ['SELEC 1', /ValidationException/],
    ['.nonsense', /this is not a statement/],
    [' ', /this is not a statement/],
  ])('refuses %j with the reason of Timestream', async (sql, message) => {
    expect(await query(sql)).toMatchObject({ status: 400, code: 'invalid', message: expect.stringMatching(message) });
  });

  test.each<[string, string, RegExp]>([
    ['text that is not JSON', '{', /must be JSON/],
    ['a missing statement', '{}', /sql: /],
    ['no rows', '{"sql":"SELECT 1","maxRows":0}', /maxRows: /],
    ['too many rows', '{"sql":"SELECT 1","maxRows":100001}', /maxRows: /],
  ])('refuses %s', async (_, body, message) => {
    const { status, text } = await server.send('POST', '/console/api/query', { 'X-Console': '1' }, body);
    expect([status, JSON.parse(text)]).toEqual([400, { code: 'invalid', message: expect.stringMatching(message) }]);
  });
});

describe('Writes', () => {
  test('shows each write with its client, size, outcome and refused lines, the newest first', async () => {
    const { writes } = (await server.api('writes')) as { writes: Record<string, unknown>[] };
    const first = writes.slice(-3);
    expect(first.map(({ id }) => id)).toEqual(['3', '2', '1']);
    expect(first.map(({ milliseconds, time }) => [typeof milliseconds, typeof time])).toEqual(
      Array.from({ length: 3 }, () => ['number', 'number']),
    );
    expect(first).toMatchObject([
      {
        client: expect.stringMatching(/^probe\/1 \(.*127\.0\.0\.1\)$/),
        path: '/api/v2/write',
        precision: 'hours',
        bytes: 35,
        lines: 0,
        status: 400,
        stored: 0,
        refused: [],
        refusedLines: 0,
        message: 'invalid precision; valid precision units are ns, us, ms, and s',
      },
      {
        precision: 's',
        lines: 5,
        status: 400,
        stored: 3,
        unstored: 0,
        refusedLines: 2,
        refused: [
          { line: 3, reason: expect.stringContaining("expected '='"), text: 'weather temperature' },
          {
            line: 4,
            reason: expect.stringContaining('outside the time range'),
            text: 'weather,city=Braga temperature=1 100',
          },
        ],
        message: expect.stringMatching(/^partial write: .* dropped=2$/s),
      },
      { lines: 1, status: 204, stored: 1, refused: [], message: '' },
    ]);
  });
});

describe('trying lines', () => {
  const attempt = (lines: string, precision = 's', path?: string) =>
    server.api('try', { lines, precision, ...(path && { path }) });

  test('shows the record of each line that would be stored, and the reason of each other line', async () => {
    const { lines } = await attempt(
      ['tried,b=2,a=1 i=1i,t="x y" 1700000000', '', '# comment', 'tried', 'tried f=1 1700000000'].join('\n'),
    );
    expect(lines).toEqual([
      {
        line: 1,
        text: 'tried,b=2,a=1 i=1i,t="x y" 1700000000',
        outcome: 'stored',
        table: 'tried',
        record: {
          MeasureName: 'influxdb-measure',
          Dimensions: [
            { Name: 'a', Value: '1' },
            { Name: 'b', Value: '2' },
          ],
          MeasureValueType: 'MULTI',
          MeasureValues: [
            { Name: 'i', Value: '1', Type: 'BIGINT' },
            { Name: 't', Value: 'x y', Type: 'VARCHAR' },
          ],
          Time: '1700000000',
          TimeUnit: 'SECONDS',
          Version: expect.any(Number),
        },
      },
      { line: 4, text: 'tried', outcome: 'faulty', reason: expect.stringContaining("unable to parse 'tried'") },
      { line: 5, text: 'tried f=1 1700000000', outcome: 'rejected', reason: expect.stringContaining('no tags') },
    ]);
  });

  test('stores nothing, and records no write', async () => {
    const before = await server.api('overview');
    await attempt(`tried,a=b c=1 ${second}`);
    const { databases } = (await server.api('databases')) as { databases: { tables: { table: string }[] }[] };
    expect(databases.flatMap(({ tables }) => tables.map(({ table }) => table))).not.toContain('tried');
    expect((await server.api('overview')).statuses).toEqual(before.statuses);
  });

  test('lines of one series and time share a record, as in a write', async () => {
    const { lines } = (await attempt(`tried,a=b c=1 ${second}\ntried,a=b d=2,c=3 ${second}`)) as {
      lines: { record: { MeasureValues: unknown } }[];
    };
    const values = [
      { Name: 'c', Value: '3', Type: 'DOUBLE' },
      { Name: 'd', Value: '2', Type: 'DOUBLE' },
    ];
    expect(lines.map(({ record }) => record.MeasureValues)).toEqual([values, values]);
  });

  test.each([
    ['s', '/api/v2/write', 200],
    ['h', '/api/v2/write', 400],
    ['h', '/write', 200],
    ['s', '/other', 400],
  ])('the precision %s at %s is %d', async (precision, path, status) => {
    expect(await attempt('tried,a=b c=1 1', precision, path)).toMatchObject({ status });
  });

  test('refuses more than 1,000 lines, and more than 1 MB', async () => {
    expect(await attempt('a,b=c d=1\n'.repeat(1_000))).toMatchObject({ status: 200 });
    expect(await attempt('a,b=c d=1\n'.repeat(1_001))).toMatchObject({ status: 413 });
    expect(await attempt('x'.repeat(1024 * 1024 + 1))).toMatchObject({ status: 413 });
  });

  test('says the same about a line as a write does', async () => {
    const lines = [
      'good,a=b c=1',
      'bad',
      'no_tags c=1',
      'old,a=b c=1 -1',
      'twice,a=b c=1,c=2',
      'x,time=1 c=1',
      'e,a=b c=""',
    ];
    const tried = (await attempt(lines.join('\n'))) as { lines: { line: number; outcome: string; reason?: string }[] };
    await server.write(lines.join('\n'));
    const { writes } = (await server.api('writes')) as { writes: { refused: { line: number; reason: string }[] }[] };
    const refused = tried.lines.filter(({ outcome }) => outcome !== 'stored');
    expect(refused.length).toBeGreaterThan(3);
    expect(refused.map(({ line, reason }) => ({ line, reason }))).toEqual(
      writes[0]?.refused.map(({ line, reason }) => ({ line, reason })),
    );
  });
});

describe('/metrics', () => {
  const metric = async (name: string) => {
    const { text } = await server.send('GET', '/metrics');
    return Number(new RegExp(`^${name}\\{destination="timestream"\\} (.*)$`, 'm').exec(text)?.[1]);
  };

  test('counts the points and lines of each write', async () => {
    const names = ['points_stored_total', 'faulty_lines_total', 'rejected_lines_total', 'duration_seconds_count'];
    const all = () => Promise.all(names.map((name) => metric(`connector_${name}`)));
    const before = await all();
    await server.write(`metric,a=b c=1 ${second}\nmetric,a=c c=1 ${second}\nbad\nmetric,a=b c=1 1`);
    const after = await all();
    expect(after.map((value, index) => value - (before[index] ?? 0))).toEqual([2, 1, 1, 1]);
  });

  test('has the metrics of the process, in the text format of Prometheus', async () => {
    const { headers, text } = await server.send('GET', '/metrics');
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(text).toMatch(/^process_cpu_seconds_total \d/m);
    expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds \d/m);
  });
});
