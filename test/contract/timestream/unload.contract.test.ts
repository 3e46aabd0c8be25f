/** UNLOAD through the Query API: files, manifest and metadata, polling, limits and errors. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { CancelQueryCommand, QueryCommand, type QueryCommandOutput } from '@aws-sdk/client-timestream-query';
import type { _Record as Record_ } from '@aws-sdk/client-timestream-write';
import { DuckDBInstance, type Json } from '@duckdb/node-api';
import { parquetMetadata, parquetReadObjects, toJson } from 'hyparquet';
import { ServiceError } from '../../../local/timestream/errors';
import type { UnloadDestination } from '../../../local/timestream/unload/destination';
import { FolderDestination } from '../../../local/timestream/unload/folder-destination';
import type { UnloadOptions } from '../../../local/timestream/unload/unloads';
import {
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

const FIXTURES = path.resolve(__dirname, '../../fixtures/unload');

const folder = mkdtempSync(path.join(tmpdir(), 'unload-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A server without a limit on the rate, unless a test needs it. */
const start = (unload: Partial<UnloadOptions> = {}, now: () => number = () => NOW): Promise<Harness> =>
  startHarness({ now, unload: { destination: new FolderDestination(folder), intervalMs: 0, ...unload } });

let timestream: Harness;
beforeAll(async () => {
  timestream = await start();
});
afterAll(() => timestream.close());

const query = (
  QueryString: string,
  input: { NextToken?: string | undefined; ClientToken?: string } = {},
  on = timestream,
) => on.query.send(new QueryCommand({ QueryString, ...input }));

/** The three values of the row at the end. */
const cells = ({ Rows }: QueryCommandOutput): string[] =>
  (Rows?.[0]?.Data ?? []).map(({ ScalarValue }) => ScalarValue ?? '');

let exports = 0;
/** An address that no other test uses, and its folder on disk. */
function place(): { address: string; dir: string } {
  exports += 1;
  return { address: `s3://bucket-1/export/${exports}`, dir: path.join(folder, 'bucket-1/export', String(exports)) };
}

function files(dir: string): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(dir, path.join(entry.parentPath, entry.name)))
    .sort();
}

interface Manifest {
  readonly result_files: readonly {
    readonly url: string;
    readonly file_metadata: { readonly content_length_in_bytes: number; readonly row_count: number };
  }[];
  readonly query_metadata: { readonly total_content_length_in_bytes: number; readonly total_row_count: number };
}

const onDisk = (address: string): string => path.join(folder, address.replace('s3://', ''));
const readManifest = (address: string) => JSON.parse(readFileSync(onDisk(address), 'utf8')) as Manifest;

/** Exports a query and returns its files by the path in the manifest. */
async function exported(sql: string, options: string, on = timestream) {
  const { address, dir } = place();
  const [rows, metadata = '', manifest = ''] = cells(
    await query(`UNLOAD (${sql}) TO '${address}' WITH (${options})`, {}, on),
  );
  const content = readManifest(manifest);
  return { rows, metadata, manifest, dir, content, files: content.result_files.map(({ url }) => onDisk(url)) };
}

async function tableOf(records: Record_[], on = timestream): Promise<string> {
  const table = await makeTable(on);
  for (let i = 0; i < records.length; i += 100) await writeRecords(on, table, records.slice(i, i + 100));
  return table;
}

const multi = (
  device: string,
  values: Record<string, [type: 'DOUBLE' | 'BIGINT' | 'VARCHAR' | 'BOOLEAN' | 'TIMESTAMP', value: string]>,
  ns: bigint,
): Record_ => ({
  Dimensions: [{ Name: 'device', Value: device }],
  MeasureName: 'metrics',
  MeasureValueType: 'MULTI',
  MeasureValues: Object.entries(values).map(([Name, [Type, Value]]) => ({ Name, Type, Value })),
  Time: String(ns),
  TimeUnit: 'NANOSECONDS',
});

const START = BigInt(NOW) * 1_000_000n;
const numbers = (count: number): Record_[] =>
  Array.from({ length: count }, (_, n) => multi(`d${n % 7}`, { n: ['BIGINT', String(n)] }, START - BigInt(n)));

