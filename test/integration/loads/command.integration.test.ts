/** `npm run load`, as a program, into a real InfluxDB. */
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Summary } from 'shared/loads/summary';
import { describeWithInfluxd, Influxd, STARTING_MS } from '../../influxd';
import { duckdb } from '../../support/loader';
import { fixture } from '../../support/parquet';

const ROOT = resolve(__dirname, '../../..');

describeWithInfluxd('the command line', (binary) => {
  let influxd: Influxd;
  const folder = mkdtempSync(join(tmpdir(), 'load-command-'));
  const at = (...names: string[]): string => join(folder, ...names);

  beforeAll(async () => {
    influxd = await Influxd.start(binary);
    execFileSync(process.execPath, ['scripts/bundle.mjs'], { cwd: ROOT });
    mkdirSync(at('dataset=generation', 'year=2024'), { recursive: true });
    for (const name of ['codec-snappy', 'codec-gzip'])
      cpSync(fixture(name), at('dataset=generation', 'year=2024', `${name}.parquet`));
    writeFileSync(at('dataset=generation', 'year=2024', '_SUCCESS'), '');
    mkdirSync(at('broken', 'generation'), { recursive: true });
    cpSync(fixture('codec-snappy'), at('broken', 'generation', 'good.parquet'));
    writeFileSync(at('broken', 'generation', 'bad.parquet'), 'no Parquet');
  }, STARTING_MS);
  afterAll(async () => {
    await influxd.remove();
    rmSync(folder, { recursive: true });
  });

  const run = (...argv: string[]) => runWith({}, ...argv);
  const runWith = (
    variables: Record<string, string>,
    ...argv: string[]
  ): Promise<{ code: number; out: string; err: string }> =>
    new Promise((done) => {
      const args = [join(ROOT, '.build/local/load.cjs'), '--url', influxd.url, '--token', 'test-token', ...argv];
      const environment = { PATH: process.env.PATH, TMPDIR: folder, ...variables };
      execFile(process.execPath, args, { env: environment, cwd: folder }, (error, out, err) =>
        done({ code: Number(error?.code ?? 0), out, err }),
      );
    });

  it(
    'writes nothing in a dry run',
    async () => {
      const { code, out } = await run('dataset=generation', '--dry-run');
      expect({ code, out }).toMatchObject({
        code: 0,
        out: expect.stringContaining('Dry run, nothing was written. It would be: 600 points'),
      });
      expect(await influxd.count('power_mw')).toBe(0);
    },
    STARTING_MS,
  );

  it(
    'loads a folder, and ends with 0',
    async () => {
      const { code, out, err } = await run('dataset=generation', '--json');
      const summary = JSON.parse(out) as Summary;
      expect({ code, summary }).toMatchObject({
        code: 0,
        summary: { statusCode: 200, files: 2, ignored: 1, points_written: 600 },
      });
      expect(err).toContain('100% 600 of 600 rows');
      expect(await influxd.count('power_mw')).toBe(300);
    },
    STARTING_MS,
  );

  it(
    'reads the columns by which DuckDB partitioned, and no file of a job that still writes',
    async () => {
      const regions = ['norte', 'São Paulo', 'a/b=c%', 'x+y', '', null];
      const names = regions.map((region) => (region === null ? 'NULL' : `'${region}'`)).join();
      const rows = `SELECT make_timestamp_ns(i * 1000000000) AS t, i::DOUBLE AS v, [${names}][i] AS region FROM range(1, 7) r(i)`;
      await duckdb(`COPY (${rows}) TO '${at('hive')}' (FORMAT parquet, PARTITION_BY (region))`);
      mkdirSync(at('hive', '_temporary', '0'), { recursive: true });
      cpSync(fixture('codec-snappy'), at('hive', '_temporary', '0', 'part-0.parquet'));
      const mapping = {
        ...{ name: 'hive', measurement: 'hive', time: { column: 't' }, tags: { optional: ['region'] } },
        fields: [{ column: 'v', type: 'number' }],
      };
      const { code, out, err } = await runWith({ DATASET_MAPPINGS: JSON.stringify(mapping) }, 'hive', '--json');
      expect({ code, err, summary: JSON.parse(out) as Summary }).toMatchObject({
        code: 0,
        summary: { files: 6, ignored: 1, points_written: 6 },
      });
      const stored = (await influxd.values()).filter(({ measurement }) => measurement === 'hive');
      const found = stored.map(({ tags, time, value }) => [Date.parse(time) / 1000, tags.region ?? '', Number(value)]);
      expect(found.sort(([a], [b]) => Number(a) - Number(b))).toEqual(
        regions.map((region, index) => [index + 1, region ?? '', index + 1]),
      );
    },
    STARTING_MS,
  );

  it(
    'ends with 1 when something failed, and says what and where',
    async () => {
      const { code, out, err } = await run('broken', '--tolerate', '50');
      expect(code).toBe(1);
      expect(out).toMatch(/1 of 2 items failed\n.*\nDataConversionError: not a Parquet file.*bad\.parquet/s);
      expect(err).toContain('What failed is described in');
    },
    STARTING_MS,
  );

  it.each([
    [
      'a token that InfluxDB refuses',
      ['dataset=generation', '--token', 'wrong'],
      1,
      /401: unauthorized access: the token is wrong: give another one with --token/,
    ],
    ['the wrong engine', ['dataset=generation', '--engine', 'v3'], 1, /this is InfluxDB 2\.7\.12: use --engine v2/],
    [
      'an InfluxDB that is not there',
      ['dataset=generation', '--url', 'http://127.0.0.1:1'],
      1,
      /: nothing listens at http:\/\/127\.0\.0\.1:1 .*npm start.*--url/,
    ],
    ['a file that is not there', ['nothing.parquet'], 2, /there is no file or folder nothing.parquet/],
    [
      'a batch size that is none',
      ['dataset=generation', '--batch-size', 'x'],
      2,
      /--batch-size must be a whole number from 1 to 100000, not 'x'/,
    ],
    ['an address that is none', ['dataset=generation', '--url', 'x'], 2, /--url must be a URL .*, not 'x'/],
    ['an unknown dataset', ['dataset=generation', '--dataset', 'x'], 2, /^unknown dataset 'x': .*DATASET_MAPPINGS/],
    ['an option that is none', ['dataset=generation', '--nope'], 2, /--nope/],
  ])(
    'tells of %s',
    async (_, argv, code, message) => {
      const ended = await run(...argv);
      expect(ended.err).toMatch(message);
      expect(ended.code).toBe(code);
      expect(ended.err).not.toMatch(/^\s+at /m);
    },
    STARTING_MS,
  );
});
