/** Columns that are only in the path of a file, for each way to start the loader. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { DatasetMapping } from 'shared/datasets/mapping';
import { parseMappings } from 'shared/datasets/mapping';
import { checkHealth } from 'shared/influxdb/health';
import type { Summary } from 'shared/loads/summary';
import { PARAMETER_ADVICE } from '../../../functions/clients/influxdb';
import { LoadMetrics } from '../../../functions/load-metrics';
import { loadObject } from '../../../functions/load-object/load-object';
import { WORK as LOCAL_WORK, openReport } from '../../../local/loader/report-folder';
import { readSources } from '../../../local/loader/source';
import { configOf, DATA, load, loadServices, parquetOf, testStore, WORK } from '../../support/loader';
import { testReader } from '../../support/parquet';
import { ScriptedServer } from '../../support/scripted-server';

const reader = testReader();
const s3 = testStore();
let influxdb: ScriptedServer;

beforeAll(async () => {
  influxdb = await ScriptedServer.start(() => ({ status: 204 }));
});
beforeEach(() => {
  influxdb.requests.length = 0;
});
afterAll(() => influxdb.stop());

/** Sorted by time. */
const lines = (): string[] =>
  influxdb.requests
    .flatMap(({ body }) => body.split('\n'))
    .filter((line) => line.startsWith('m'))
    .sort((a, b) => Number(a.split(' ').at(-1)) - Number(b.split(' ').at(-1)));

const mapping = (fields: object): DatasetMapping[] =>
  parseMappings(
    JSON.stringify({
      name: 'x',
      measurement: 'm',
      time: { column: 't' },
      tags: { required: ['region'], optional: ['plant'] },
      fields: [{ column: 'v', type: 'number', required: true }],
      ...fields,
    }),
  );
const MAPPING = mapping({});
const fieldsOf = ([first]: readonly DatasetMapping[]) => first?.fields ?? [];

/** Two rows, at 1 and 2 s. */
const rows = (columns = ''): Promise<Buffer> =>
  parquetOf(`SELECT make_timestamp_ns(i * 1000000000) AS t, i::DOUBLE AS v ${columns} FROM range(1, 3) r(i)`);

type Load = (key: string, bytes: Buffer, mappings: readonly DatasetMapping[]) => Promise<unknown>;

