/** Compares each value in a real InfluxDB after a load with the value that DuckDB reads from the same Parquet file. */

import { BUCKET, describeWithInfluxd, Influxd, STARTING_MS } from '../../support/influxd';
import { configOf, DATA, duckdb, fixtureBytes, load, parquetOf, testStore } from '../../support/loader';
import { fixture, testReader } from '../../support/parquet';

/** Timeout, ms: Flux is slow with many series on a busy machine. */
const READING_MS = 60_000;

const reader = testReader();
const s3 = testStore();

describeWithInfluxd('a load into a real InfluxDB', (binary) => {
  let influxd: Influxd;
  beforeAll(async () => {
    influxd = await Influxd.start(binary);
  }, STARTING_MS);
  afterAll(() => influxd.remove());

  const run = (input: object, environment: Record<string, string> = {}) =>
    load(input, { objects: s3.objects, reader }, configOf(influxd.url, environment), {
      plan: { targets: { bytes: 1, rows: 1 } },
    });

  /** The fields of every point of a measurement, one row for each point and field. */
  const stored = (bucket: string, measurement: string) =>
    influxd.query(`import "types"
      from(bucket: "${bucket}") |> range(start: 1970-01-01T00:00:00Z, stop: 2100-01-01T00:00:00Z)
        |> filter(fn: (r) => r._measurement == "${measurement}")
        |> map(fn: (r) => ({r with time: int(v: r._time), _value: string(v: r._value)})) |> group()`);

  test(
    'stores every row with its exact time, tags and values',
    async () => {
      await influxd.makeBucket('values');
      s3.store.put(DATA, 'generation/a.parquet', fixtureBytes('codec-snappy'));
      const summary = await run({ bucket: DATA, prefix: 'generation/' }, { INFLUXDB_BUCKET: 'values' });
      expect(summary).toMatchObject({ statusCode: 200, points_written: 300 });

      const rows =
        await duckdb(`SELECT epoch_ns("timestamp")::VARCHAR AS time, region, plant_name, "value", capacity_mw, quality_flag
      FROM '${fixture('codec-snappy')}' ORDER BY "timestamp"`);
      const expected = rows.flatMap(({ time, region, plant_name, value, capacity_mw, quality_flag }) => {
        const point = { time, region, plant_name: plant_name ?? '' };
        const fields: [string, unknown][] = [
          ['power_mw', value],
          ['unit', 'MW'],
          ['quality_flag', quality_flag],
          ['capacity_mw', capacity_mw],
        ];
        return fields.filter(([, field]) => field !== null).map(([name, field]) => ({ ...point, name, value: field }));
      });
      const found = (await stored('values', 'generation_data')).map(
        ({ time, region, plant_name, _field: name, _value }) => ({
          ...{ time, region, plant_name: plant_name ?? '', name },
          value: name === 'power_mw' || name === 'capacity_mw' ? Number(_value) : _value,
        }),
      );
      const order = (list: object[]) => list.map((entry) => JSON.stringify(entry)).sort();
      expect(found).toHaveLength(expected.length);
      expect(order(found)).toEqual(order(expected));
    },
    READING_MS,
  );

  test(
    'keeps nanoseconds, every digit of a double, and texts with any characters',
    async () => {
      await influxd.makeBucket('exact');
      const select = `
      SELECT make_timestamp_ns(1704067200000000000 + i) AS "timestamp", 'norte' AS region, 'x' AS unit, 'solar' AS energy_source,
        'generation' AS measurement_type, 'UHE, "A"=' || chr(92) || ' é ' || i AS plant_name, 'a "b" ' || chr(92) || ' c' || i AS quality_flag,
        (0.1 + i / 3.0)::DOUBLE AS "value"
      FROM range(300) AS r(i)`;
      s3.store.put(DATA, 'generation/exact.parquet', await parquetOf(select));
      expect(await run({ bucket: DATA, key: 'generation/exact.parquet' }, { INFLUXDB_BUCKET: 'exact' })).toMatchObject({
        points_written: 300,
      });
      const rows = await duckdb(
        `SELECT epoch_ns("timestamp")::VARCHAR AS time, plant_name, quality_flag, "value" FROM (${select})`,
      );
      const found = await stored('exact', 'generation_data');
      const valuesOf = (field: string) =>
        new Map(found.filter(({ _field }) => _field === field).map(({ time, _value }) => [time, _value]));
      const [numbers, flags, names] = [
        valuesOf('value'),
        valuesOf('quality_flag'),
        new Map(found.map(({ time, plant_name }) => [time, plant_name])),
      ];
      for (const { time, plant_name, quality_flag, value } of rows) {
        expect([Number(numbers.get(String(time))), flags.get(String(time)), names.get(String(time))]).toEqual([
          value,
          quality_flag,
          plant_name,
        ]);
      }
      expect(numbers.size).toBe(300);
    },
    READING_MS,
  );

  test('stores nothing twice when a load is repeated', async () => {
    await influxd.makeBucket('twice');
    s3.store.put(DATA, 'generation/a.parquet', fixtureBytes('codec-snappy'));
    for (let time = 0; time < 2; time++)
      await run({ bucket: DATA, key: 'generation/a.parquet' }, { INFLUXDB_BUCKET: 'twice' });
    expect(await influxd.count('power_mw', 'twice')).toBe(300);
  });

  test('reports rejected points: a type conflict, and points outside the retention', async () => {
    await influxd.makeBucket('conflict');
    await influxd.makeBucket('short', 3600);
    const line =
      'generation_data,energy_source=solar,measurement_type=generation,region=norte power_mw="text" 1704067200000000000';
    const headers = { authorization: 'Token test-token' };
    await fetch(`${influxd.url}/api/v2/write?org=ons-energy&bucket=conflict`, { method: 'POST', headers, body: line });
    // All points are in the shard of the point above, because each shard has its own field types.
    const select = `
      SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 SECOND * i AS "timestamp", 'norte' AS region, i::DOUBLE AS "value", 'MW' AS unit,
        'solar' AS energy_source, 'generation' AS measurement_type
      FROM range(100) AS r(i)`;
    s3.store.put(DATA, 'generation/a.parquet', await parquetOf(select));
    const conflict = await run({ bucket: DATA, key: 'generation/a.parquet' }, { INFLUXDB_BUCKET: 'conflict' });
    expect(conflict).toMatchObject({ statusCode: 500, points_written: 0, withinTolerance: false });
    expect(conflict.causes[0]).toMatchObject({
      error: 'InfluxDBWriteError',
      cause: expect.stringContaining('type conflict'),
    });
    const short = await run({ bucket: DATA, key: 'generation/a.parquet' }, { INFLUXDB_BUCKET: 'short' });
    expect(short.causes[0]?.cause).toMatch(/retention/);
  });

  test.each([
    ['a wrong token', { INFLUXDB_TOKEN: 'wrong' }, /401/],
    ['an unknown bucket', { INFLUXDB_BUCKET: 'nowhere' }, /404/],
  ])('ends without retries with %s', async (_, environment, cause) => {
    s3.store.put(DATA, 'generation/a.parquet', fixtureBytes('codec-snappy'));
    const summary = await run({ bucket: DATA, key: 'generation/a.parquet' }, environment as Record<string, string>);
    expect(summary).toMatchObject({ statusCode: 500, points_written: 0 });
    expect(summary.causes[0]?.cause).toMatch(cause);
    expect(await influxd.count('power_mw', BUCKET)).toBe(0);
  });
});
