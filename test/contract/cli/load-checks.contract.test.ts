/** The checks of `load` and `load --dry-run` against an InfluxDB 3. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Summary } from 'shared/loads/summary';
import type { Checks } from '../../../local/loader/checks';
import { FakeInfluxDB3, V3_TOKEN } from '../../support/fake-influxdb3';
import { duckdb } from '../../support/loader';
import { ScriptedServer } from '../../support/scripted-server';
import { bundleProgram, runProgram } from './program';

const folder = mkdtempSync(join(tmpdir(), 'load-checks-'));
const file = join(folder, 'plant.parquet');
const files = join(folder, 'sensors');
let fake: FakeInfluxDB3;
let server: ScriptedServer;

beforeAll(async () => {
  bundleProgram();
  await duckdb(`COPY (SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 SECOND * i AS t, 'host ' || i % 3 AS host, i::DOUBLE AS v, i::DOUBLE AS w
    FROM range(60) AS r(i)) TO '${file}' (FORMAT PARQUET)`);
}, 60_000);
beforeEach(async () => {
  fake = new FakeInfluxDB3();
  server = await ScriptedServer.start((request) => fake.answer(request));
});
afterEach(() => server.stop());
afterAll(() => rmSync(folder, { recursive: true }));

/** Stores points with a token of its own. */
const store = (lines: string): Promise<Response> =>
  fetch(`${server.url}/api/v3/write_lp?db=plants`, {
    method: 'POST',
    headers: { authorization: `Bearer ${V3_TOKEN}` },
    body: lines,
  });

function load(fields: string[], ...options: string[]) {
  const mapping = {
    ...{ name: 'plant', measurement: 'plant', time: { column: 't' }, tags: { required: ['host'] } },
    fields: fields.map((column) => ({ column, type: 'number' })),
  };
  const target = ['--url', server.url, '--engine', 'v3', '--bucket', 'plants', '--token', V3_TOKEN];
  return runProgram(['load', file, ...target, '--mapping', JSON.stringify(mapping), ...options], { cwd: folder });
}

test('names stored columns of another kind, before the first point and at the end, also if all points are refused', async () => {
  await store('plant v=1i,host="x" 0');
  const conflicts = [
    'host of plant is stored as string and would be written as tag',
    'v of plant is stored as integer and would be written as float',
  ];
  const dry = await load(['v', 'w'], '--dry-run');
  const ended = await load(['v', 'w']);
  for (const conflict of conflicts) {
    expect(dry.out).toContain(conflict);
    expect(dry.err).not.toContain(conflict);
    expect(ended.err).toContain(`warning: ${conflict}`);
    expect(ended.out).toContain(conflict);
  }
  expect(dry.code).toBe(1);
  expect(dry.out).toContain('The load would fail: InfluxDB refuses points because of the type of v of plant');
  expect(ended.out).not.toMatch(/would fail|TooManyFailures/);
  expect(ended.err).toContain('To load the failed items again');
  expect(ended.code).toBe(1);
  expect(fake.stored.get('plants')).toHaveLength(1);
});

test('names a table that would have too many columns', async () => {
  await store(`plant,host=x ${Array.from({ length: 497 }, (_, index) => `f${index}=1`).join()} 0`);
  expect(await load(['v'], '--dry-run')).toMatchObject({ code: 0, out: expect.not.stringContaining('columns') });

  const warning = 'plant would have 501 columns, above the limit of 500 of InfluxDB 3 Core';
  expect(await load(['v', 'w'], '--dry-run')).toMatchObject({ code: 1, out: expect.stringContaining(warning) });
  const { code, err } = await load(['v', 'w']);
  expect(err).toContain(`warning: ${warning}`);
  expect(code).toBe(1);
});

test('--json has the checks, and a database that does not exist conflicts with nothing', async () => {
  const { out, err } = await load(['v', 'w'], '--dry-run', '--json');
  const { checks, ...summary } = JSON.parse(out) as Summary & { checks: Checks };
  expect(err).not.toContain('was not read');
  expect(summary).toMatchObject({ earliest: '1704067200000000000', latest: '1704067259000000000' });
  expect(checks).toEqual({
    engine: 'v3',
    bucket: { name: 'plants', retentionSeconds: null, unread: null },
    series: [{ measurement: 'plant', series: 3, fieldSeries: 6, isEstimate: false }],
    points: { written: 60, distinct: 60, isEstimate: false, overwritten: 0 },
    tags: [{ tag: 'host', values: 3 }],
    outsideRetention: 0,
    typeConflicts: [],
    tooManyColumns: [],
    failures: [],
  });
});