/** Reads a Parquet file with nanoseconds. */
async function parquetRows(file: string): Promise<Record<string, unknown>[]> {
  const bytes = readFileSync(file);
  const parsers = { timestampFromNanoseconds: (ns: bigint) => ns } as never;
  return await parquetReadObjects({
    file: new Uint8Array(bytes).buffer,
    parsers,
    compressors: { GZIP: (input) => gunzipSync(input) },
  });
}

async function duckdb(sql: string): Promise<readonly (readonly Json[])[]> {
  const connection = await (await DuckDBInstance.create()).connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowsJson();
  } finally {
    connection.closeSync();
  }
}

describe('the files of an export', () => {
  /** The real files of the service, and the names in them. */
  const real = (table: string) => {
    const dir = path.join(FIXTURES, table);
    const read = (kind: string) => {
      const name = readdirSync(dir).find((each) => each.endsWith(`_${kind}.json`)) ?? '';
      return { name, text: readFileSync(path.join(dir, name), 'utf8') };
    };
    return { manifest: read('manifest'), metadata: read('metadata') };
  };
  /** A manifest without the values that differ between two exports. */
  const form = (text: string): string =>
    text
      .replaceAll(
        /"url": "s3:\/\/[^"]*\/(results\/partition_date=25-11-28\/)[A-Z2-7]{63}_\d{10}_\w{16}\.parquet"/g,
        '"url": "$1"',
      )
      .replaceAll(/_bytes": \d+/g, '_bytes": 0');

  test('are those of a real export of a multi-measure table, to the byte but for random names and sizes', async () => {
    const table = await tableOf([
      multi(
        'd1',
        {
          timestamp_extra: ['TIMESTAMP', '1764288000000000001'],
          humidity_pct: ['BIGINT', '61'],
          temperature_c: ['DOUBLE', '21.5'],
          text: ['VARCHAR', 'é "quoted"'],
          ok: ['BOOLEAN', 'true'],
        },
        START,
      ),
    ]);
    const sql = `SELECT *, '25-11-28' AS partition_date FROM ${from(table)}`;
    const found = await exported(sql, "format = 'PARQUET', partitioned_by = ARRAY['partition_date']");
    const expected = real('EdgeCaseMultiMeasureTable');

    expect(form(readFileSync(onDisk(found.manifest), 'utf8'))).toBe(form(expected.manifest.text));
    expect(form(expected.manifest.text)).toContain('"url": "results/partition_date=25-11-28/"');
    expect(readFileSync(onDisk(found.metadata), 'utf8')).toBe(expected.metadata.text);
    const id = /^[A-Z2-7]{63}_\d{10}(?=_manifest\.json$)/;
    expect(expected.manifest.name).toMatch(id);
    const [name] = id.exec(path.basename(found.manifest)) ?? [];
    expect(files(found.dir)).toEqual([
      `${name}_manifest.json`,
      `${name}_metadata.json`,
      expect.stringMatching(new RegExp(`^results/partition_date=25-11-28/${name}_[A-Za-z0-9]{16}\\.parquet$`)),
    ]);
  });

  test('are those of a real export of a single-measure table', async () => {
    const one = ([type, value]: (typeof values)[number], n: number): Record_ => ({
      Dimensions: [{ Name: 'device', Value: 'd1' }],
      MeasureName: `m${n}`,
      MeasureValueType: type,
      MeasureValue: value,
      Time: String(NOW),
    });
    const values: readonly (readonly ['BIGINT' | 'DOUBLE' | 'VARCHAR' | 'BOOLEAN', string])[] = [
      ['BIGINT', '1'],
      ['DOUBLE', '0.5'],
      ['VARCHAR', 'a'],
      ['BOOLEAN', 'false'],
    ];
    const table = await tableOf(Array.from({ length: 9 }, (_, n) => one(values[n % 4] ?? ['BIGINT', '1'], n)));
    const sql = `SELECT *, '25-11-28' AS partition_date FROM ${from(table)}`;
    const found = await exported(sql, "format = 'PARQUET', partitioned_by = ARRAY['partition_date']");
    const expected = real('EdgeCaseSingleMeasureTable');

    expect(readFileSync(onDisk(found.metadata), 'utf8')).toBe(expected.metadata.text);
    expect(form(readFileSync(onDisk(found.manifest), 'utf8'))).toBe(form(expected.manifest.text));
  });

  test('have the sizes and row counts of the manifest, which are the rows of the response', async () => {
    const table = await tableOf(numbers(1_234));
    const {
      rows,
      content,
      files: paths,
    } = await exported(
      `SELECT time, n, device FROM ${from(table)}`,
      "format = 'PARQUET', partitioned_by = ARRAY['device']",
    );
    expect(rows).toBe('1234');
    expect(content.query_metadata.total_row_count).toBe(1_234);
    expect(paths).toHaveLength(7);
    for (const [i, { file_metadata }] of content.result_files.entries()) {
      const bytes = readFileSync(paths[i] ?? '');
      expect(bytes.length).toBe(file_metadata.content_length_in_bytes);
      expect(Number(parquetMetadata(new Uint8Array(bytes).buffer).num_rows)).toBe(file_metadata.row_count);
    }
    const sizes = content.result_files.map(({ file_metadata }) => file_metadata.content_length_in_bytes);
    expect(content.query_metadata.total_content_length_in_bytes).toBe(sizes.reduce((a, b) => a + b));
  });

  test('an empty result has no files, and a manifest with 0 rows', async () => {
    const table = await tableOf(numbers(1));
    const { rows, content, dir } = await exported(`SELECT * FROM ${from(table)} WHERE n > 1`, "format = 'PARQUET'");
    expect(rows).toBe('0');
    expect(content).toMatchObject({
      result_files: [],
      query_metadata: { total_row_count: 0, result_format: 'PARQUET' },
    });
    expect(files(dir)).toHaveLength(2);
  });
});

