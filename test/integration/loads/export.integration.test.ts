/** Exports into a real InfluxDB 2, and into the part of InfluxDB 3 that a loader uses: what other tools lose or spoil. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Summary } from 'shared/loads/summary';
import { bundleProgram, runProgram } from '../../contract/cli/program';
import {
  EDGE,
  EDGE_COLUMNS,
  type ScalarType,
  SINGLE,
  SINGLE_COLUMNS,
  type Unload,
  unload,
} from '../../support/exports';
import { FakeInfluxDB3, V3_TOKEN } from '../../support/fake-influxdb3';
import { describeWithInfluxd, Influxd, ORG, STARTING_MS } from '../../support/influxd';
import { configOf, load, parquetOf, testStore } from '../../support/loader';
import { testReader } from '../../support/parquet';
import { ScriptedServer } from '../../support/scripted-server';

const STORE = 'exports';
const reader = testReader();
const s3 = testStore();

function put(query: Unload): void {
  for (const [key, body] of Object.entries(unload(STORE, query).objects)) s3.store.put(STORE, key, body);
}

function run(url: string, environment: Record<string, string>, options: object = {}): Promise<Summary> {
  const input = { export: `s3://${STORE}/`, options, toleratedFailurePercentage: 100 };
  return load(input, { objects: s3.objects, reader }, configOf(url, environment));
}

const tableOf = async (
  select: string,
  rows: number,
  columns: Record<string, ScalarType>,
  more: Partial<Unload> = {},
): Promise<Unload> => ({
  folder: 'db/cpu/',
  columns: columns as Unload['columns'],
  files: [{ bytes: await parquetOf(select), rows }],
  ...more,
});

describeWithInfluxd('an export in InfluxDB 2', (binary) => {
  let influxd: Influxd;
  let count = 0;

  beforeAll(async () => {
    bundleProgram();
    influxd = await Influxd.start(binary);
  }, STARTING_MS);
  afterAll(() => influxd.remove());

  /** A bucket of its own for each test. */
  async function bucketOf(retentionSeconds = 0): Promise<string> {
    const name = `export-${count++}`;
    const { orgs } = await influxd.get<{ orgs: { id: string }[] }>(`/api/v2/orgs?org=${ORG}`);
    const retentionRules = retentionSeconds > 0 ? [{ type: 'expire', everySeconds: retentionSeconds }] : [];
    await influxd.post('/api/v2/buckets', { orgID: orgs[0]?.id, name, retentionRules });
    return name;
  }
  async function stored(options: object = {}) {
    const bucket = await bucketOf();
    const summary = await run(influxd.url, { INFLUXDB_BUCKET: bucket }, options);
    const values = (await influxd.values(bucket)).map(({ tags, time, field, type, value }) => ({
      tags: Object.entries(tags)
        .map(([name, text]) => `${name}=${text}`)
        .sort()
        .join(),
      time,
      value: `${field} ${type} ${value}`,
    }));
    return { summary, values };
  }
  const valuesAt = (values: readonly { time: string; value: string }[], time: string): string[] =>
    values
      .filter((each) => each.time === time)
      .map(({ value }) => value)
      .sort();

  test('has every value with its type, every tag, and each nanosecond', async () => {
    put({ folder: 'db/cpu/', columns: EDGE_COLUMNS, files: [EDGE] });
    const { summary, values } = await stored();
    expect(summary).toMatchObject({ statusCode: 200, tables: { cpu: { points: 7, empty: 1, accounted: true } } });
    expect(valuesAt(values, '2025-11-28T10:00:00.123456789Z')).toEqual([
      'Temp double 99.25',
      'big long 9007199254740993',
      'note string say "hi" \\ there\nnext',
      'ok boolean true',
      'started long -1',
      'temp double 21.5',
    ]);
    expect(valuesAt(values, '2025-11-28T10:00:01Z')).toEqual([
      'big long -9223372036854775808',
      'note string ',
      'ok boolean false',
      'temp double 0.1',
    ]);
    expect([...new Set(values.map(({ tags }) => tags))].sort()).toEqual([
      'MEASURE_NAME=upper,Time=noon,device=a b,c=d,measure_name=m',
      'Time=noon,device=null,measure_name=m',
      'device= padded ,measure_name=m',
      'device=C:\\dir,measure_name=m',
      'device=line\\nbreak,measure_name=m',
      'measure_name=m',
    ]);
    // The row of NULLs alone has no point.
    expect(valuesAt(values, '2025-11-28T10:00:07Z')).toEqual([]);
  });

  test('names keep special characters, and reserved ones get a suffix', async () => {
    const columns: Record<string, ScalarType> = {
      'a,b': 'VARCHAR',
      _id: 'VARCHAR',
      measure_name: 'VARCHAR',
      time: 'TIMESTAMP',
      'c=d': 'DOUBLE',
      'e f': 'BIGINT',
      'g::h': 'VARCHAR',
    };
    const select = `SELECT 'x' AS "a,b", 'y' AS "_id", 'm' AS measure_name, TIMESTAMP '2025-01-01' AS time, 1.5::DOUBLE AS "c=d",
      2::BIGINT AS "e f", 'z' AS "g::h"`;
    put(await tableOf(select, 1, columns, { folder: 'db/my table-1.x/' }));
    const { values } = await stored();
    expect(values.map(({ value }) => value).sort()).toEqual(['c=d double 1.5', 'e f long 2', 'g::h string z']);
    expect(values[0]?.tags).toBe('a,b=x,id_=y,measure_name=m');
  });

  test('has the columns that a table gained half way', async () => {
    const rows = (from: number, more = '') =>
      `SELECT 'm' AS measure_name, TIMESTAMP '2025-01-01' + INTERVAL 1 SECOND * i AS time, i::DOUBLE AS v${more} FROM range(${from}, ${from + 10}) r(i)`;
    const columns: Record<string, ScalarType> = { measure_name: 'VARCHAR', time: 'TIMESTAMP', v: 'DOUBLE' };
    put(await tableOf(rows(0), 10, columns, { folder: 'db/cpu/1/' }));
    put(
      await tableOf(rows(10, ', i::BIGINT AS gained'), 10, { ...columns, gained: 'BIGINT' }, { folder: 'db/cpu/2/' }),
    );
    const { summary, values } = await stored();
    expect(summary.tables?.cpu).toMatchObject({ queries: 2, points: 20, merged: 0, accounted: true });
    expect(values.filter(({ value }) => value.startsWith('v '))).toHaveLength(20);
    expect(values.filter(({ value }) => value.startsWith('gained long '))).toHaveLength(10);
  });

  test('counts a query that was exported twice as merged, and stores it once', async () => {
    for (const seed of ['first', 'second']) put({ folder: 'db/cpu/', columns: EDGE_COLUMNS, files: [EDGE], seed });
    const { summary, values } = await stored();
    expect(summary.tables?.cpu).toMatchObject({ points: 14, merged: 7, accounted: true });
    expect(values.filter(({ value }) => value.startsWith('temp '))).toHaveLength(7);
  });

  test('merges the rows of a single-measure table with pivot', async () => {
    put({ folder: 'db/cpu/', columns: SINGLE_COLUMNS, files: [SINGLE] });
    const { values } = await stored({ measureName: 'pivot' });
    expect(new Set(values.map(({ tags, time }) => `${tags} ${time}`))).toEqual(
      new Set(['device=d1 2025-11-28T10:00:00Z']),
    );
    expect(valuesAt(values, '2025-11-28T10:00:00Z')).toEqual([
      'count long 7',
      'load double 1.5',
      'on boolean true',
      'state string up',
    ]);
  });

  test('reports rows outside the retention of the bucket, table by table', async () => {
    put({ folder: 'db/cpu/', columns: SINGLE_COLUMNS, files: [SINGLE] });
    const bucket = await bucketOf(3600);
    const now = `SELECT 'm' AS measure_name, now()::TIMESTAMP AS time, 1.5::DOUBLE AS v`;
    put(await tableOf(now, 1, { measure_name: 'VARCHAR', time: 'TIMESTAMP', v: 'DOUBLE' }, { folder: 'db/new/' }));
    const summary = await run(influxd.url, { INFLUXDB_BUCKET: bucket });
    expect(summary.statusCode).toBe(207);
    expect(summary.tables?.new).toMatchObject({ points_written: 1, accounted: true });
    expect(summary.tables?.cpu).toMatchObject({
      rows: 4,
      points: 4,
      points_written: 0,
      rejected_points: 4,
      accounted: true,
    });
    expect(JSON.stringify(summary.causes)).toContain('retention');
  });

  test('the command loads a folder, and the report repeats what failed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'export-'));
    try {
      const missing: string[] = [];
      for (const table of ['cpu', 'mem']) {
        const { objects } = unload('elsewhere', { folder: `in/db/${table}/`, columns: EDGE_COLUMNS, files: [EDGE] });
        for (const [key, body] of Object.entries(objects)) {
          if (key.includes('db/mem/results/')) missing.push(join(folder, key));
          else writeTo(join(folder, key), body);
        }
      }
      const bucket = await bucketOf();
      const target = ['--url', influxd.url, '--bucket', bucket, '--token', 'test-token'];
      const report = join(folder, 'report');
      const first = await runProgram([
        'load',
        '--export',
        join(folder, 'in'),
        '--report',
        report,
        '--keep-going',
        ...target,
      ]);
      expect({ code: first.code, out: first.out }).toMatchObject({
        code: 1,
        out: expect.stringContaining('cpu: 8 rows'),
      });
      expect(first.out).toContain('does not exist, but its manifest lists it');
      writeTo(missing[0] ?? '', EDGE.bytes);
      const again = await runProgram([
        'load',
        join(report, 'failed-items.jsonl'),
        '--report',
        join(folder, 'again'),
        ...target,
      ]);
      expect({ code: again.code, err: again.err }).toMatchObject({ code: 0 });
      const measurements = new Set((await influxd.values(bucket)).map(({ measurement }) => measurement));
      expect(measurements).toEqual(new Set(['cpu', 'mem']));
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 60_000);
});

function writeTo(path: string, body: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, body);
}

test('over 500 columns in InfluxDB 3 fail loudly, and every row is accounted for', async () => {
  const fake = new FakeInfluxDB3();
  const server = await ScriptedServer.start(fake.answer);
  try {
    const names = Array.from({ length: 520 }, (_, index) => `v${index}`);
    const columns: Record<string, ScalarType> = { measure_name: 'VARCHAR', time: 'TIMESTAMP' };
    for (const name of names) columns[name] = 'DOUBLE';
    const values = names.map((name) => `1.5::DOUBLE AS ${name}`).join();
    put(await tableOf(`SELECT 'm' AS measure_name, TIMESTAMP '2025-01-01' AS time, ${values}`, 1, columns));
    const environment = { INFLUXDB_ENGINE: 'v3', INFLUXDB_TOKEN: V3_TOKEN };
    const summary = await run(server.url, environment);
    expect(summary).toMatchObject({ statusCode: 500, points_written: 0, withinTolerance: false });
    expect(JSON.stringify(summary.causes)).toContain('500');
  } finally {
    await server.stop();
  }
});
