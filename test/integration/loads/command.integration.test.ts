/** `npm run load` as a program, with a real InfluxDB. */
import { type ChildProcess, execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Summary } from 'shared/loads/summary';
import { CACHE, type Ended } from '../../contract/cli/program';
import { describeWithInfluxd, Influxd, STARTING_MS } from '../../support/influxd';
import { duckdb } from '../../support/loader';
import { fixture } from '../../support/parquet';

const ROOT = resolve(__dirname, '../../..');

describeWithInfluxd('the command line', (binary) => {
  let influxd: Influxd;
  const folder = mkdtempSync(join(tmpdir(), 'load-command-'));
  const at = (...names: string[]): string => join(folder, ...names);

  beforeAll(async () => {
    influxd = await Influxd.start(binary);
    execFileSync(process.execPath, ['scripts/bundle-cli.mjs'], { cwd: ROOT });
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

  const execute = (argv: readonly string[], onChild: (child: ChildProcess) => void = () => undefined): Promise<Ended> =>
    new Promise((done) => {
      const args = [join(ROOT, 'bin/influxdb-timestream.mjs'), 'load', ...argv];
      const environment = { PATH: process.env.PATH, XDG_CACHE_HOME: CACHE };
      const child = execFile(process.execPath, args, { env: environment, cwd: folder }, (error, out, err) =>
        done({ code: Number(error?.code ?? 0), out, err }),
      );
      onChild(child);
    });
  const withTarget = (argv: readonly string[]) => ['--url', influxd.url, '--token', 'test-token', ...argv];
  const run = (...argv: string[]) => execute(withTarget(argv));

  /** Sends Ctrl-C as soon as stderr matches. */
  const interrupted = (argv: readonly string[], when: RegExp) =>
    execute(withTarget(argv), (child) => {
      let text = '';
      child.stderr?.on('data', (chunk) => {
        const isFirst = !when.test(text);
        text += String(chunk);
        if (isFirst && when.test(text)) child.kill('SIGINT');
      });
    });

  /** Rows with distinct series and times, in row groups of 20,000. */
  const writeRows = (file: string, rows: number, value: string) =>
    duckdb(`COPY (SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 SECOND * i AS timestamp, '${file.at(-9)}' AS region, ${value} AS value,
      'MWh' AS unit, 'hidrica' AS energy_source, 'energy' AS measurement_type FROM range(${rows}) AS r(i))
      TO '${file}' (FORMAT PARQUET, ROW_GROUP_SIZE 20480)`);

  test(
    'writes nothing in a dry run',
    async () => {
      const { code, out } = await run('dataset=generation', '--dry-run');
      expect({ code, out }).toMatchObject({
        code: 0,
        out: expect.stringContaining('Dry run, nothing was written: would store 600 points'),
      });
      expect(await influxd.count('power_mw')).toBe(0);
    },
    STARTING_MS,
  );

  test(
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

  test(
    'reads the partition columns of DuckDB, and no temporary file of a running job',
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
      const { code, out, err } = await run('hive', '--json', '--mapping', JSON.stringify(mapping));
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

  test(
    'loads an unknown file with the mapping that it infers',
    async () => {
      await duckdb(`COPY (SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 SECOND * i AS "Read At", 'meter ' || (i % 3) AS "Meter",
        9007199254740993 + i AS "Total", i % 2 = 0 AS _ok FROM range(60) r(i)) TO '${at('Meter Readings.parquet')}' (FORMAT parquet)`);
      const { code, out, err } = await run('Meter Readings.parquet', '--infer', '--load');
      expect({ code, out }).toMatchObject({
        code: 0,
        out: expect.stringContaining('Stored 60 points of 60 rows in 1 file'),
      });
      expect(err).toMatch(/^tag +Meter: /m);
      const stored = (await influxd.values()).filter(({ measurement }) => measurement === 'Meter Readings');
      const first = stored.filter(({ time }) => time === '2024-01-01T00:00:00Z');
      expect(stored).toHaveLength(120);
      expect(first.map(({ tags, field, type, value }) => [tags, field, type, value]).sort()).toEqual([
        [{ Meter: 'meter 0' }, 'Total', 'long', '9007199254740993'],
        [{ Meter: 'meter 0' }, 'ok', 'boolean', 'true'],
      ]);
    },
    STARTING_MS,
  );

  test(
    'ends with 1 if an item failed, and names the item and its cause',
    async () => {
      const { code, out, err } = await run('broken', '--keep-going');
      expect(code).toBe(1);
      expect(out).toMatch(/1 of 2 items not loaded\n.*\nDataConversionError: not a Parquet file.*bad\.parquet/s);
      const again = /^When the files are fixed, load them again: node \S+ load (\S+) /m.exec(err)?.[1] ?? '';
      expect(again).toMatch(/failed-items\.jsonl$/);
      expect(out).toContain(`Report: ${dirname(again)}`);
      // The file has been fixed.
      cpSync(fixture('codec-gzip'), at('broken', 'generation', 'bad.parquet'));
      expect((await run(again)).out).toContain('Stored 300 points of 300 rows in 1 file\n');
    },
    STARTING_MS,
  );

  test(
    'fails above the allowed invalid rows, and describes them',
    async () => {
      mkdirSync(at('invalid', 'generation'), { recursive: true });
      await writeRows(
        at('invalid', 'generation', 'x.parquet'),
        1_000,
        "CASE WHEN i % 100 = 0 THEN 'NaN'::DOUBLE ELSE i END",
      );
      const allowed = await run('invalid', '--max-invalid', '10');
      expect(allowed.out).toContain('\n  10 rows: value is NaN\n');
      expect(allowed.code).toBe(0);
      const failed = await run('invalid', '--max-invalid', '0.9%');
      expect(failed.err).toContain('--max-invalid: 10 invalid rows of 1,000 rows, the maximum is 0.9%');
      expect(failed.code).toBe(1);
    },
    STARTING_MS,
  );

  test(
    'ends with 130 at Ctrl-C, reports the stored points, and prints a command that loads the rest',
    async () => {
      mkdirSync(at('large', 'generation'), { recursive: true });
      for (const name of ['d', 'e', 'f'])
        await writeRows(at('large', 'generation', `${name}.parquet`), 200_000, 'i + 0.5');
      const before = await influxd.count('energy_mwh');
      // Slow enough to interrupt the load after the second progress line.
      const slow = ['--batch-size', '100', '--concurrency', '1'];
      const stopped = await interrupted(['large', ...slow], /(?:^\d+% .*\n){2}/m);
      expect(stopped).toMatchObject({ code: 130 });
      const [, stored = ''] = /^Stored ([\d,]+) points of/m.exec(stopped.out) ?? [];
      expect({ stored, ...stopped }).toMatchObject({ stored: expect.stringMatching(/^[1-9]/) });
      expect(Number(stored.replaceAll(',', ''))).toBeLessThan(600_000);
      expect(stopped.out).toMatch(/Interrupted: the load was interrupted/);
      const [, again = ''] = /^To load the failed items again: node \S+ load (.*)$/m.exec(stopped.err) ?? [];
      expect(again).toContain('--batch-size 100');
      expect(again).not.toContain('test-token');

      const rest = await run(again.split(' ')[0] ?? '', '--batch-size', '5000');
      expect(rest.code).toBe(0);
      expect((await influxd.count('energy_mwh')) - before).toBe(600_000);
    },
    2 * STARTING_MS,
  );

  test(
    'reports a missing token',
    async () => {
      const ended = await execute(['dataset=generation', '--url', influxd.url]);
      expect(ended).toMatchObject({ code: 1, err: expect.stringMatching(/no token is set: use --token/) });
    },
    STARTING_MS,
  );

  test.each([
    [
      'a token that InfluxDB rejects',
      ['dataset=generation', '--token', 'wrong'],
      1,
      /401: unauthorized access: the token is not valid: set another one with --token/,
    ],
    ['the wrong engine', ['dataset=generation', '--engine', 'v3'], 1, /this is InfluxDB 2\.7\.12: use --engine v2/],
    [
      'an InfluxDB that is not there',
      ['dataset=generation', '--url', 'http://127.0.0.1:1'],
      1,
      /: nothing listens at http:\/\/127\.0\.0\.1:1 .*npm start.*--url/,
    ],
    ['a file that is not there', ['nothing.parquet'], 2, /the file or folder nothing.parquet does not exist/],
    [
      'an invalid batch size',
      ['dataset=generation', '--batch-size', 'x'],
      2,
      /--batch-size must be a whole number from 1 to 100000, not 'x'/,
    ],
    ['an invalid URL', ['dataset=generation', '--url', 'x'], 2, /--url must be a URL .*, not 'x'/],
    ['an unknown dataset', ['dataset=generation', '--dataset', 'x'], 2, /^unknown dataset 'x': .*--mapping FILE/],
    ['an unknown option', ['dataset=generation', '--nope'], 2, /--nope/],
  ])(
    'reports %s',
    async (_, argv, code, message) => {
      const ended = await run(...argv);
      expect(ended.err).toMatch(message);
      expect(ended.code).toBe(code);
      expect(ended.err).not.toMatch(/^\s+at /m);
    },
    STARTING_MS,
  );
});