describe('Parquet', () => {
  test.each(['GZIP', 'NONE'])('has all values with their types, compression %s', async (compression) => {
    const texts = ['plain', 'a "b" \\ c', 'line\nbreak', '日本 é', ','];
    const table = await tableOf([
      ...texts.map((text, n) =>
        multi(
          `d${n}`,
          {
            't::x': ['VARCHAR', text],
            b: ['BIGINT', n % 2 === 0 ? '9223372036854775807' : '-9223372036854775808'],
            f: ['DOUBLE', ['0.1', '-1.5E300', '5E-324', '3', '-0.0'][n] ?? ''],
            ok: ['BOOLEAN', String(n % 2 === 0)],
            at: [
              'TIMESTAMP',
              String([1n, 86_399_999_999_999n, 1_764_288_000_123_456_789n, 86_400_000_000_000n, 0n][n]),
            ],
          },
          START - BigInt(n) * 3n,
        ),
      ),
      multi('nulls', { ok: ['BOOLEAN', 'true'] }, START),
    ]);
    const sql = `SELECT * FROM ${from(table)}`;
    const {
      rows,
      files: [file = ''],
    } = await exported(sql, `format = 'PARQUET', compression = '${compression}'`);
    expect(rows).toBe('6');
    expect(file).toMatch(/\.parquet$/);

    const footer = parquetMetadata(new Uint8Array(readFileSync(file)).buffer);
    expect(footer.schema.slice(1).map(({ name, type, repetition_type }) => [name, type, repetition_type])).toEqual([
      ['device', 'BYTE_ARRAY', 'OPTIONAL'],
      ['measure_name', 'BYTE_ARRAY', 'OPTIONAL'],
      ['time', 'INT96', 'OPTIONAL'],
      ['t::x', 'BYTE_ARRAY', 'OPTIONAL'],
      ['b', 'INT64', 'OPTIONAL'],
      ['f', 'DOUBLE', 'OPTIONAL'],
      ['ok', 'BOOLEAN', 'OPTIONAL'],
      ['at', 'INT96', 'OPTIONAL'],
    ]);
    const codecs = footer.row_groups.flatMap(({ columns }) => columns.map(({ meta_data }) => meta_data?.codec));
    expect(new Set(codecs)).toEqual(new Set([compression === 'GZIP' ? 'GZIP' : 'UNCOMPRESSED']));

    // The same values by a query, with times as nanoseconds.
    const stored = await select(
      timestream,
      `SELECT device, "t::x", b, f, ok, to_nanoseconds("at"), to_nanoseconds(time) FROM ${from(table)} ORDER BY device`,
    );
    const read = (await parquetRows(file)).sort((x, y) => (String(x.device) < String(y.device) ? -1 : 1));
    expect(
      read.map(({ device, 't::x': text, b, ok, at, time }) =>
        [device, text, b, ok, at, time].map((value) => value?.toString() ?? null),
      ),
    ).toEqual(stored.map(([device, text, b, , ok, at, time]) => [device, text, b, ok, at, time]));
    // Object.is distinguishes -0.
    expect(read.map(({ f }) => f)).toEqual([0.1, -1.5e300, 5e-324, 3, -0, undefined].map((f) => f ?? null));
    // Another reader, with the times that it can represent.
    const columns = 'device, "t::x", b, f, ok, epoch_us(time)';
    const byDuckDb = await duckdb(`SELECT ${columns} FROM read_parquet('${file}') ORDER BY device`);
    expect(byDuckDb.map(([device, text, b, , ok]) => [device, text, b, ok])).toEqual(
      stored.map(([device, text, b, , ok]) => [device, text, b, ok === null ? null : ok === 'true']),
    );
    expect(byDuckDb.map((row) => row[5])).toEqual(stored.map((row) => String(BigInt(row[6] ?? 0) / 1000n)));
  });

  test('has times before 1970 and at the ends of days', async () => {
    const times = [
      -1n,
      0n,
      -86_400_000_000_000n,
      -86_400_000_000_001n,
      86_399_999_999_999n,
      -9_000_000_000_000_000_001n,
    ];
    const table = await tableOf(numbers(times.length));
    const list = times.map((time, n) => `CASE WHEN n = ${n} THEN from_nanoseconds(${time}) END`).join(', ');
    const sql = `SELECT n, coalesce(${list}) AS at FROM ${from(table)} ORDER BY n`;
    const {
      files: [file = ''],
    } = await exported(sql, "format = 'PARQUET'");
    expect((await parquetRows(file)).map(({ at }) => at)).toEqual(times);
  });

  test('has columns of a SELECT with expressions, dates, integers and intervals', async () => {
    const table = await tableOf(numbers(3));
    const sql = `SELECT count(*) AS rows, sum(n), CAST('2024-02-29' AS DATE) AS day, year(TIMESTAMP '2024-03-01') AS y, 90s AS lag FROM ${from(table)}`;
    const {
      files: [file = ''],
      metadata,
    } = await exported(sql, "format = 'PARQUET'");
    expect(toJson(await parquetRows(file))).toEqual([
      { rows: 3, _col1: 3, day: '2024-02-29T00:00:00.000Z', y: 2024, lag: '0 00:01:30.000000000' },
    ]);
    const info = JSON.parse(readFileSync(onDisk(metadata), 'utf8')) as {
      ColumnInfo: { Type: { ScalarType: string } }[];
    };
    expect(info.ColumnInfo.map(({ Type }) => Type.ScalarType)).toEqual([
      'BIGINT',
      'BIGINT',
      'DATE',
      'BIGINT',
      'INTERVAL_DAY_TO_SECOND',
    ]);
  });
});

