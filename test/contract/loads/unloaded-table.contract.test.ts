/** Tables that the embedded Timestream exports by UNLOAD: each format gives the points that were written. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QueryCommand } from '@aws-sdk/client-timestream-query';
import type { _Record as Record_ } from '@aws-sdk/client-timestream-write';
import type { LineWriter } from 'shared/influxdb/client';
import { splitLines } from 'shared/influxdb/lines';
import { FolderObjects } from '../../../local/loader/folder-objects';
import { FolderDestination } from '../../../local/timestream/unload/folder-destination';
import { configOf, load, WORK } from '../../support/loader';
import { testReader } from '../../support/parquet';
import { from, type Harness, makeTable, NOW, startHarness, writeRecords } from '../timestream/harness';

const folder = mkdtempSync(join(tmpdir(), 'unloaded-'));
const reader = testReader();
let timestream: Harness;
let table: string;

beforeAll(async () => {
  timestream = await startHarness({
    now: () => NOW,
    unload: { destination: new FolderDestination(folder), intervalMs: 0 },
  });
  table = await makeTable(timestream);
  await writeRecords(timestream, table, RECORDS);
});
afterAll(async () => {
  await timestream.close();
  rmSync(folder, { recursive: true });
});

const START = BigInt(NOW) * 1_000_000n;
const multi = (
  index: number,
  dimensions: Record<string, string>,
  values: Record<string, readonly ['DOUBLE' | 'BIGINT' | 'VARCHAR' | 'BOOLEAN' | 'TIMESTAMP', string]>,
): Record_ => ({
  Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
  MeasureName: 'influxdb-measure',
  MeasureValueType: 'MULTI',
  MeasureValues: Object.entries(values).map(([Name, [Type, Value]]) => ({ Name, Type, Value })),
  Time: String(START - BigInt(index)),
  TimeUnit: 'NANOSECONDS',
});

const RECORDS = [
  multi(0, { host: 'a b,c=d', region: 'eu' }, { v: ['DOUBLE', '0.1'], n: ['BIGINT', '9007199254740993'] }),
  multi(1, { host: ' "quoted" \\ ' }, { note: ['VARCHAR', 'two\nlines, "quotes" and \\'], ok: ['BOOLEAN', 'true'] }),
  multi(
    2,
    { host: 'null' },
    { note: ['VARCHAR', '|^"'], at: ['TIMESTAMP', String(START - 1n)], v: ['DOUBLE', '-1e300'] },
  ),
];
const LINES = [
  `t,host=\\ "quoted"\\ \\\\  note="two\nlines, \\"quotes\\" and \\\\",ok=true ${START - 1n}`,
  `t,host=a\\ b\\,c\\=d,region=eu n=9007199254740993i,v=0.1 ${START}`,
  `t,host=null at=${START - 1n}i,note="|^\\"",v=-1e+300 ${START - 2n}`,
];

/** Fields in the order of their names: SELECT * has measures in no useful order. */
function sorted(line: string): string {
  const [, head = '', fields = '', time = ''] = /^((?:\\.|[^ \\]|\\(?! ))+) (.*) (\d+)$/s.exec(line) ?? [];
  const parts = fields.match(/[^=,]+=(?:"(?:[^"\\]|\\.)*"|[^,]+)/gs) ?? [];
  return `${head} ${parts.sort().join()} ${time}`;
}

async function loaded(name: string, select: string, withOptions: string, options: object = {}) {
  const address = `s3://exports/${name}`;
  const QueryString = `UNLOAD (${select}) TO '${address}' WITH (${withOptions})`;
  await timestream.query.send(new QueryCommand({ QueryString }));
  const lines: string[] = [];
  const influxdb: LineWriter = {
    encode: (batch) => Promise.resolve({ lines: batch, body: batch }),
    write: ({ lines: batch }) => {
      lines.push(...splitLines(batch).map((line) => Buffer.from(line).toString().trimEnd()));
      return Promise.resolve({ kind: 'written' });
    },
  };
  const objects = new FolderObjects({ exports: join(folder, 'exports'), [WORK]: join(folder, 'work', name) });
  const input = { export: `${address}/`, options: { measurement: 't', measureName: 'drop', ...options } };
  const summary = await load(input, { objects, reader }, configOf('http://unused'), { load: { influxdb } });
  return { summary, lines: lines.map(sorted).sort() };
}

test.each<[string, string, object]>([
  ['parquet', "format = 'PARQUET', compression = 'NONE'", {}],
  ['parquet-gzip', "format = 'PARQUET', compression = 'GZIP'", {}],
  ['csv', "format = 'CSV', compression = 'NONE'", {}],
  ['csv-gzip-header', "include_header = 'true'", {}],
  [
    'csv-other',
    "format = 'CSV', compression = 'NONE', field_delimiter = '|', escaped_by = '^'",
    { csv: { delimiter: '|', escape: '^' } },
  ],
])('%s has the points that were written', async (name, withOptions, options) => {
  const { summary, lines } = await loaded(name, `SELECT * FROM ${from(table)}`, withOptions, options);
  expect(lines).toEqual(LINES.map(sorted).sort());
  expect(summary.tables?.t).toMatchObject({
    manifest_rows: 3,
    points: 3,
    empty: 0,
    invalid: 0,
    merged: 0,
    accounted: true,
  });
});

test('a partition column with spaces is left out, or a tag if it is named', async () => {
  const select = `SELECT *, 'day one' AS day FROM ${from(table)}`;
  const partitioned = "format = 'PARQUET', partitioned_by = ARRAY['day']";
  const left = await loaded('partitioned', select, partitioned);
  expect(left.lines).toEqual(LINES.map(sorted).sort());
  expect(left.summary.tables?.t?.left_out).toEqual(['day']);
  const kept = await loaded('partitioned', select, partitioned, { dimensions: ['host', 'region', 'day'] });
  expect(kept.lines.every((line) => line.startsWith('t,day=day\\ one,host='))).toBe(true);
  // The folder now has two exports of the query.
  expect(kept.summary.tables?.t).toMatchObject({ queries: 2, points: 6, merged: 3 });
});
