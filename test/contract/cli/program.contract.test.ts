/** The whole command line: help, exit codes and output. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Summary } from 'shared/loads/summary';
import { duckdb } from '../../support/loader';
import { bundleProgram, ROOT, runProgram } from './program';

const folder = mkdtempSync(join(tmpdir(), 'cli-'));
beforeAll(bundleProgram);
afterAll(() => rmSync(folder, { recursive: true }));

test.each([[['--help']], [['-h']]])(
  '%j fits a screen of 24 lines and 80 columns, and starts with examples',
  async (argv) => {
    const { code, out } = await runProgram(argv);
    const lines = out.trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(24);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines[0]).toBe('Examples:');
    expect(code).toBe(0);
  },
);

test('--version prints the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  expect(await runProgram(['--version'])).toMatchObject({ code: 0, out: `${version}\n` });
});

test.each(['start', 'query', 'infer', 'load', 'redrive', 'sample'])(
  '%s --help prints to stdout and exits with 0',
  async (name) => {
    const { code, out, err } = await runProgram([name, '--help']);
    expect({ code, err, first: out.split('\n')[0] }).toEqual({
      code: 0,
      err: '',
      first: expect.stringContaining(`Usage: influxdb-timestream ${name}`),
    });
  },
);

test.each([
  ['nothing', [], /Examples:/],
  ['an unknown command', ['lode'], /unknown command 'lode'.*\n.*Did you mean load/],
  ['an unknown option', ['load', '--urll', 'x'], /Did you mean --url\?/],
  ['an option without its value', ['load', 'x', '--url'], /--url <URL>/],
  ['no source', ['load'], /name a file, a folder/],
  ['a missing file', ['load', 'nothing.parquet'], /the file or folder nothing.parquet does not exist/],
  ['a glob without files', ['load', 'nothing/*.parquet'], /no file matches/],
  ['a setting out of its range', ['load', '.', '--batch-size', 'x'], /--batch-size must be a whole number/],
  ['an export beside a source', ['load', '.', '--export', '.'], /give SOURCE or --export, not both/],
  ['an option of exports without one', ['load', '.', '--measure-name', 'drop'], /--measure-name needs --export/],
  ['an export with a dataset', ['load', '--export', '.', '--dataset', 'x'], /--dataset is not for an export/],
  [
    'an unknown form of measure_name',
    ['load', '--export', '.', '--measure-name', 'x'],
    /Allowed choices are tag, drop/,
  ],
  ['a rename without a key', ['load', '--export', '.', '--rename', 'a'], /It must be COLUMN=KEY/],
  ['an export that does not exist', ['load', '--export', 'no-such-folder'], /no-such-folder does not exist/],
  ['a folder without a manifest', ['load', '--export', 'docs/adr', '--dry-run'], /no manifest of an UNLOAD/],
  ['a limit that is not a number', ['load', '.', '--max-invalid', '1.5'], /--max-invalid <N\[%\]>/],
  ['--watch without a stack', ['load', '--watch', 'x'], /need --stack/],
  ['local data for a stack', ['load', 'x', '--stack', 's'], /copy it to S3/],
  [
    'a setting of the stack',
    ['load', 's3://b/p/', '--stack', 's', '--url', 'http://x'],
    /^--url cannot be used with --stack/,
  ],
  [
    'a missing mapping file',
    ['load', 'test', '--mapping', 'none.json', '--dry-run'],
    /--mapping none.json cannot be read/,
  ],
  ['two sources of lines', ['sample', 'write', 'a.lp', '--dataset', 'weather'], /name either a FILE/],
  ['no source of lines', ['sample', 'write'], /name either a FILE/],
  ['a missing file of lines', ['sample', 'write', 'none.lp'], /the file none\.lp cannot be read: ENOENT/],
  ['an unknown option of a subcommand', ['sample', 'write', '--nope'], /\(influxdb-timestream sample write --help/],
  ['an unknown data set', ['sample', 'generate', '--dataset', 'none'], /--dataset/],
  ['a time that is not valid', ['sample', 'generate', '--start', 'yesterday'], /--start/],
  ['a URL without http', ['sample', 'write', 'a.lp', '--endpoint', 'localhost:9000'], /--endpoint/],
  ['no lines as a number', ['sample', 'generate', '--lines', '1.5'], /--lines/],
  ['a port that is not valid', ['start', '--port', '65536'], /--port/],
  ['one port for both servers', ['start', '--port', '9001'], /both 9001: the two ports must differ/],
  [
    'two places for exports',
    ['start', '--export-dir', 'exports', '--s3-endpoint', 'http://localhost:9000'],
    /--export-dir and --s3-endpoint .*give only one/,
  ],
  [
    'a place for exports with --aws',
    ['start', '--aws', '--export-dir', 'exports'],
    /--export-dir belongs to the embedded/,
  ],
  ['an S3 endpoint that is not a URL', ['start', '--s3-endpoint', 'localhost'], /--s3-endpoint/],
  [
    'a data folder that is a file',
    ['start', '--port', '0', '--data-dir', 'package.json'],
    /a file of that name exists/,
  ],
  ['an unknown format', ['query', 'SELECT 1', '--format', 'xml'], /--format/],
  ['two places of a statement', ['query', 'SELECT 1', '--file', 'x'], /not both/],
  ['an unknown short form', ['query', '.nope'], /^unknown command \.nope:\n(?:.*\n)*\.tables/],
  ['.schema without a table', ['query', '.schema'], /^\.schema needs the name of a table/],
])('%s: exits with 2, prints a message to stderr and nothing to stdout', async (_, argv, message) => {
  const { code, out, err } = await runProgram(argv);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(message);
  expect(err).not.toMatch(/^\s+at /m);
});

test.each(['/proc/nothing'])('start refuses a data folder that cannot be created (%s)', async (path) => {
  if (!existsSync('/proc')) return;
  const { code, err } = await runProgram(['start', '--port', '0', '--data-dir', path]);
  expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(/cannot be used .*--data-dir/) });
});

describe('a load of sample files', () => {
  const data = join(folder, 'data');
  const file = 'data/dataset=generation/year=2024/month=01/data.snappy.parquet';
  beforeAll(async () => {
    expect(await runProgram(['sample', '--parquet', data])).toMatchObject({ code: 0 });
    mkdirSync(join(folder, 'plain'));
    cpSync(join(folder, file), join(folder, 'plain/export.parquet'));
  });

  const dryRun = (...argv: string[]) => runProgram(['load', ...argv, '--dry-run'], { cwd: folder });

  test('reads a folder, a list and a glob, and prints a readable summary', async () => {
    const { code, out } = await dryRun('data/dataset=generation', 'data/dataset=consumption/*/*/*.parquet');
    expect(out).toMatch(/^Dry run, nothing was written: would store 4,000 points of 4,000 rows in 4 files\n/);
    expect(out).toContain('\n  generation: 2,000 points of 2,000 rows\n');
    expect(code).toBe(0);
  });

  test('writes a report below .data, or into the folder of --report', async () => {
    const { out } = await dryRun('data');
    const [, report = ''] = /^Report: (\.data\/loads\/\S+)$/m.exec(out) ?? [];
    expect(existsSync(join(folder, report, 'summary.json'))).toBe(true);
    await dryRun('data', '--report', 'mine');
    expect(JSON.parse(readFileSync(join(folder, 'mine/summary.json'), 'utf8'))).toMatchObject({
      points_written: 6_000,
    });
    expect(await dryRun('data', '--report', 'mine')).toMatchObject({
      code: 2,
      err: expect.stringContaining('not empty'),
    });
  });

  test('--json prints only JSON to stdout, also through npm run -s', () => {
    const command = ['run', '-s', 'load', '--', data, '--dry-run', '--json', '--report', join(folder, 'json')];
    const out = execFileSync('npm', command, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    expect(JSON.parse(out)).toMatchObject({ statusCode: 200, points_written: 6_000, dryRun: true });
  });

  test('reads a mapping from a file named by option or variable', async () => {
    const mapping = {
      name: 'solar',
      measurement: 'solar_data',
      time: { column: 'timestamp' },
      tags: { required: ['region'] },
      fields: [{ column: 'value', type: 'number' }],
    };
    writeFileSync(join(folder, 'solar.json'), JSON.stringify(mapping));
    const argv = ['load', 'data/dataset=generation', '--dataset', 'solar', '--dry-run'];
    const byOption = await runProgram([...argv, '--mapping', 'solar.json'], { cwd: folder });
    expect(byOption.out).toContain('solar: 2,000 points');
    const byVariable = await runProgram(argv, { cwd: folder, env: { DATASET_MAPPINGS: 'solar.json' } });
    expect(byVariable.out).toContain('solar: 2,000 points');
  });

  const solar = {
    name: 'air',
    measurement: 'air',
    time: { column: 'timestamp' },
    tags: { required: ['region'], optional: ['plant_nam'] },
    fields: [{ column: 'value', type: 'number', required: true }],
    checks: { known: { region: ['norte'] }, ranges: { value: { max: 10 } } },
  };
  const withMapping = (changes: object, ...argv: string[]) =>
    dryRun('plain', '--mapping', JSON.stringify({ ...solar, ...changes }), ...argv);
  const rows = "FROM (VALUES (1704067200000, 'norte', 1.0)) t(timestamp, region, value)";
  test('uses the only mapping of --mapping for a path that names no dataset, and warns of optional columns that a file lacks', async () => {
    const { code, out, err } = await withMapping({
      tags: { required: ['region'], optional: ['plant_nam', { columns: 'sensr_*' }, { columns: 'reg*' }] },
    });
    expect(code).toBe(0);
    expect(out).toContain('\n  air: 1,000 points of 1,000 rows\n');
    expect(err).toMatch(
      /^warning: \S+plain\/export.parquet has no column plant_nam, which the mapping names \(did you mean plant_name\?\)$/m,
    );
    expect(out).toContain('  1 file: plant_nam is missing, although the mapping names it\n');
    expect(err).toMatch(
      /^warning: \S+plain\/export.parquet has no column that matches sensr_\*, a pattern of the mapping$/m,
    );
    expect(err).not.toContain('reg*');
    expect((await dryRun('data')).err).not.toContain('has no column');
  });

  test('names the values and the ranges of warnings, and explains many duplicates', async () => {
    const { out } = await withMapping({});
    expect(out).toContain('  250 rows: region is sul, which checks.known does not list\n');
    expect(out).toMatch(/ rows: value is above 10, its maximum in checks.ranges\n/);
    expect(out).toMatch(/At least \d+ rows would overwrite .*: a tag that tells these rows apart may be missing/);
  });

  test.each([
    [
      [],
      /export.parquet: cannot tell the dataset .*add --dataset NAME; .* infer \S+export.parquet > mapping.json`, and load with --mapping mapping.json$/m,
    ],
    [['--dataset', 'x'], /^unknown dataset 'x': .*--mapping FILE/],
  ])('exits with 2 if the dataset of the only file is unknown: %j', async (argv, message) => {
    const { code, err } = await dryRun('plain/export.parquet', ...argv);
    expect(err).toMatch(message);
    expect(err).not.toContain('DATASET_MAPPINGS');
    expect(code).toBe(2);
  });

  test('names a missing required column and the columns of the file, and loads the other files of a dry run', async () => {
    mkdirSync(join(folder, 'mixed'));
    cpSync(join(folder, file), join(folder, 'mixed/b.parquet'));
    await duckdb(
      `COPY (SELECT timestamp, region, value AS valu FROM '${join(folder, file)}') TO '${join(folder, 'mixed/a.parquet')}'`,
    );
    const mapping = JSON.stringify(solar);
    const { code, out, err } = await dryRun('mixed', '--mapping', mapping, '--report', 'mixed-report');
    expect(out).toMatch(/would store 1,000 points of 1,000 rows in 1 file; 1 of 2 items not loaded\n/);
    expect(out).toContain(
      'the file has no column value (did you mean valu?), which the mapping "air" requires. It has: timestamp, region, valu. --mapping',
    );
    expect(err).not.toContain('again:');
    expect(code).toBe(1);
    const summary = JSON.parse(readFileSync(join(folder, 'mixed-report/summary.json'), 'utf8')) as Summary;
    expect(summary).toMatchObject({
      dryRun: true,
      message: expect.stringMatching(/^dry run: 1,000 points .* would be written/),
    });

    const report = await dryRun('mixed-report');
    expect(report).toMatchObject({
      code: 2,
      err: expect.stringContaining('did you mean mixed-report/failed-items.jsonl?'),
    });
  });

  test('asks for the mapping of failed items', async () => {
    const item = {
      bucket: 'LOCAL_FILES',
      key: file,
      etag: 'x',
      size: 1,
      dataset: 'air',
      firstRowGroup: 0,
      rowGroups: 1,
    };
    writeFileSync(
      join(folder, 'failed-items.jsonl'),
      JSON.stringify({ ...item, firstRow: 0, rows: 1, bytes: 1, fileRows: 1, taken: [] }),
    );
    const ended = await dryRun('failed-items.jsonl');
    expect(ended).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^the failed items are of the dataset 'air'.*--mapping/),
    });
    expect((await dryRun('failed-items.jsonl', '--mapping', JSON.stringify(solar))).code).toBe(0);
  });

  test('shows an example of invalid rows, and the unit that fits it', async () => {
    await duckdb(`COPY (SELECT * ${rows}) TO '${join(folder, 'ms.parquet')}'`);
    const mapping = JSON.stringify({ ...solar, time: { column: 'timestamp', unit: 's' } });
    const { code, out } = await dryRun('ms.parquet', '--mapping', mapping);
    expect(out).toContain('Invalid rows, which would be dropped:\n');
    expect(out).toContain('  1 row: timestamp is out of range, such as 1704067200000: is time.unit ms?\n');
    expect(code).toBe(1);
  });

  test('reads the same partition columns in every current folder', async () => {
    const below = join(folder, 'hive/region=norte');
    mkdirSync(below, { recursive: true });
    await duckdb(`COPY (SELECT timestamp, value ${rows}) TO '${join(below, 'a.parquet')}'`);
    const mapping = JSON.stringify({ ...solar, time: { column: 'timestamp', unit: 'ms' } });
    for (const cwd of [folder, below]) {
      const argv = ['load', join(below, 'a.parquet'), '--mapping', mapping, '--dry-run'];
      expect((await runProgram(argv, { cwd })).out).toContain('would store 1 point of 1 row in 1 file\n');
    }
  });

  test('leaves out hidden files below the part of a glob without wildcards', async () => {
    mkdirSync(join(folder, '_glob/x/_temporary/0'), { recursive: true });
    cpSync(join(folder, file), join(folder, '_glob/x/generation.parquet'));
    cpSync(join(folder, file), join(folder, '_glob/x/_temporary/0/generation.parquet'));
    expect((await dryRun('_glob/**/*.parquet')).out).toContain('would store 1,000 points of 1,000 rows in 1 file\n');
    expect((await dryRun(join(folder, '_glob/**/*.parquet'))).out).toContain(
      'would store 1,000 points of 1,000 rows in 1 file\n',
    );
    expect((await dryRun('_glob/x/_temporary/*/*.parquet')).out).toContain('in 1 file\n');
  });

  test('warns of a variable that differs from a setting only in case', async () => {
    const env = { influxdb_org: 'x' };
    const { err } = await runProgram(['load', 'data', '--dry-run'], { cwd: folder, env });
    expect(err).toContain('warning: influxdb_org is ignored: the setting is INFLUXDB_ORG, or --org');
  });

  test('gives the same files each time', async () => {
    const again = join(folder, 'again');
    await runProgram(['sample', '--parquet', again]);
    const file = 'dataset=generation/year=2024/month=01/data.snappy.parquet';
    expect(readFileSync(join(again, file)).equals(readFileSync(join(data, file)))).toBe(true);
  });
});