describe('CSV', () => {
  const text = (file: string): string => {
    const bytes = readFileSync(file);
    return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
  };
  const records = [
    multi('a,b', { v: ['DOUBLE', '21.5'], note: ['VARCHAR', 'Time"stream'] }, START),
    multi('c', { v: ['DOUBLE', '1E10'], note: ['VARCHAR', 'Time\\stream'] }, START - 1n),
    multi('d', { note: ['VARCHAR', 'two\nlines'] }, START - 2n),
    multi('e', { ok: ['BOOLEAN', 'true'] }, START - 3n),
  ];

  test('is the default, with GZIP: quotes and escapes as documented, times with nanoseconds, NULL as nothing', async () => {
    const table = await tableOf(records);
    const sql = `SELECT device, time, v, note, ok FROM ${from(table)} ORDER BY device`;
    const { address } = place();
    const [, , manifest = ''] = cells(await query(`UNLOAD (${sql}) TO '${address}'`));
    const [{ url } = { url: '' }] = readManifest(manifest).result_files;
    expect(url).toMatch(/\.gz$/);
    expect(text(onDisk(url))).toBe(
      [
        '"a,b",2024-03-01 12:00:00.000000000,21.5,Time\\"stream,',
        'c,2024-03-01 11:59:59.999999999,1.0E10,Time\\\\stream,',
        'd,2024-03-01 11:59:59.999999998,,"two\nlines",',
        'e,2024-03-01 11:59:59.999999997,,,true',
        '',
      ].join('\n'),
    );
  });

  test('takes a delimiter, an escape character and a header, uncompressed', async () => {
    const table = await tableOf(records);
    const sql = `SELECT device, note, v AS "a|b" FROM ${from(table)} ORDER BY device`;
    const {
      files: [file = ''],
    } = await exported(
      sql,
      "format = 'CSV', compression = 'NONE', field_delimiter = '|', escaped_by = '^', include_header = 'true'",
    );
    expect(file).toMatch(/\.csv$/);
    expect(text(file)).toBe('device|note|"a|b"\na,b|Time^"stream|21.5\nc|Time\\stream|1.0E10\nd|"two\nlines"|\ne||\n');
  });

  test('DuckDB reads back every value', async () => {
    const notes = ['x', '"', '\\', '\\"', 'a,b', ',"\\', 'line\nbreak', 'carriage\rreturn', ' spaces ', 'é'];
    const table = await tableOf(notes.map((note, n) => multi(`d${n}`, { note: ['VARCHAR', note] }, START)));
    const {
      files: [file = ''],
    } = await exported(`SELECT device, note FROM ${from(table)}`, "compression = 'NONE', escaped_by = '\"'");
    const read = `read_csv('${file}', header = false, columns = {'device': 'VARCHAR', 'note': 'VARCHAR'}, escape = '"', quote = '"', strict_mode = false)`;
    expect(await duckdb(`SELECT note FROM ${read} ORDER BY device`)).toEqual(notes.map((note) => [note]));
  });
});

