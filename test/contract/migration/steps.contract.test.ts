/** The steps as a state machine calls them: inputs, outputs, repetition, and what each one leaves for the next. */

import { readLoad } from 'shared/loads/load';
import { type ObjectRef, readText } from 'shared/loads/objects';
import type { Summary } from 'shared/loads/summary';
import { exportStep } from 'shared/migration/export';
import { loadStep, recordLoad } from 'shared/migration/load';
import { reportStep } from 'shared/migration/report';
import type { MigrationServices } from 'shared/migration/services';
import type { LoadTable, LoadWindow } from 'shared/migration/steps';
import { surveyStep } from 'shared/migration/survey';
import { verifyStep } from 'shared/migration/verify';
import { fill, ledgerOf, multi, REQUEST, type Source, servicesOf, startSource, WORK } from '../../support/migration';
import { ScriptedServer } from '../../support/scripted-server';
import { NOW } from '../timestream/harness';

const START = BigInt(NOW) * 1_000_000n - 1_000_000n;
const ROWS = 30;

let source: Source;
let influxdb: ScriptedServer;
beforeAll(async () => {
  source = await startSource({ maxRows: 12 });
  // An empty bucket.
  influxdb = await ScriptedServer.start(() => ({ status: 200, body: '' }));
  const records = Array.from({ length: ROWS }, (_, n) =>
    multi({ device: 'a' }, { n: ['BIGINT', String(n)] }, START + BigInt(n) * 30_000n),
  );
  await fill(source, 'machines', records);
});
afterAll(async () => {
  await source.stop();
  await influxdb.stop();
});

const services = (change: Partial<MigrationServices> = {}) => servicesOf(source, influxdb.url, change);
let migrations = 0;

/** A migration that is exported in several windows. */
async function exported(input: object = {}): Promise<{ migrationId: string }> {
  migrations += 1;
  const migrationId = `steps-${migrations}`;
  const survey = await surveyStep({ migrationId, input: { ...REQUEST, ...input } }, services());
  // The output of a step is a valid input of the next one.
  return await exportStep(survey, services());
}

