/** Profiles and series of files that DuckDB wrote. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NO_PARTITIONS } from 'shared/datasets/partitions';
import { openFile } from 'shared/parquet/source';
import { duckdb } from '../../support/loader';
import { testReader } from '../../support/parquet';

const folder = mkdtempSync(join(tmpdir(), 'profile-'));
afterAll(() => rmSync(folder, { recursive: true }));
const reader = testReader();

/** Opens a file with the rows of a query. */
async function written(query: string, options = '') {
  const path = join(folder, 'rows.parquet');
  await duckdb(`COPY (${query}) TO '${path}' (FORMAT parquet${options})`);
  return await openFile(path);
}

test('a profile counts nulls and values, and reports what texts and integers are', async () => {
  const source = await written(`SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 SECOND * i AS t,
    CASE WHEN i % 4 > 0 THEN 'host ' || (i % 4) END AS host, 'unique ' || i AS message, (i - 5)::INTEGER AS n,
    strftime(TIMESTAMP '2024-01-01' + INTERVAL 1 DAY * (i % 3), '%Y-%m-%d') AS day, CASE WHEN i = 7 THEN '' ELSE (i % 2) || '.5' END AS number,
    CASE WHEN i < 10 THEN 1.5 END AS x, DATE '9999-12-31' AS d, [i] AS list FROM range(20000) r(i)`);
  const { rows, sampledRows, columns } = await reader.profile(source, 100_000);
  await source.close();
  expect({ rows, sampledRows }).toEqual({ rows: 20_000, sampledRows: 20_000 });
  const of = (name: string) => columns.find((column) => column.name === name);
  const plain = { areTimes: false, areNumbers: false, areUtf8: true };
  expect(of('t')).toMatchObject({
    type: { kind: 'timestamp', unit: 'us' },
    nulls: 0,
    range: { min: Date.UTC(2024, 0) / 1000, max: Date.UTC(2024, 0) / 1000 + 19_999 },
  });
  expect(of('d')).toMatchObject({ range: { min: Date.UTC(9999, 11, 31) / 1000, max: Date.UTC(9999, 11, 31) / 1000 } });
  expect(of('host')).toMatchObject({ nulls: 5_000, values: ['host 1', 'host 2', 'host 3'], texts: plain });
  expect(of('message')).toMatchObject({ nulls: 0, values: null });
  expect(of('n')).toMatchObject({ range: { min: -5, max: 19_994 }, values: null });
  expect(of('day')).toMatchObject({ values: ['2024-01-01', '2024-01-02', '2024-01-03'], texts: { areTimes: true } });
  expect(of('number')).toMatchObject({ nulls: 1, values: ['0.5', '1.5'], texts: { ...plain, areNumbers: true } });
  expect(of('x')).toMatchObject({ nulls: 19_990 });
  expect(of('list')).toMatchObject({ type: { kind: 'unusable' } });
});

test('a profile of a large file reads rows of its begin and its end', async () => {
  const source = await written('SELECT i AS n FROM range(500000) r(i)', ', ROW_GROUP_SIZE 51200');
  const { rows, sampledRows, columns } = await reader.profile(source, 8_000);
  await source.close();
  expect({ rows, sampledRows }).toEqual({ rows: 500_000, sampledRows: 8_000 });
  expect(columns[0]?.range).toEqual({ min: 0, max: 499_999 });
});

test('a profile of many columns lists a bounded number of values, those of texts before those of integers', async () => {
  const integers = Array.from({ length: 40 }, (_, index) => `i % ${8_000 + index} AS n${index}`);
  const source = await written(`SELECT 'host ' || i % 9000 AS host, ${integers} FROM range(10000) r(i)`);
  const { columns } = await reader.profile(source, 10_000);
  await source.close();
  const listed = columns.map(({ values }) => values?.length ?? 0);
  expect(listed[0]).toBe(9_000);
  const total = listed.reduce((sum, count) => sum + count, 0);
  expect(total).toBeGreaterThan(150_000);
  expect(total).toBeLessThanOrEqual(200_000);
});

test('a column chunk that lists no encoding is read', async () => {
  const source = await written("SELECT TIMESTAMP '2024-01-01' AS t, NULL::INTERVAL AS span");
  const { columns } = await reader.profile(source, 10);
  await source.close();
  expect(columns[1]).toMatchObject({ type: { kind: 'interval' }, nulls: 1 });
});

test('series are the combinations of tags, and duplicates the rows with the same time', async () => {
  const source =
    await written(`SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 SECOND * (i // 3 % 10) AS t, 'a' || (i % 3) AS a,
    CASE WHEN i % 2 = 0 THEN 'b' END AS b FROM range(60) r(i)`);
  const [time, partitions] = [{ column: 't' }, NO_PARTITIONS];
  const all = await reader.countSeries(source, { time, partitions, tags: ['a', 'b', 'none'] }, 1_000);
  const single = await reader.countSeries(source, { time, partitions, tags: [] }, 1_000);
  await source.close();
  expect({ series: all.series.length, duplicates: all.duplicates }).toEqual({ series: 6, duplicates: 30 });
  expect(all.points).toHaveLength(30);
  expect({ series: single.series.length, duplicates: single.duplicates }).toEqual({ series: 1, duplicates: 50 });
});

test('series have the texts that a load stores, and rows without a time are no points', async () => {
  const texts = ["'a' || chr(10) || 'b'", "'a\\nb'", "'a'", "'a '", "' a'", "'a\\'", "'A'", 'NULL', "'null'"];
  const source = await written(`SELECT unnest([${texts}]) AS tag, TIMESTAMP '2024-01-01' AS t
    UNION ALL SELECT 'A', NULL UNION ALL SELECT 'A', NULL`);
  const counted = await reader.countSeries(
    source,
    { time: { column: 't' }, tags: ['tag', 'folder'], partitions: new Map([['folder', 'x']]) },
    1_000,
  );
  await source.close();
  // Line protocol writes a line feed as backslash and n.
  expect(counted.series).toHaveLength(4);
  expect({ points: counted.points.length, duplicates: counted.duplicates }).toEqual({ points: 4, duplicates: 5 });
});

test('points of a path whose folder is the time have its time', async () => {
  const source = await written('SELECT i AS v FROM range(3) r(i)');
  const at = async (day: string) => {
    const partitions = new Map([['day', day]]);
    return await reader.countSeries(source, { time: { column: 'day' }, tags: [], partitions }, 1_000);
  };
  const [first, second] = [await at('2024-01-01'), await at('2024-01-02')];
  await source.close();
  expect(first).toMatchObject({ series: second.series, points: [expect.any(Number)], duplicates: 2 });
  expect(second.points).not.toEqual(first.points);
});

test('a profile of INT96 has the times of the day in its range', async () => {
  const source = await openFile('test/fixtures/parquet/time-int96.parquet');
  const { columns } = await reader.profile(source, 100);
  await source.close();
  const { range } = columns.find(({ type }) => type.kind === 'int96') ?? {};
  // By pyarrow: 1969-12-31T23:59:58.5 to 2024-06-30T23:59:59.123456789.
  expect(range?.min).toBe(-1.5);
  expect(range?.max).toBeCloseTo(Date.UTC(2024, 5, 30, 23, 59, 59, 123) / 1000, 2);
});