describe('partitions', () => {
  test('keep spaces, escape the characters that Hive escapes, and name NULL as Hive does', async () => {
    const places = ['Social Media', 'a/b', 'c=d:e%', undefined];
    const table = await tableOf(
      places.map(
        (place, n) =>
          multi(
            `d${n}`,
            { n: ['BIGINT', '1'], ...(place !== undefined && { place: ['VARCHAR', place] as const }) },
            START,
          ) as Record_,
      ),
    );
    const { dir } = await exported(
      `SELECT n, device, place FROM ${from(table)}`,
      "partitioned_by = ARRAY['device', 'place']",
    );
    expect(files(path.join(dir, 'results')).map((file) => path.dirname(file))).toEqual([
      'device=d0/place=Social Media',
      'device=d1/place=a%2Fb',
      'device=d2/place=c%3Dd%3Ae%25',
      'device=d3/place=__HIVE_DEFAULT_PARTITION__',
    ]);
  });

  test.each([
    ['device', 'device, n', 'must name the last columns of the SELECT in their order: n'],
    ['device', 'n, device, time', 'must name the last columns of the SELECT in their order: time'],
    ['nope', 'n, device', 'names nope, which is not a column of the SELECT'],
    ['device', 'device', 'the SELECT needs a column that is not in partitioned_by'],
  ])('are refused: %s of SELECT %s', async (column, list, message) => {
    const table = await tableOf(numbers(1));
    const call = exported(`SELECT ${list} FROM ${from(table)}`, `partitioned_by = ARRAY['${column}']`);
    expect(await validationMessage(call)).toContain(message);
  });

  test('two columns must be in the order of the SELECT', async () => {
    const table = await tableOf(numbers(1));
    const call = exported(`SELECT time, device, n FROM ${from(table)}`, "partitioned_by = ARRAY['n', 'device']");
    expect(await validationMessage(call)).toContain('in their order: device, n');
  });

  test('of 100 values are accepted, of 101 the query fails, and leaves files without a manifest', async () => {
    const devices = Array.from({ length: 101 }, (_, n) =>
      multi(`d${n}`, { n: ['BIGINT', String(n)] }, START - BigInt(n)),
    );
    const table = await tableOf(devices);
    const sql = `SELECT n, device FROM ${from(table)}`;
    const { files: paths } = await exported(`${sql} WHERE n < 100`, "partitioned_by = ARRAY['device']");
    expect(paths).toHaveLength(100);
    const { address } = place();
    const message = await validationMessage(
      query(`UNLOAD (${sql}) TO '${address}' WITH (partitioned_by = ARRAY['device'])`),
    );
    expect(message).toContain('more than 100 partitions');
  });

  test('must have ASCII values', async () => {
    const table = await tableOf([multi('São Paulo', { n: ['BIGINT', '1'] }, START)]);
    const call = exported(`SELECT n, device FROM ${from(table)}`, "partitioned_by = ARRAY['device']");
    expect(await validationMessage(call)).toContain("'São Paulo' cannot be a partition");
  });
});