async function jsonLines<T>(list: ObjectRef): Promise<T[]> {
  const text = (await readText(source.objects, list)) ?? '';
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

async function lines(migrationId: string): Promise<LoadWindow[]> {
  const { tables } = await loadStep({ migrationId }, services());
  const listed = tables === null ? [] : await jsonLines<LoadTable>(tables);
  return (await Promise.all(listed.map(({ windows }) => jsonLines<LoadWindow>(windows)))).flat();
}

/** The summary of a load that stored all rows of a window. */
function summaryOf(rows: number): Partial<Summary> & Record<string, unknown> {
  const totals = {
    source_records: rows,
    points_written: rows,
    batches_processed: 1,
    failed_batches: 0,
    failed_points: 0,
  };
  const none = { rejected_points: 0, duplicates: 0, invalid_records: {}, rejected_reasons: {}, warnings: {} };
  const sums = { rows, points: rows, empty: 0, invalid: 0, points_written: rows, rejected_points: 0, failed_points: 0 };
  return {
    ...totals,
    ...none,
    ...{ earliest: null, latest: null, series: 1, fieldSeries: 1 },
    ...{ loadId: 'load-1', statusCode: 200, message: '', files: 1, ignored: 0, items: 1, failed_items: 0, causes: [] },
    ...{ datasets: {}, failedItems: null, fullyPlanned: true, summary: '', withinTolerance: true },
    tables: {
      machines: { queries: 1, files: 1, manifest_rows: rows, ...sums, merged: 0, left_out: [], accounted: true },
    },
  };
}

async function rowsOf({ table, window, migrationId }: LoadWindow): Promise<number> {
  const [from = '', to = ''] = window.split('-');
  return (await ledgerOf(migrationId, source).record(table, { from, to }))?.exported?.rows ?? 0;
}

test('Load lists each window with a valid input of a load, in time order, and none again that is loaded', async () => {
  const { migrationId } = await exported();
  const listed = await lines(migrationId);
  expect(listed.length).toBeGreaterThan(2);
  const times = listed.map(({ window }) => BigInt(window.split('-')[0] ?? ''));
  expect(times).toEqual([...times].sort((a, b) => (a < b ? -1 : 1)));
  for (const { input } of listed) {
    const load = readLoad('load-1', input, { mappings: [], reservedConcurrency: undefined });
    expect(load.source).toMatchObject({
      export: expect.stringContaining(`s3://export-bucket/${REQUEST.database}/machines/`),
    });
  }
  const [first, ...others] = listed;
  if (!first) throw new Error('no window');
  const { input: _, ...named } = first;
  await recordLoad({ ...named, summary: summaryOf(await rowsOf(first)) }, services());
  expect((await lines(migrationId)).map(({ window }) => window)).toEqual(others.map(({ window }) => window));
});

test('a load whose files are damaged has its window exported again; any other failure is only loaded again', async () => {
  const { migrationId } = await exported();
  const [damaged, unavailable] = await lines(migrationId);
  if (!damaged || !unavailable) throw new Error('too few windows');
  const fail = ({ input: _, ...named }: LoadWindow, error: string) =>
    recordLoad({ ...named, error: { error, cause: 'it failed' } }, services());
  expect(await fail(damaged, 'DataConversionError')).toMatchObject({ state: 'failed' });
  expect(await fail(unavailable, 'InfluxDBConnectionError')).toMatchObject({ state: 'exported' });
  const attempts = async () => {
    const found: number[] = [];
    for await (const { record } of ledgerOf(migrationId, source).allEntries()) found.push(record?.attempt ?? 0);
    return found;
  };
  const before = await attempts();
  await exportStep({ migrationId }, services());
  const after = await attempts();
  expect(after.filter((attempt, index) => attempt !== before[index])).toEqual([2]);
  expect(await lines(migrationId)).toHaveLength(after.length);
});

test('Verify continues after a deadline, and verifies each window once', async () => {
  const { migrationId } = await exported();
  const stop = new AbortController();
  const seen: string[] = [];
  const onEvent: MigrationServices['onEvent'] = (event) => {
    if (event.kind === 'verified') seen.push(event.window);
    stop.abort();
  };
  const first = await verifyStep({ migrationId }, services({ deadline: stop.signal, onEvent }));
  const again = await verifyStep(first, services({ onEvent }));
  expect(again).toMatchObject({ done: true, continuation: again.windows, differing: again.windows });
  expect(new Set(seen).size).toBe(again.windows);
});

test('Report is failed and names the first difference while nothing is loaded', async () => {
  const { migrationId } = await exported();
  await verifyStep({ migrationId }, services());
  const report = await reportStep({ migrationId }, services());
  expect(report).toMatchObject({
    status: 'failed',
    message: expect.stringMatching(/^failed: \d+ differences: machines, .*: load:/),
  });
});

test('outputs are small', async () => {
  const output = await exported();
  const all = [
    output,
    await loadStep(output, services()),
    await verifyStep(output, services()),
    await reportStep(output, services()),
  ];
  for (const each of all) expect(JSON.stringify(each).length).toBeLessThan(1_500);
});

test.each([
  ['an unknown migration', { migrationId: 'm', input: { resume: 'missing' } }, /missing does not exist/],
  ['an input that is not an object', { migrationId: 'm', input: 'x' }, /must be a JSON object/],
  ['an unknown member', { migrationId: 'm', input: { ...REQUEST, colour: 1 } }, /colour/],
  [
    'an export that is no folder',
    { migrationId: 'm', input: { ...REQUEST, export: 's3://b/key' } },
    /must be s3:\/\/BUCKET\//,
  ],
  [
    'a range that ends before it begins',
    { migrationId: 'm', input: { ...REQUEST, from: '2024-01-02T00:00:00Z', to: '2024-01-01T00:00:00Z' } },
    /from: must be before to/,
  ],
  [
    'a time beyond 64-bit nanoseconds',
    { migrationId: 'm', input: { ...REQUEST, to: '9999-01-01T00:00:00Z' } },
    /to: must be between 1677-09-22 and 2262-04-11/,
  ],
])('Survey refuses %s', async (_, event, message) => {
  await expect(surveyStep(event, services())).rejects.toMatchObject({
    name: 'InvalidEventError',
    message: expect.stringMatching(message),
  });
});

test('a migration cannot be resumed with another target', async () => {
  const { migrationId } = await exported();
  const other = servicesOf(source, 'http://other:8086');
  await expect(surveyStep({ migrationId, input: { resume: migrationId } }, other)).rejects.toThrow(
    /loads into energy_data at/,
  );
});

test('the request, its survey and its end are fixed by the first run', async () => {
  const { migrationId } = await exported();
  const { to } = await ledgerOf(migrationId, source).migration();
  const later = await surveyStep({ migrationId, input: { resume: migrationId } }, services({ now: () => NOW + 1_000 }));
  expect(later).toMatchObject({ done: true, next: 'Export' });
  expect((await ledgerOf(migrationId, source).migration()).to).toBe(to);
  expect(WORK).toBe(ledgerOf(migrationId, source).workBucket);
});

// The tables of these tests come last: the other tests migrate all tables.
test('series are counted by the columns that become tags', async () => {
  const name = 'tagged';
  const records = ['1', '2', '3'].map((serial, n) =>
    multi({ device: 'a', serial }, { n: ['BIGINT', '1'] }, START, n === 0 ? 'cpu' : 'memory'),
  );
  await fill(source, name, records);
  const series = async (id: string, mapping: object) => {
    const input = { ...REQUEST, tables: [name], dryRun: true, mapping };
    await surveyStep({ migrationId: id, input }, services());
    return (await ledgerOf(id, source).survey(name))?.series;
  };
  expect(await series('series-1', {})).toBe(3);
  expect(await series('series-2', { dimensionsToFields: ['serial'] })).toBe(2);
  expect(await series('series-3', { dimensionsToFields: ['serial'], measureName: 'field' })).toBe(1);
});

test('two tables that become one measurement are a problem', async () => {
  for (const table of ['_same', 'same_']) await fill(source, table, [multi({ a: '1' }, { n: ['BIGINT', '1'] }, START)]);
  const migrationId = 'same-measurement';
  const input = { ...REQUEST, tables: ['_same', 'same_'] };
  expect(await surveyStep({ migrationId, input }, services())).toMatchObject({ next: 'Report', problems: 1 });
  const findings = await ledgerOf(migrationId, source).findings();
  expect(findings).toContainEqual(expect.objectContaining({ name: 'measurement', table: 'same_' }));
});