const byWorkflow: Load = (key, bytes, mappings) => {
  s3.store.put(DATA, key, bytes);
  const harness = { objects: s3.objects, reader };
  const input = { bucket: DATA, prefix: 'in/', dataset: 'x' };
  return load(input, harness, configOf(influxdb.url), { plan: { mappings }, load: { mappings } });
};
const byObject: Load = (key, bytes, mappings) => {
  s3.store.put(DATA, key, bytes);
  const services = loadServices({ objects: s3.objects, reader }, configOf(influxdb.url), { mappings });
  const healthy = () => checkHealth(services.influxdb as Parameters<typeof checkHealth>[0], PARAMETER_ADVICE);
  return loadObject(
    { bucket: DATA, key, dataset: 'x' },
    { ...services, loadId: 'object-1', checkHealth: healthy, metrics: new LoadMetrics() },
  );
};
const byFolder: Load = async (key, bytes, mappings) => {
  const folder = mkdtempSync(join(tmpdir(), 'partitions-'));
  try {
    const path = join(folder, key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    const { input, objects } = await readSources([join(folder, 'in')], openReport(join(folder, 'work'), new Date()));
    const config = { ...configOf(influxdb.url), workBucket: LOCAL_WORK };
    const plan = { mappings, workBucket: LOCAL_WORK };
    return await load({ ...input, dataset: 'x' }, { objects, reader }, config, { plan, load: { mappings } });
  } finally {
    rmSync(folder, { recursive: true });
  }
};

describe.each([
  ['the workflow', byWorkflow],
  ['load-object', byObject],
  ['a local folder', byFolder],
])('by %s', (_, run) => {
  test('the path supplies tags that are missing in the file', async () => {
    const result = await run('in/region=S%C3%A3o%20Paulo/year=2024/plant=a=b/part.parquet', await rows(), MAPPING);
    expect(result).toMatchObject({ statusCode: 200 });
    expect(lines()).toEqual([
      'm,plant=a\\=b,region=São\\ Paulo v=1 1000000000',
      'm,plant=a\\=b,region=São\\ Paulo v=2 2000000000',
    ]);
  });

  test('the file takes precedence if both have a column', async () => {
    await run('in/region=sul/plant=a/part.parquet', await rows(", 'norte' AS region, NULL::VARCHAR AS plant"), MAPPING);
    expect(lines()).toEqual(['m,region=norte v=1 1000000000', 'm,region=norte v=2 2000000000']);
  });

  test('null in the path omits an optional tag or field, without a warning', async () => {
    const mappings = mapping({ fields: [...fieldsOf(MAPPING), { column: 'note', type: 'text' }] });
    const folders = ['region=sul', 'plant=__HIVE_DEFAULT_PARTITION__', 'note=__HIVE_DEFAULT_PARTITION__'];
    const result = await run(`in/${folders.join('/')}/part.parquet`, await rows(), mappings);
    expect(lines()).toEqual(['m,region=sul v=1 1000000000', 'm,region=sul v=2 2000000000']);
    expect(JSON.stringify(result)).not.toContain('left-out');
  });

  test('the path supplies numbers, texts and the time', async () => {
    const mappings = mapping({
      time: { column: 'at', zone: 'America/Sao_Paulo' },
      fields: [
        { column: 'v', type: 'number' },
        { column: 'year', type: 'number', required: true },
        { column: 'source', type: 'text', name: 'origin' },
      ],
    });
    const bytes = await parquetOf('SELECT 1.5::DOUBLE AS v');
    await run('in/region=sul/year=2024/source=say "hi"/at=2024-03-01 12%3A00%3A00/part.parquet', bytes, mappings);
    expect(lines()).toEqual(['m,region=sul origin="say \\"hi\\"",v=1.5,year=2024 1709305200000000000']);
  });
});

describe('a required column of the path', () => {
  const failureOf = async (key: string, mappings: readonly DatasetMapping[] = MAPPING) => {
    const summary = (await byWorkflow(key, await rows(), mappings)) as Summary;
    expect(lines()).toEqual([]);
    return summary.causes[0]?.cause;
  };
  const numbers = mapping({ fields: [{ column: 'year', type: 'number', required: true }] });

  test.each([
    ['is null', 'in/region=__HIVE_DEFAULT_PARTITION__/part.parquet', MAPPING, /column region.* has no value/],
    ['is empty', 'in/region=/part.parquet', MAPPING, /column region has no value: the path says ""/],
    ['is not a number', 'in/region=a/year=MMXXIV/p.parquet', numbers, /column year is not a number.*"MMXXIV"/],
    [
      'is not a time',
      'in/region=a/at=noon/p.parquet',
      mapping({ time: { column: 'at' } }),
      /column at is not a time.*"noon"/,
    ],
    ['is written in another case', 'in/Region=a/part.parquet', MAPPING, /column region is missing.*its path Region/],
  ])('that %s fails the file before a row is read, and is named', async (_, key, mappings, cause) => {
    expect(await failureOf(key, mappings)).toMatch(cause);
  });
});

test('an invalid row is saved with the columns of its path', async () => {
  const bytes = await parquetOf(`SELECT make_timestamp_ns(1000000000) AS t, 'nan'::DOUBLE AS v UNION ALL
    SELECT make_timestamp_ns(2000000000), 2`);
  await byWorkflow('in/region=sul/part.parquet', bytes, MAPPING);
  const [key] = [...s3.store.objects.keys()].filter((name) => name.startsWith(`${WORK}/loads/load-1/invalid/`));
  const text = gunzipSync(s3.store.objects.get(key ?? '') ?? Buffer.alloc(0)).toString();
  expect(JSON.parse(text.split('\n')[0] ?? '')).toMatchObject({ column: 'v', values: { region: 'sul', v: 'NaN' } });
});

describe('a unit in the path', () => {
  const mappings = mapping({
    fields: [
      {
        column: 'v',
        type: 'number',
        required: true,
        named: { by: 'unit', names: { kV: 'voltage' }, otherwise: 'value' },
      },
      { column: 'voltage', type: 'number' },
    ],
  });

  test('names the field, and a column with that name gets another', async () => {
    await byWorkflow('in/region=sul/unit=kV/part.parquet', await rows(', 0.5::DOUBLE AS voltage'), mappings);
    expect(lines()[0]).toBe('m,region=sul voltage=1,nominal_voltage=0.5 1000000000');
  });

  test('does not affect other names', async () => {
    await byWorkflow('in/region=sul/unit=A/part.parquet', await rows(', 0.5::DOUBLE AS voltage'), mappings);
    expect(lines()[0]).toBe('m,region=sul value=1,voltage=0.5 1000000000');
  });

  test('names the field, also if a column of the path has that name', async () => {
    await byWorkflow('in/region=sul/unit=kV/voltage=2/part.parquet', await rows(), mappings);
    expect(lines()[0]).toBe('m,region=sul voltage=1,nominal_voltage=2 1000000000');
  });

  test('gives its other name to a file that lacks it, and a column with that name gets another', async () => {
    await byWorkflow('in/region=sul/part.parquet', await rows(', 0.5::DOUBLE AS voltage'), mappings);
    expect(lines()[0]).toBe('m,region=sul value=1,voltage=0.5 1000000000');
    influxdb.requests.length = 0;
    const own = mapping({ fields: [...fieldsOf(mappings), { column: 'value', type: 'number' }] });
    await byWorkflow('in/region=sul/part.parquet', await rows(', 2::DOUBLE AS "value"'), own);
    expect(lines()[0]).toBe('m,region=sul value=1,nominal_value=2 1000000000');
  });

  test('names no field if the file lacks the values', async () => {
    const [first, ...others] = fieldsOf(mappings);
    const optional = mapping({ fields: [{ ...first, column: 'w', required: false }, ...others] });
    await byWorkflow('in/region=sul/unit=kV/part.parquet', await rows(', 0.5::DOUBLE AS voltage'), optional);
    expect(lines()[0]).toBe('m,region=sul voltage=0.5 1000000000');
  });

  test('renames a text field of that name, and reports it', async () => {
    const texts = mapping({ fields: [fieldsOf(mappings)[0], { column: 'note', type: 'text', name: 'voltage' }] });
    const bytes = await rows(", 'hello' AS note, 'kV' AS unit");
    const summary = await byWorkflow('in/region=sul/part.parquet', bytes, texts);
    expect(lines()[0]).toBe('m,region=sul nominal_voltage="hello",voltage=1 1000000000');
    expect(summary).toMatchObject({ warnings: { 'renamed note': 1 } });
  });
});

describe('a tag that is only backslashes', () => {
  const backslashes = ", chr(92) || ' ' || chr(92) AS plant, 'kV' AS unit";

  test('is a missing value: a required tag makes the row invalid', async () => {
    const required = mapping({ tags: { required: ['plant'] } });
    await expect(byWorkflow('in/part.parquet', await rows(backslashes), required)).resolves.toMatchObject({
      invalid_records: { 'plant missing': 2 },
    });
    expect(lines()).toEqual([]);
  });

  test('is left out if the tag is optional', async () => {
    await byWorkflow('in/region=sul/part.parquet', await rows(backslashes), MAPPING);
    expect(lines()[0]).toBe('m,region=sul v=1 1000000000');
  });

  test('is refused in the path', async () => {
    const key = 'in/region=%5C/part.parquet';
    await expect(byWorkflow(key, await rows(), MAPPING)).resolves.toMatchObject({ failed_items: 1 });
    expect(lines()).toEqual([]);
  });
});