describe('polling', () => {
  /** A destination that holds back the first object until `release` is called. */
  function held() {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const disk = new FolderDestination(folder);
    const destination: UnloadDestination = {
      assertUsable: (bucket) => disk.assertUsable(bucket),
      create: async (bucket, key) => {
        await released;
        return await disk.create(bucket, key);
      },
    };
    return { release, destination };
  }

  test('returns no rows and a new token until the query has ended, with growing progress', async () => {
    const { destination, release } = held();
    const slow = await start({ destination, waitMs: 20 });
    try {
      const table = await tableOf(numbers(10), slow);
      const sql = `UNLOAD (SELECT * FROM ${from(table)}) TO '${place().address}' WITH (format = 'PARQUET')`;
      const first = await query(sql, {}, slow);
      expect(first.Rows).toEqual([]);
      expect(first.ColumnInfo?.map(({ Name }) => Name)).toEqual(['rows', 'metadataFile', 'manifestFile']);
      expect(first.QueryStatus?.ProgressPercentage).toBeLessThan(100);
      const second = await query(sql, { NextToken: first.NextToken }, slow);
      expect(second.NextToken).not.toBe(first.NextToken);
      expect(second.QueryId).toBe(first.QueryId);
      expect(second.QueryStatus?.ProgressPercentage).toBeGreaterThanOrEqual(
        first.QueryStatus?.ProgressPercentage ?? 100,
      );
      release();
      let last = second;
      while (last.NextToken !== undefined) last = await query(sql, { NextToken: last.NextToken }, slow);
      expect(cells(last)[0]).toBe('10');
      expect(last.QueryStatus?.ProgressPercentage).toBe(100);
      expect(cells(last)[2]).toMatch(new RegExp(`/${last.QueryId}_\\d{10}_manifest\\.json$`));
      expect(files(onDisk(cells(last)[2] ?? '').replace(/\/[^/]*$/, ''))).toHaveLength(3);
    } finally {
      await slow.close();
    }
  });

  test('needs the identical QueryString and the newest token, which is valid five times', async () => {
    const { destination, release } = held();
    const slow = await start({ destination, waitMs: 5 });
    try {
      const table = await tableOf(numbers(1), slow);
      const sql = `UNLOAD (SELECT * FROM ${from(table)}) TO '${place().address}'`;
      const { NextToken: one } = await query(sql, {}, slow);
      const refused = 'Invalid pagination token';
      expect(await validationMessage(query(`${sql} `, { NextToken: one }, slow))).toBe(refused);
      expect(await validationMessage(query(sql, { NextToken: 'token' }, slow))).toBe(refused);
      const { NextToken: two } = await query(sql, { NextToken: one }, slow);
      for (let use = 0; use < 5; use++) await query(sql, { NextToken: two }, slow);
      expect(await validationMessage(query(sql, { NextToken: one }, slow))).toBe(refused);
      expect(await validationMessage(query(sql, { NextToken: two }, slow))).toBe(refused);
      release();
    } finally {
      await slow.close();
    }
  });

  test('a repeated ClientToken is the same query for five minutes, after four hours a new one', async () => {
    let now = NOW;
    const clocked = await start({}, () => now);
    try {
      const table = await tableOf(numbers(1), clocked);
      const { address, dir } = place();
      const sql = `UNLOAD (SELECT * FROM ${from(table)}) TO '${address}'`;
      const ClientToken = 'a-client-token-of-32-characters-';
      const first = await query(sql, { ClientToken }, clocked);
      now += 4 * 60_000;
      const repeated = await query(sql, { ClientToken }, clocked);
      expect([repeated.QueryId, cells(repeated)]).toEqual([first.QueryId, cells(first)]);
      expect(files(dir)).toHaveLength(3);
      const other = query(`${sql} WITH (format = 'PARQUET')`, { ClientToken }, clocked);
      expect(await validationMessage(other)).toContain('another QueryString');
      now += 2 * 60_000;
      expect(await validationMessage(query(sql, { ClientToken }, clocked))).toContain('older than five minutes');
      now += 4 * 3_600_000;
      expect((await query(sql, { ClientToken }, clocked)).QueryId).not.toBe(first.QueryId);
      expect((await query(sql, {}, clocked)).QueryId).not.toBe(first.QueryId);
    } finally {
      await clocked.close();
    }
  });

  test('CancelQuery ends a query, which writes no manifest and cannot be polled', async () => {
    const { destination, release } = held();
    const slow = await start({ destination, waitMs: 5 });
    try {
      const table = await tableOf(numbers(10), slow);
      const { address, dir } = place();
      const sql = `UNLOAD (SELECT * FROM ${from(table)}) TO '${address}'`;
      const { QueryId, NextToken } = await query(sql, {}, slow);
      const cancel = () => slow.query.send(new CancelQueryCommand({ QueryId }));
      expect((await cancel()).CancellationMessage).toBe('The query was cancelled.');
      release();
      let token = NextToken;
      const poll = async () => {
        while (token !== undefined) ({ NextToken: token } = await query(sql, { NextToken: token }, slow));
      };
      await expect(poll()).rejects.toMatchObject({ name: 'ConflictException' });
      expect((await cancel()).CancellationMessage).toBe('The query had ended already.');
      expect(files(dir).filter((file) => file.endsWith('.json'))).toEqual([]);
    } finally {
      await slow.close();
    }
  });

  test('closing the server ends a query that has hours of work left', async () => {
    const busy = await start({ waitMs: 5 });
    const table = await tableOf(numbers(3_000), busy);
    const [name, address] = [from(table), place().address];
    const sql = `UNLOAD (SELECT a.n, b.n AS m, c.n AS o FROM ${name} a, ${name} b, ${name} c) TO '${address}'`;
    expect((await query(sql, {}, busy)).Rows).toEqual([]);
    await busy.close();
  });
});

