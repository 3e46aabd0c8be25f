/** The console with InfluxDB as the destination, alone or beside Timestream. */
import { loadConnectorConfig } from 'shared/config';
import { scriptedInfluxDB } from '../../support/scripted-influxdb';
import { now, startConsole, type TestConsole } from './harness';

const influxdb = scriptedInfluxDB();
const second = now();

const configOf = (destination: string, more: Readonly<Record<string, string>> = {}) =>
  loadConnectorConfig({
    destination,
    INFLUXDB_URL: influxdb.url,
    INFLUXDB_ORG: 'org',
    INFLUXDB_BUCKET: 'bucket',
    INFLUXDB_TOKEN: 'token',
    ...more,
  });

async function withConsole(config: ReturnType<typeof configOf>, test: (server: TestConsole) => Promise<void>) {
  const server = await startConsole({}, config);
  try {
    await test(server);
  } finally {
    await server.close();
  }
}

test('with InfluxDB alone, Overview counts its points, and the data panel says where they are', async () => {
  await withConsole(configOf('influxdb'), async (server) => {
    expect(await server.write(`weather temperature=1 ${second}\nbad\n`)).toBe(400);
    expect(await server.api('overview')).toMatchObject({
      ...{ destination: 'influxdb', url: influxdb.url, influxdbUrl: influxdb.url },
      ...{ pointsStored: 1, faultyLines: 1, tables: [] },
    });
    expect(await server.api('databases')).toEqual({
      ...{ status: 200, destination: 'influxdb', url: influxdb.url, influxdbUrl: influxdb.url, databases: [] },
    });
    expect(await server.api('query', { sql: 'SELECT 1' })).toMatchObject({
      status: 400,
      message: `the points are in InfluxDB at ${influxdb.url}: query them there`,
    });
    const { lines } = await server.api('try', { lines: `weather temperature=1 ${second}\nbad`, precision: 's' });
    expect(lines).toEqual([
      { line: 1, text: `weather temperature=1 ${second}`, outcome: 'stored' },
      { line: 2, text: 'bad', outcome: 'faulty', reason: expect.stringContaining("unable to parse 'bad'") },
    ]);
    const { text } = await server.send('GET', '/metrics');
    expect(text).toContain('\nconnector_points_stored_total{destination="influxdb"} 1\n');
    expect(text).not.toContain('destination="timestream"');
  });
});

test.each<[string, RegExp[]]>([
  [
    'influxdb',
    [
      /^queries .*: the points are in InfluxDB, so query InfluxDB itself at URL$/,
      /: send the request to InfluxDB itself at URL$/,
      /Send other requests to InfluxDB itself at URL$/,
    ],
  ],
  [
    'both',
    [
      /SQL by the Timestream query API at TIMESTREAM, or query InfluxDB itself at URL$/,
      /Timestream deletes .* InfluxDB itself at URL$/,
      /InfluxDB itself at URL$/,
    ],
  ],
  [
    'timestream',
    [
      /in Amazon Timestream\. .* at TIMESTREAM$/,
      /Timestream deletes points .* ends$/,
      /any org and bucket; all points are stored in one Timestream database$/,
    ],
  ],
])(
  'with %s, the paths of InfluxDB that are not served say where to send the request',
  async (destination, messages) => {
    await withConsole(configOf(destination), async (server) => {
      for (const [index, path] of ['query', 'delete', 'buckets'].entries()) {
        const { status, text } = await server.send('POST', `/api/v2/${path}`);
        const { message } = JSON.parse(text) as { message: string };
        const named = message.replace(influxdb.url, 'URL').replace(server.timestreamUrl ?? 'none', 'TIMESTREAM');
        expect([status, named]).toEqual([404, expect.stringMatching(messages[index] ?? 'missing')]);
      }
    });
  },
);

test('with both, a refused line names its destination, and the metrics tell the two apart', async () => {
  await withConsole(configOf('both'), async (server) => {
    const lines = [`weather,city=Faro temperature=1 ${second}`, `weather temperature=2 ${second}`, 'bad'];
    expect(await server.write(lines.join('\n'))).toBe(400);
    expect(await server.api('overview')).toMatchObject({
      ...{ destination: 'both', url: server.timestreamUrl, influxdbUrl: influxdb.url },
      ...{ pointsStored: 1, rejectedLines: 1, faultyLines: 1 },
    });
    const [write] = (await server.api('writes')).writes as { refused: object[] }[];
    const noTags = { line: 2, reason: expect.stringMatching(/^line 2: timestream: .*no tags/), text: lines[1] };
    const faulty = { line: 3, reason: expect.stringContaining("unable to parse 'bad'"), text: 'bad' };
    expect(write?.refused).toEqual([{ ...noTags, destination: 'timestream' }, faulty]);
    const tried = await server.api('try', { lines: lines.join('\n'), precision: 's' });
    expect(tried.lines).toMatchObject([
      { line: 1, outcome: 'stored', table: 'weather' },
      { ...noTags, outcome: 'rejected' },
      { ...faulty, outcome: 'faulty' },
    ]);
    const { text } = await server.send('GET', '/metrics');
    for (const destination of ['timestream', 'influxdb']) {
      expect(text).toContain(`\nconnector_points_stored_total{destination="${destination}"} 1\n`);
    }
    expect(text).toContain('\nconnector_rejected_lines_total{destination="timestream"} 1\n');
    expect(text).toContain('\nconnector_rejected_lines_total{destination="influxdb"} 0\n');
  });
});

test('with both, a line that only InfluxDB stores is stored, and trying it says where', async () => {
  await withConsole(configOf('both', { influxdb_only_lines: 'no-tags' }), async (server) => {
    const line = `weather temperature=2 ${second}`;
    const { lines } = await server.api('try', { lines: line, precision: 's' });
    const reason = expect.stringMatching(/: stored in influxdb only$/);
    expect(lines).toEqual([{ line: 1, text: line, outcome: 'stored', influxdbOnly: true, reason }]);
    const inBoth = `weather,city=Faro temperature=2 ${second}`;
    expect(await server.write(`${line}\n${inBoth}`)).toBe(204);
    const { writes } = await server.api('writes');
    expect(writes).toMatchObject([{ lines: 2, stored: 2, influxdbOnly: 1, unstored: 0, refusedLines: 0 }]);
    expect(await server.api('overview')).toMatchObject({ pointsStored: 2 });
  });
});

test.each([
  ['influxdb', /^InfluxDB may still refuse a line/],
  ['both', /types of existing columns.*InfluxDB may still refuse/],
  ['timestream', /^Not checked: retention and the types of existing columns, which only Timestream knows\.$/],
])('with %s, trying lines says what it does not check', async (destination, expected) => {
  await withConsole(configOf(destination), async (server) => {
    const { unchecked } = await server.api('try', { lines: `weather,time=a temperature=1 ${second}`, precision: 's' });
    expect(unchecked).toMatch(expected);
  });
});