test('names points of several files that overwrite each other, also in a dry run', async () => {
  mkdirSync(files);
  for (const sensor of ['A', 'B', 'C']) {
    await duckdb(`COPY (SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 SECOND * i AS t, 'x' AS host, i::DOUBLE AS v
      FROM range(5) AS r(i)) TO '${join(files, `sensor_${sensor}.parquet`)}' (FORMAT PARQUET)`);
  }
  const target = ['--url', server.url, '--engine', 'v3', '--bucket', 'plants', '--token', V3_TOKEN];
  const mapping = {
    ...{ name: 'plant', measurement: 'plant', time: { column: 't' }, tags: { required: ['host'] } },
    fields: [{ column: 'v', type: 'number' }],
  };
  const run = (change: object, ...options: string[]) =>
    runProgram(['load', files, ...target, '--mapping', JSON.stringify({ ...mapping, ...change }), ...options], {
      cwd: folder,
    });
  const text = (verb: string) => `15 points ${verb} only 5 different series and times: rows of different files`;
  expect((await run({}, '--dry-run')).out).toContain(text('would have'));
  const { checks } = JSON.parse((await run({}, '--json')).out) as { checks: Checks };
  expect(checks.points).toEqual({ written: 15, distinct: 5, isEstimate: false, overwritten: 10 });
  expect((await run({})).out).toContain(text('had'));

  const apart = { path: 'sensor_{sensor}.parquet', tags: { required: ['host', 'sensor'] } };
  const { code, out } = await run(apart);
  expect(code).toBe(0);
  const lacking = await run({ ...apart, fields: [...mapping.fields, { column: 'lacking', type: 'float' }] });
  expect(lacking.err.match(/has no column lacking/g)).toHaveLength(1);
  expect(lacking.out).toContain('3 files: lacking is missing');
  expect(out).not.toContain('different series');
});

test('a dry run fails if the token is refused, and not if InfluxDB cannot be reached', async () => {
  const refused = await load(['v'], '--dry-run', '--token', 'other');
  expect(refused.code).toBe(1);
  expect(refused.out).toContain('would store 60 points of 60 rows');
  expect(refused.out).toMatch(/^The load would fail: InfluxDB cannot be written to: .*401.*--token/m);

  const unreachable = await load(['v'], '--dry-run', '--url', 'http://127.0.0.1:1');
  expect(unreachable).toMatchObject({ code: 0, out: expect.not.stringContaining('would fail') });
  expect(unreachable.err).toContain('was not read');
});

test('the progress counts points that InfluxDB refuses once', async () => {
  const some = join(folder, 'some.parquet');
  await duckdb(`COPY (SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 SECOND * i AS t, 'x' AS host, IF(i < 2, i::DOUBLE, NULL) AS v,
    i::DOUBLE AS w FROM range(5) AS r(i)) TO '${some}' (FORMAT PARQUET)`);
  await store('plant v=1i,w=1 0');
  const mapping = {
    ...{ name: 'plant', measurement: 'plant', time: { column: 't' }, tags: { required: ['host'] } },
    fields: ['v', 'w'].map((column) => ({ column, type: 'number' })),
  };
  const target = ['--url', server.url, '--engine', 'v3', '--bucket', 'plants', '--token', V3_TOKEN];
  const argv = ['load', some, ...target, '--mapping', JSON.stringify(mapping)];
  const { code, out, err } = await runProgram(argv, { cwd: folder });
  expect(code).toBe(1);
  expect(out).toContain('Stored 3 points of 5 rows');
  expect(err).toContain('100% 5 of 5 rows');
});

test('says that a file that cannot be read must be fixed before it is loaded again', async () => {
  const corrupt = join(folder, 'plant=x');
  mkdirSync(corrupt);
  writeFileSync(join(corrupt, 'corrupt.parquet'), 'no Parquet at all');
  const mapping = {
    ...{ name: 'plant', measurement: 'plant', time: { column: 't' }, tags: {} },
    fields: [{ column: 'v', type: 'number' }],
  };
  const target = ['--url', server.url, '--engine', 'v3', '--bucket', 'plants', '--token', V3_TOKEN];
  const argv = ['load', corrupt, ...target, '--mapping', JSON.stringify(mapping)];
  const { code, out, err } = await runProgram(argv, { cwd: folder });
  expect(code).toBe(1);
  expect(out).toContain('DataConversionError: ');
  expect(err).toMatch(/^When the files are fixed, load them again: .*failed-items\.jsonl/m);
});

test('advises to leave out a column that a pattern finds and that cannot be read', async () => {
  const lists = join(folder, 'lists.parquet');
  await duckdb(
    `COPY (SELECT TIMESTAMP '2024-01-01' AS t, 1.5::DOUBLE AS v, [1, 2] AS l) TO '${lists}' (FORMAT PARQUET)`,
  );
  const mapping = {
    ...{ name: 'plant', measurement: 'plant', time: { column: 't' }, tags: {} },
    fields: [{ columns: '*', type: 'float' }],
  };
  const argv = [
    'load',
    lists,
    '--dry-run',
    '--url',
    server.url,
    '--engine',
    'v3',
    '--mapping',
    JSON.stringify(mapping),
  ];
  const { out } = await runProgram(argv, { cwd: folder });
  expect(out).toMatch(/column l\S* is .*: list it under `except` of the pattern that matches it/);
});
