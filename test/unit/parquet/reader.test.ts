/** The ways in which Parquet files are written, and what a run of row groups is. */
import { readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { ParquetReader } from 'shared/parquet/reader';
import { openFile } from 'shared/parquet/source';
import { parquetOf } from '../../support/loader';
import {
  collect,
  collectFixture,
  fixture,
  generation,
  memorySource,
  testReader,
  workerFile,
} from '../../support/parquet';

const reader = testReader();

/** The lines of a generation file, put together in SQL by DuckDB. */
async function linesByDuckDb(name: string): Promise<string[]> {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  const escaped = (column: string) => `replace(replace(replace(${column}, ',', '\\,'), '=', '\\='), ' ', '\\ ')`;
  const result = await connection.runAndReadAll(`
    SELECT 'generation_data,energy_source=solar,measurement_type=generation'
      || coalesce(',plant_name=' || ${escaped('plant_name')}, '') || ',region=' || region
      || ' unit="MW",quality_flag="' || replace(replace(quality_flag, '\\', '\\\\'), '"', '\\"') || '",power_mw=' || "value"
      || coalesce(',capacity_mw=' || regexp_replace(capacity_mw::VARCHAR, '\\.0$', ''), '')
      || ' ' || epoch_ns("timestamp") AS line
    FROM '${fixture(name)}'`);
  connection.closeSync();
  return result.getRows().map(([line]) => String(line));
}

describe.each([
  ...['none', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4'].map((codec) => `codec-${codec}`),
  ...['format-1.0', 'page-v2', 'no-dictionary', 'delta', 'large-and-dictionary'],
])('a file as %s', (name) => {
  test('gives the lines that DuckDB reads from it', async () => {
    const { lines, report } = await collectFixture(reader, name);
    expect(lines).toEqual(await linesByDuckDb(name));
    expect(report).toMatchObject({ rows: 300, points: 300, invalid: [] });
    expect(report.bytes).toBe(lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0));
  });
});

describe('a run of row groups', () => {
  test('gives its rows, with their numbers in the file', async () => {
    const whole = await collectFixture(reader, 'codec-snappy');
    const run = { firstRowGroup: 1, rowGroups: 2 };
    const part = await collectFixture(reader, 'codec-snappy', generation, { run });
    expect(part.lines).toEqual(whole.lines.slice(100));
    const bad = await collectFixture(reader, 'transmission-kv-last', generation, { run });
    expect(bad.report.invalid[0]?.examples.map(({ row }) => row)).toEqual([1, 2]);
  });

  test('opens a file in one request, and requests no byte twice', async () => {
    const file = await openFile(fixture('codec-none'));
    const requests: number[] = [];
    const source = {
      ...file,
      readRange(start: number, end: number) {
        requests.push(end - start);
        return file.readRange(start, end);
      },
    };
    const metadata = await reader.inspect(source);
    expect(requests).toHaveLength(1);
    await collect(reader, source, generation, { run: { firstRowGroup: 2, rowGroups: 1 } });
    // The end of the file once more, which is all of so small a file.
    expect(requests).toHaveLength(2);
    expect(metadata).toMatchObject({ rows: 300, rowGroups: [{ rows: 100 }, { rows: 100 }, { rows: 100 }] });
    expect(metadata.columns.map(({ name, type }) => [name, type]).slice(0, 3)).toEqual([
      ['timestamp', { kind: 'timestamp', unit: 'us', isInstant: false }],
      ['region', { kind: 'text' }],
      ['value', { kind: 'float', bits: 64 }],
    ]);
    await file.close();
  });
});

describe('batches', () => {
  test('stay within the limits of lines and bytes', async () => {
    const { batches, lines } = await collectFixture(reader, 'codec-snappy', generation, {
      limits: { lines: 7, bytes: 1200 },
    });
    expect(batches.every((batch) => batch.lines <= 7 && batch.bytes.length <= 1200)).toBe(true);
    expect(batches.reduce((sum, batch) => sum + batch.lines, 0)).toBe(lines.length);
    expect(batches.every(({ bytes }) => bytes.at(-1) === 10)).toBe(true);
  });

  test('wait for their consumer', async () => {
    const file = await openFile(fixture('codec-snappy'));
    const stream = reader.readPoints(file, generation, {
      limits: { lines: 1, bytes: 1000 },
      dropInvalid: true,
      validateSchema: true,
    });
    expect(() => stream.report()).toThrow('the report is available after the last batch');
    for await (const _ of stream) break; // ends the worker; the next read starts another
    await file.close();
    expect((await collectFixture(reader, 'codec-snappy')).lines).toHaveLength(300);
  });
});

describe('invalid rows', () => {
  test('fail the run before its first batch if they may not be dropped', async () => {
    const batches: unknown[] = [];
    const file = await openFile(fixture('value-bad'));
    const stream = reader.readPoints(file, generation, {
      limits: { lines: 1, bytes: 1000 },
      dropInvalid: false,
      validateSchema: true,
    });
    const consume = async () => {
      for await (const batch of stream) batches.push(batch);
    };
    await expect(consume()).rejects.toMatchObject({
      name: 'DataConversionError',
      object: fixture('value-bad'),
      message: expect.stringContaining('1 row with value nan (row 2: "NaN")'),
      invalid: [{ reason: 'missing' }, { reason: 'nan' }, { reason: 'infinite', count: 2 }],
    });
    expect(batches).toEqual([]);
    await file.close();
  });

  test('are passed to the sink with all their values', async () => {
    const rejected: unknown[] = [];
    const rejects = { isFull: false, add: (row: unknown) => rejected.push(row), omit: () => undefined };
    await collectFixture(reader, 'value-bad', generation, { rejects });
    expect(rejected).toHaveLength(4);
    expect(rejected[1]).toMatchObject({
      row: 2,
      reason: 'nan',
      column: 'value',
      value: 'NaN',
      values: { region: 'norte', unit: 'MW', value: 'NaN' },
    });
  });

  test.each([true, false])('are only counted once the sink is full (dropInvalid: %s)', async (dropInvalid) => {
    const rows = 200_000;
    const bytes = await parquetOf(`SELECT TIMESTAMP '2024-01-01' AS "timestamp", 'norte' AS region, 'MW' AS unit,
      'solar' AS energy_source, 'g' AS measurement_type, 'nan'::DOUBLE AS "value" FROM range(${rows})`);
    const counts = { added: 0, omitted: 0 };
    const rejects = {
      get isFull() {
        return counts.added >= 10_000;
      },
      add() {
        counts.added++;
      },
      omit(more: number) {
        counts.omitted += more;
      },
    };
    const reading = collect(reader, memorySource(bytes), generation, { rejects, dropInvalid });
    if (dropInvalid) expect((await reading).report.invalid).toMatchObject([{ reason: 'nan', count: rows }]);
    else await expect(reading).rejects.toMatchObject({ invalid: [{ reason: 'nan', count: rows }] });
    expect(counts.added + counts.omitted).toBe(rows);
    // The worker is at most a few record batches ahead.
    expect(counts.added).toBeLessThan(10_000 + 8 * 8_192);
  });
});

describe('the schema', () => {
  const strict = { validateSchema: true };

  test('fails the load if a required column is missing or of a wrong type', async () => {
    await expect(collectFixture(reader, 'missing-column', generation, strict)).rejects.toThrow(
      'column value is missing',
    );
    await expect(collectFixture(reader, 'value-list', generation, strict)).rejects.toThrow(
      'column value is a LIST: only flat columns can be used',
    );
  });

  test('makes every row invalid if it is not validated', async () => {
    const { report } = await collectFixture(reader, 'missing-column');
    expect(report).toMatchObject({ rows: 3, points: 0, invalid: [{ reason: 'missing', column: 'value', count: 3 }] });
    const list = await collectFixture(reader, 'value-list');
    expect(list.report.invalid).toMatchObject([{ reason: 'unreadable', column: 'value', count: 2 }]);
  });

  test.each([
    ['null-column', 'energy_source'],
    ['null-type', 'region'],
  ])('reports the column without values in %s, for the file and for a run', async (name, column) => {
    const file = await openFile(fixture(name));
    expect((await reader.survey(file, generation)).whollyNull).toEqual([column]);
    await file.close();
    const { report } = await collectFixture(reader, name);
    expect(['region', 'energy_source'].filter((name) => !report.present[name])).toEqual([column]);
    expect(report.invalid).toMatchObject([{ reason: 'missing', column, count: 3 }]);
  });

  test('accepts a file without rows', async () => {
    const { lines, report } = await collectFixture(reader, 'zero-rows', generation, strict);
    expect(lines).toEqual([]);
    expect(report).toMatchObject({ rows: 0, points: 0, invalid: [] });
    const file = await openFile(fixture('zero-rows'));
    expect(await reader.survey(file, generation)).toEqual({ taken: [], whollyNull: [] });
    await file.close();
  });
});

test('fails running jobs when it is closed', async () => {
  const closing = new ParquetReader({ workerFile });
  const reading = collect(closing, { ...memorySource(new Uint8Array(70_000)), readRange: endOfFileOnly });
  await expect(reading).rejects.toThrow('the Parquet worker ended while it read');

  /** Answers for the end of the file, and closes the reader instead of answering for anything else. */
  async function endOfFileOnly(start: number, end: number): Promise<Uint8Array> {
    const whole = readFileSync(fixture('codec-none'));
    if (end === 70_000) return Buffer.concat([new Uint8Array(end - start), whole]).subarray(-(end - start));
    await closing.close();
    return new Promise(() => undefined);
  }
});

test('reports a failed range as the error of its source', async () => {
  const failure = new Error('connection reset');
  const source = { ...memorySource(new Uint8Array(100)), readRange: () => Promise.reject(failure) };
  await expect(collect(reader, source)).rejects.toBe(failure);
});