describe('limits', () => {
  test('a second UNLOAD within a second is throttled, a poll and other statements are not', async () => {
    const limited = await start({ intervalMs: 60_000 });
    try {
      const table = await tableOf(numbers(1), limited);
      const sql = (dir: string) => `UNLOAD (SELECT * FROM ${from(table)}) TO 's3://bucket-1/throttled/${dir}'`;
      const ClientToken = 'another-token-of-32-characters--';
      const first = await query(sql('a'), { ClientToken }, limited);
      await expect(query(sql('b'), {}, limited)).rejects.toMatchObject({ name: 'ThrottlingException' });
      expect((await query(sql('a'), { ClientToken }, limited)).QueryId).toBe(first.QueryId);
      expect(await select(limited, `SELECT n FROM ${from(table)}`)).toEqual([['0']]);
    } finally {
      await limited.close();
    }
  });

  test('a query that is too large fails, leaves its files and no manifest; halves succeed', async () => {
    const small = await start({ maxRows: 3_000 });
    try {
      const table = await tableOf(numbers(4_000), small);
      const sql = (where: string, address: string) =>
        `UNLOAD (SELECT * FROM ${from(table)} WHERE ${where}) TO '${address}' WITH (format = 'PARQUET')`;
      const { address, dir } = place();
      const message = await validationMessage(query(sql('n >= 0', address), {}, small));
      expect(message).toBe('Query computation exceeds maximum available memory');
      expect(files(dir)).toEqual([expect.stringMatching(/^results\/\w+\.parquet$/)]);
      const halves = [
        await query(sql('n < 2000', address), {}, small),
        await query(sql('n >= 2000', address), {}, small),
      ];
      expect(halves.map((half) => cells(half)[0])).toEqual(['2000', '2000']);
      expect(files(dir)).toHaveLength(7);
    } finally {
      await small.close();
    }
  });

  test('a query whose third file cannot be written fails with the reason, completes the others and writes no manifest', async () => {
    const disk = new FolderDestination(folder);
    let created = 0;
    const destination: UnloadDestination = {
      assertUsable: (bucket) => disk.assertUsable(bucket),
      create: async (bucket, key) => {
        const object = await disk.create(bucket, key);
        created += 1;
        if (created !== 3) return object;
        return { ...object, write: () => Promise.reject(new ServiceError('ValidationException', 'the disk is full')) };
      },
    };
    const failing = await start({ destination });
    try {
      const table = await tableOf(numbers(700), failing);
      const { address, dir } = place();
      const sql = `SELECT n, device FROM ${from(table)}`;
      const call = query(
        `UNLOAD (${sql}) TO '${address}' WITH (format = 'PARQUET', partitioned_by = ARRAY['device'])`,
        {},
        failing,
      );
      expect(await validationMessage(call)).toBe('the disk is full');
      const left = files(dir);
      expect(left.filter((file) => file.endsWith('.json'))).toEqual([]);
      const readable = await Promise.allSettled(left.map((file) => parquetRows(path.join(dir, file))));
      expect(readable.map(({ status }) => status).sort()).toEqual([...new Array(6).fill('fulfilled'), 'rejected']);
    } finally {
      await failing.close();
    }
  });

  test('max_file_size splits the files', async () => {
    const text = (n: number) =>
      Array.from({ length: 150 }, (_, i) =>
        Math.sin(n * 151 + i)
          .toString(36)
          .slice(3, 13),
      ).join('');
    const records = Array.from({ length: 500 }, (_, n) =>
      multi('d', { note: ['VARCHAR', text(n)] }, START - BigInt(n)),
    );
    const table = await tableOf(records);
    // 80 different copies of each row make 60 MB.
    const copies = `(SELECT row_number() OVER () AS copy FROM ${from(table)} LIMIT 80)`;
    const sql = `SELECT concat(CAST(copy AS VARCHAR), note) AS note FROM ${from(table)} CROSS JOIN ${copies}`;
    for (const format of ['CSV', 'PARQUET']) {
      const {
        rows,
        content,
        files: paths,
      } = await exported(sql, `format = '${format}', compression = 'NONE', max_file_size = '16MB'`);
      expect(rows).toBe('40000');
      const sizes = paths.map((file) => statSync(file).size);
      expect(sizes.length).toBeGreaterThan(2);
      expect(Math.max(...sizes)).toBeLessThan(17 * 2 ** 20);
      expect(content.result_files.map(({ file_metadata }) => file_metadata.content_length_in_bytes)).toEqual(sizes);
      expect(content.query_metadata.total_row_count).toBe(40_000);
    }
  });
});

