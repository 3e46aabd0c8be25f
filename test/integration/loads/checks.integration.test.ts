/** The checks of `load` and `load --dry-run` with a real InfluxDB 2: what they announce is what InfluxDB then does. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Summary } from 'shared/loads/summary';
import type { Checks } from '../../../local/loader/checks';
import { bundleProgram, type Ended, runProgram } from '../../contract/cli/program';
import { BUCKET, describeWithInfluxd, Influxd, STARTING_MS } from '../../support/influxd';
import { duckdb } from '../../support/loader';

const DAY = 86_400;

describeWithInfluxd('the checks of a load', (binary) => {
  let influxd: Influxd;
  const folder = mkdtempSync(join(tmpdir(), 'load-checks-'));
  const file = (name: string): string => join(folder, `${name}.parquet`);

  beforeAll(async () => {
    influxd = await Influxd.start(binary);
    bundleProgram();
  }, STARTING_MS);
  afterAll(async () => {
    await influxd.remove();
    rmSync(folder, { recursive: true });
  });

  const mappingOf = (measurement: string) =>
    JSON.stringify({
      ...{ name: 'plant', measurement, time: { column: 't' }, tags: { required: ['host'], optional: ['region'] } },
      fields: ['a', 'b', 'c'].map((column) => ({ column, type: 'number' })),
    });

  function load(name: string, measurement: string, ...options: string[]): Promise<Ended> {
    const target = ['--url', influxd.url, '--token', 'test-token', '--mapping', mappingOf(measurement)];
    return runProgram(['load', file(name), ...target, ...options], { cwd: folder });
  }
  const json = ({ out }: Ended) => JSON.parse(out) as Summary & { checks: Checks };

  /** 4,000 rows of 2,000 hosts: `b` of every second host, and `c` of none. */
  const write = (name: string, time: string) =>
    duckdb(`COPY (SELECT ${time} AS t, 'host ' || i % 2000 AS host, ['north', 'south'][1 + i % 2] AS region, i::DOUBLE AS a,
      CASE WHEN i % 2 = 0 THEN i::DOUBLE END AS b, NULL::DOUBLE AS c FROM range(4000) AS r(i)) TO '${file(name)}' (FORMAT PARQUET)`);

  test(
    'estimates the series that InfluxDB then counts',
    async () => {
      await write('series', `TIMESTAMP '2024-01-01' + INTERVAL 1 SECOND * (i // 2000)`);
      const planned = json(await load('series', 'counted', '--dry-run', '--json')).checks;
      const { checks, ...summary } = json(await load('series', 'counted', '--json'));
      expect(checks).toEqual(planned);
      expect(summary).toMatchObject({ earliest: '1704067200000000000', latest: '1704067201000000000' });

      const range = 'start: 2024-01-01T00:00:00Z, stop: 2025-01-01T00:00:00Z';
      const [series] = await influxd.query(
        `import "influxdata/influxdb"\ninfluxdb.cardinality(bucket: "${BUCKET}", ${range}, predicate: (r) => r._measurement == "counted")`,
      );
      const fields = await influxd.query(
        `from(bucket: "${BUCKET}") |> range(${range}) |> filter(fn: (r) => r._measurement == "counted") |> first() |> group() |> count()`,
      );
      expect([Number(series?._value), Number(fields[0]?._value)]).toEqual([2_000, 3_000]);
      const [found] = checks.series;
      // Five times the standard error.
      expect(Math.abs((found?.series ?? 0) / 2_000 - 1)).toBeLessThan(0.04);
      expect(Math.abs((found?.fieldSeries ?? 0) / 3_000 - 1)).toBeLessThan(0.04);
      expect(checks.tags.map(({ tag }) => tag)).toEqual(['host', 'region']);
    },
    STARTING_MS,
  );

  test(
    'names a field that is stored with another type, before the first point is written',
    async () => {
      await write('types', `TIMESTAMP '2024-01-01' + INTERVAL 1 SECOND * i`);
      await influxd.write(`conflicting b=1i 1704067200000000000`);
      const warning =
        'b of conflicting is stored as integer and would be written as float: InfluxDB refuses these points';
      const dry = await load('types', 'conflicting', '--dry-run');
      expect(dry).toMatchObject({
        code: 1,
        out: expect.stringContaining(warning),
        err: expect.not.stringContaining('b of'),
      });

      const { out, err } = await load('types', 'conflicting');
      expect(dry.out).toContain('The load would fail: InfluxDB refuses points because of the type of b of conflicting');
      expect(err).toContain(`warning: ${warning}`);
      expect(out).toContain('2,000 points refused by InfluxDB');
    },
    STARTING_MS,
  );

  test(
    'counts the points that InfluxDB refuses because of the retention',
    async () => {
      await influxd.makeBucket('week', 7 * DAY);
      await write(
        'old',
        `(now() AT TIME ZONE 'UTC')::TIMESTAMP - INTERVAL 1 HOUR * (i // 10 + CASE WHEN i < 1000 THEN 0 ELSE 240 END)`,
      );
      const options = ['--bucket', 'week'];
      const dry = await load('old', 'old', ...options, '--dry-run');
      expect(dry.code).toBe(0);
      const [, announced] =
        /([\d,]+) points are older than the retention of bucket week \(7 days\), so InfluxDB would refuse or soon delete them/.exec(
          dry.out,
        ) ?? [];

      const ended = await load('old', 'old', ...options, '--json');
      const { checks, rejected_points: refused } = json(ended);
      expect(ended.err).toContain('Bucket week keeps points for 7 days: InfluxDB refuses older points');
      // 1,000 points are of the last 100 hours. The others are at least 14 days old: in no shard group, of one day each, with them.
      expect(refused).toBe(checks.outsideRetention);
      expect(announced?.replace(',', '')).toBe(String(refused));
      expect(refused).toBe(3_000);
    },
    STARTING_MS,
  );

  test(
    'a dry run fails if the bucket does not exist or the token is refused',
    async () => {
      await write('refused', `TIMESTAMP '2024-01-01' + INTERVAL 1 SECOND * i`);
      const missing = await load('refused', 'refused', '--dry-run', '--bucket', 'missing');
      expect(missing).toMatchObject({
        code: 1,
        out: expect.stringMatching(/^The load would fail: .*"missing" not found/m),
      });
      const unknown = await load('refused', 'refused', '--dry-run', '--token', 'unknown');
      expect(unknown).toMatchObject({ code: 1, out: expect.stringMatching(/^The load would fail: .*unauthorized/m) });
    },
    STARTING_MS,
  );

  test(
    'loads with a token that may only write, and says once that it does not check',
    async () => {
      await write('blind', `TIMESTAMP '2024-01-01' + INTERVAL 1 SECOND * i`);
      const ended = await load('blind', 'blind', '--token', await influxd.makeToken('write'));
      expect(ended).toMatchObject({ code: 0, out: expect.stringContaining('Stored 4,000 points of 4,000 rows') });
      expect(ended.err.split('was not read, so types and retention are not checked')).toHaveLength(2);
      expect(ended.err).toContain('the token may not read this bucket');
    },
    STARTING_MS,
  );
});
