/** `infer` and `load --infer`: the mapping on stdout, the reasons on stderr, and questions as exit code 2. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseMappings } from 'shared/datasets/mapping';
import type { Summary } from 'shared/loads/summary';
import { duckdb } from '../../support/loader';
import { bundleProgram, runProgram } from './program';

const folder = mkdtempSync(join(tmpdir(), 'infer-'));
const at = (...names: string[]): string => join(folder, ...names);
const run = (...argv: string[]) => runProgram(argv, { cwd: folder });

const write = (path: string, columns: string, rows = 60, options = '') =>
  duckdb(`COPY (SELECT ${columns} FROM range(${rows}) r(i)) TO '${at(path)}' (FORMAT parquet${options})`);

const SECOND = "TIMESTAMP '2024-01-01' + INTERVAL 1 SECOND * i";

beforeAll(async () => {
  bundleProgram();
  await write(
    'Plant Data.parquet',
    `${SECOND} AS "Measured At", 'host ' || (i % 3) AS "Host Name", i * 1.5::DOUBLE AS "_v", [i] AS l`,
  );
  await write('integers.parquet', '1700000000000 + i AS ts, i AS v');
  await write('untimed.parquet', 'i AS a, i * 2.5::DOUBLE AS b');
  await write('generation_2024.parquet', `${SECOND} AS t, i AS v`);
  await write(
    'hive',
    `${SECOND} AS t, i AS v, 2024 AS year, ['n/a', 'sul'][1 + i % 2] AS region`,
    60,
    ', PARTITION_BY (year, region)',
  );
  mkdirSync(at('two', 'dataset=air'), { recursive: true });
  mkdirSync(at('two', 'dataset=water'), { recursive: true });
  await write('two/dataset=air/a.parquet', `${SECOND} AS t, i AS v`);
  await write('two/dataset=water/b.parquet', `${SECOND} AS t, i::DOUBLE AS v`);
  await write('doubled.parquet', `${SECOND} - INTERVAL 1 SECOND * (i % 2) AS t, i % 2 AS sensor_id, i AS v`);
  writeFileSync(at('text.parquet'), 'no Parquet');
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ['infer', 'Plant Data.parquet'],
  ['load', 'Plant Data.parquet', '--infer'],
])('%s prints the mapping alone on stdout, and the reasons on stderr', async (...argv) => {
  const { code, out, err } = await run(...argv);
  expect(JSON.parse(out)).toEqual({
    name: 'plant-data',
    measurement: 'Plant Data',
    time: { column: 'Measured At' },
    tags: { optional: ['Host Name'] },
    fields: [{ column: '_v', type: 'float', name: 'v' }],
  });
  expect(code).toBe(0);
  expect(err).toContain('Read 60 rows in 1 file\n');
  expect(err).toMatch(/^time +Measured At: INT64 TIMESTAMP\(MICROS\), without a time zone: read as UTC/m);
  expect(err).toMatch(/^tag +Host Name: .*, 3 values such as "host 0", "host 1", "host 2"$/m);
  expect(err).toMatch(/^field +_v: float, from DOUBLE; named v, because InfluxDB does not accept its name$/m);
  expect(err).toMatch(/^left out +l: is a LIST/m);
  expect(err).toMatch(/^series +3$/m);
  expect(err).toMatch(/^To load: .*load 'Plant Data.parquet' --mapping MAPPING.json$/m);
});

test.each([
  ['an integer time without a unit', ['infer', 'integers.parquet'], /^column ts is the time.*add --time-unit ms\n$/],
  [
    'a file without a time',
    ['load', 'untimed.parquet', '--infer'],
    /^no column is a time\. The columns are a \(.*\), b \(DOUBLE\)/,
  ],
  ['a file that is not Parquet', ['infer', 'text.parquet'], /text\.parquet: not a Parquet file/],
  [
    'an unknown column',
    ['infer', 'integers.parquet', '--tag', 'x'],
    /^--tag: there is no column x\. The columns are ts, v\n$/,
  ],
  ['a unit of no time', ['infer', 'integers.parquet', '--time-unit', 'h'], /Allowed choices are s, ms, us, ns/],
  [
    'a reserved measurement',
    ['infer', 'integers.parquet', '--measurement', '_m'],
    /--measurement.*must not be empty, begin with _ or #/,
  ],
  ['failed items', ['infer', 'failed.jsonl'], /does not exist/],
  ['--load alone', ['load', 'integers.parquet', '--load'], /^--load needs --infer/],
  ['a decision without --infer', ['load', 'integers.parquet', '--time', 'ts'], /^--time needs --infer/],
  [
    'a mapping beside --infer',
    ['load', 'x', '--infer', '--mapping', 'm.json'],
    /^--infer proposes a mapping: it cannot be used with --mapping/,
  ],
  ['a dry run that loads nothing', ['load', 'x', '--infer', '--dry-run'], /add --load for a dry run/],
  ['--infer with a stack', ['load', 's3://b/p/', '--stack', 's', '--infer'], /^--infer cannot be used with --stack/],
])('%s ends with 2, and nothing on stdout', async (_, argv, message) => {
  const { code, out, err } = await run(...argv);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(message);
});

test('options decide', async () => {
  const argv = ['--time', 'ts', '--time-unit', 'ms', '--measurement', 'm', '--tag', 'v'];
  await write('decided.parquet', '1700000000000 + i AS ts, i % 2 AS v, 1.5::DOUBLE AS "w"');
  const { out } = await run('infer', 'decided.parquet', ...argv);
  expect(JSON.parse(out)).toMatchObject({
    measurement: 'm',
    time: { column: 'ts', unit: 'ms' },
    tags: { optional: ['v'] },
    fields: [{ column: 'w', type: 'float' }],
  });
});

test('rows that would overwrite each other are reported', async () => {
  const { err } = await run('infer', 'doubled.parquet');
  expect(err).toContain('30 sampled rows would overwrite an earlier row with the same tags and time');
  expect(err).toContain('--tag sensor_id makes it a tag');
});

test('a line feed in a name of a column stays on its line', async () => {
  await write('breaks.parquet', `${SECOND} AS t, [i] AS "a\nb", i AS "c\nd"`);
  const { err } = await run('infer', 'breaks.parquet');
  expect(err).toMatch(/^left out +a\\nb: is a LIST/m);
  expect(err).toMatch(/^field +c\\nd: integer/m);
  const failed = await run('infer', 'breaks.parquet', '--time', 'x');
  expect(failed.err).toMatch(/^--time: there is no column x\. .*a\\nb .*c\\nd .*\n$/);
});

test('rows that would overwrite rows of another file are reported', async () => {
  mkdirSync(at('sensors'));
  await write('sensors/sensor_A.parquet', `${SECOND} AS t, i AS v`, 5);
  await write('sensors/sensor_B.parquet', `${SECOND} AS t, i + 10 AS v`, 5);
  const { err } = await run('infer', 'sensors');
  expect(err).toMatch(
    /5 sampled rows would overwrite a row of another file with the same tags and time, such as \S*sensor_B.parquet and \S*sensor_A.parquet/,
  );
  expect(err).not.toContain('would overwrite an earlier row');
});

test('a column of a single one of many files is in the mapping, with its type', async () => {
  mkdirSync(at('many'));
  for (let file = 0; file < 14; file++) {
    const extra = file === 1 ? ", i::DOUBLE AS v, 'on' AS alarm" : ', i AS v';
    await write(`many/f${file}.parquet`, `${SECOND} + INTERVAL 1 DAY * ${file} AS t${extra}`, 8);
  }
  writeFileSync(at('many', 'f99.parquet'), 'no Parquet');
  const { err, out } = await run('infer', 'many');
  expect(JSON.parse(out)).toMatchObject({ tags: { optional: ['alarm'] }, fields: [{ column: 'v', type: 'float' }] });
  expect(err).toMatch(/^Read 72 rows in 9 of 15 files$/m);
  expect(err).toContain('column v has several types: INT64 INT_64, DOUBLE');
  expect(err).toMatch(/column alarm is missing in 13 of 14 files/);
  expect(err).toMatch(/1 of 15 files cannot be read, such as \S*f99\.parquet/);
});

test('a load of an unknown file says how to get a mapping', async () => {
  const { code, err } = await run('load', 'untimed.parquet', '--dry-run');
  expect(code).toBe(2);
  expect(err).toMatch(
    /otherwise get a mapping with `.* infer \S*untimed\.parquet > mapping\.json`, and load with --mapping mapping\.json/,
  );
});

/** Infers into a file and loads with it, as a user does. */
async function inTwoCommands(source: string): Promise<Summary & { err: string }> {
  const inferred = await run('infer', source);
  expect(inferred.code).toBe(0);
  expect(parseMappings(inferred.out)).toHaveLength(1);
  writeFileSync(at('m.json'), inferred.out);
  const words = /^To load: .* load (.*)$/m.exec(inferred.err)?.[1]?.replace('MAPPING.json', 'm.json') ?? '';
  const argv = words.startsWith("'") ? [source, '--mapping', 'm.json'] : words.split(' ');
  const { code, out } = await run('load', ...argv, '--dry-run', '--json');
  expect(code).toBe(0);
  return { ...(JSON.parse(out) as Summary), err: inferred.err };
}

test.each([
  ['of a name with spaces', 'Plant Data.parquet', 60],
  ['whose name is that of a built-in dataset', 'generation_2024.parquet', 60],
  ['in Hive partitions', 'hive', 60],
  ['of several datasets', 'two', 120],
])('a file or folder %s loads in two commands', async (_, source, points) => {
  const { points_written, source_records, warnings } = await inTwoCommands(source);
  expect({ points_written, source_records, warnings }).toEqual({
    points_written: points,
    source_records: points,
    warnings: {},
  });
});

test('--infer --load loads, and saves the mapping in the report folder', async () => {
  const { code, out, err } = await run('load', 'hive', '--infer', '--load', '--dry-run', '--report', 'report');
  expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('would store 60 points of 60 rows') });
  expect(err).toMatch(/^left out +year: it repeats the time/m);
  expect(JSON.parse(readFileSync(at('report', 'mapping.json'), 'utf8'))).toMatchObject({
    tags: { optional: ['region'] },
  });
  expect(readdirSync(at('report'))).toContain('summary.json');
});