describe('refused statements', () => {
  test.each([
    [
      'a table that does not exist',
      `SELECT * FROM "influxdb-line-protocol"."nope"`,
      "format = 'CSV'",
      'does not exist',
    ],
    ['a column that does not exist', 'SELECT nope FROM TABLE', "format = 'CSV'", 'The column nope does not exist'],
    ['a column twice', 'SELECT n, n FROM TABLE', "format = 'CSV'", 'has the column n twice'],
    ['a value of type TIME', "SELECT n, TIME '12:00:00' AS t FROM TABLE", "format = 'CSV'", 'cannot be exported'],
    ['no SELECT', 'SHOW DATABASES', "format = 'CSV'", 'must contain a SELECT'],
  ])('%s', async (_, sql, options, message) => {
    const table = await tableOf(numbers(1));
    expect(await validationMessage(exported(sql.replace('TABLE', from(table)), options))).toContain(message);
  });

  test('without a place for the files', async () => {
    const without = await startHarness();
    try {
      const call = query("UNLOAD (SELECT 1) TO 's3://bucket/folder'", {}, without);
      expect(await validationMessage(call)).toContain('--export-dir');
    } finally {
      await without.close();
    }
  });

  test('a folder that cannot be written to', async () => {
    const blocked = await start({ destination: new FolderDestination('/dev/null/exports') });
    try {
      const call = query("UNLOAD (SELECT 1 AS x) TO 's3://bucket/folder'", {}, blocked);
      expect(await validationMessage(call)).toContain('UNLOAD cannot write to /dev/null/exports/bucket');
    } finally {
      await blocked.close();
    }
  });
});

test('an export does not see records that are written while it runs', async () => {
  const table = await tableOf(numbers(2_000));
  const running = exported(`SELECT * FROM ${from(table)}`, "format = 'PARQUET'");
  await writeRecords(timestream, table, [record({ Time: String(NOW - 1) })]);
  const { rows, content } = await running;
  expect(Number(rows)).toBe(content.result_files.reduce((sum, { file_metadata }) => sum + file_metadata.row_count, 0));
});
