/** Random Parquet files, loaded into a real InfluxDB: its points are compared with the rows that DuckDB reads from the files. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findInfluxd, Influxd } from '../support/influxd';
import { configOf, DATA, load, testStore } from '../support/loader';
import { testReader } from '../support/parquet';
import { nanoseconds } from './differential/influxdb-side';
import { SEED } from './differential/random-cases';
import { type Column, type Description, DUCKDB, descriptions, PYARROW } from './parquet/descriptions';
import { type ExpectedPoint, pointsIn, writeByDuckdb } from './parquet/duckdb';
import { pythonWith, runPython } from './python';
import { describeProof, detail } from './report';

const VERSION = '26.0.1';
const pyarrow = pythonWith('pyarrow.parquet', `pyarrow==${VERSION}`);

interface Writer {
  readonly name: string;
  readonly missing: string | undefined;
  readonly files: readonly Description[];
  readonly write: (files: readonly (Description & { readonly path: string })[]) => Promise<unknown>;
}

const WRITERS: readonly Writer[] = [
  {
    name: 'DuckDB',
    missing: undefined,
    files: descriptions(DUCKDB, SEED, 12, 5_000),
    write: (files) => Promise.all(files.map(writeByDuckdb)),
  },
  {
    name: `pyarrow ${VERSION}`,
    missing: pyarrow.missing,
    files: descriptions(PYARROW, SEED, 18, 800),
    write: (files) =>
      runPython(
        pyarrow.python,
        'parquet/write_files.py',
        files.map(({ columns, ...file }) => ({
          ...file,
          columns: columns.map(({ name, kind, nulls }) => [name, kind, nulls]),
        })),
      ),
  },
];

/** A field of a point as text; numbers as doubles, or with single precision if the column has it. */
function textOf(
  time: bigint,
  tags: Readonly<Record<string, string>>,
  field: string,
  value: unknown,
  isSingle: boolean,
) {
  const number = typeof value === 'number' ? (isSingle ? Math.fround(value) : value) : undefined;
  const sorted = Object.entries(tags).filter(([, tag]) => tag !== '');
  return JSON.stringify([String(time), sorted.sort(([a], [b]) => (a < b ? -1 : 1)), field, number ?? value]);
}

/** Whether the column of a field has single precision: `value` becomes several fields, by the unit. */
function singles(columns: readonly Column[]): (field: string) => boolean {
  const isSingle = (name: string): boolean =>
    columns.some((column) => column.name === name && column.kind === 'float32');
  return (field) => isSingle(['capacity_mw', 'efficiency'].includes(field) ? field : 'value');
}

function expectedTexts(points: readonly ExpectedPoint[], columns: readonly Column[]): string[] {
  const isSingle = singles(columns);
  const texts = points.flatMap(({ time, tags, fields }) =>
    Object.entries(fields).map(([field, value]) => textOf(BigInt(time), tags, field, value, isSingle(field))),
  );
  return texts.sort();
}

interface InfluxqlAnswer {
  readonly results: readonly {
    readonly series?: readonly {
      readonly tags: Readonly<Record<string, string>>;
      readonly columns: readonly string[];
      readonly values: readonly (readonly [time: string, ...values: (string | number | null)[]])[];
    }[];
  }[];
}

/** Reads with InfluxQL, because Flux 2.7 assigns texts after an empty one to the wrong rows. */
async function storedTexts(server: Influxd, bucket: string, columns: readonly Column[]): Promise<string[]> {
  const isSingle = singles(columns);
  const query = new URLSearchParams({ db: bucket, q: 'SELECT * FROM generation_data GROUP BY *' });
  const { results } = await server.get<InfluxqlAnswer>(`/query?${query}`);
  const texts = results.flatMap(({ series = [] }) =>
    series.flatMap(({ tags, columns: [, ...fields], values }) =>
      values.flatMap(([time, ...cells]) =>
        fields.flatMap((field, index) => {
          const cell = cells[index] ?? null;
          return cell === null ? [] : [textOf(nanoseconds(time), tags, field, cell, isSingle(field))];
        }),
      ),
    ),
  );
  return texts.sort();
}

const binary = findInfluxd();
const noInfluxd = binary === undefined ? 'no influxd: set INFLUXD to one of version 2.7' : undefined;
const reader = testReader();
const s3 = testStore();
let influxd: Influxd | undefined;

beforeAll(async () => {
  if (binary !== undefined) influxd = await Influxd.start(binary);
});
afterAll(() => influxd?.remove());

for (const { name, missing, files, write } of WRITERS) {
  const proof = `DuckDB’s reading of random files (seed ${SEED}), and a real InfluxDB`;
  describeProof(proof, noInfluxd ?? missing, () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'parquet-'));
    const placed = files.map((file, index) => ({ ...file, path: path.join(folder, `${index}.parquet`) }));
    beforeAll(() => write(placed));
    afterAll(() => rmSync(folder, { recursive: true }));

    const loaded: (string | number)[][] = [];
    test.each(placed.map((file, index) => [index + 1, file] as const))(
      `file %i of ${name} is loaded value by value`,
      async (number, { path: file, rows, columns, options }) => {
        if (influxd === undefined) throw new Error('influxd was not started');
        const bucket = `${name}-${number}`;
        await influxd.makeBucket(bucket);
        s3.store.put(DATA, 'generation/file.parquet', readFileSync(file));
        const config = configOf(influxd.url, { INFLUXDB_BUCKET: bucket });
        const harness = { objects: s3.objects, reader };
        const input = { bucket: DATA, key: 'generation/file.parquet' };
        const summary = await load(input, harness, config, { plan: { targets: { bytes: 1, rows: 1 } } });
        const points = await pointsIn(file, columns);
        expect(summary).toMatchObject({ statusCode: 200, points_written: points.length });
        expect(await storedTexts(influxd, bucket, columns)).toEqual(expectedTexts(points, columns));
        const types = columns.map((column) => `${column.name} ${column.kind}`).join(', ');
        const chosen = Object.entries(options).map(
          ([key, value]) => `${key} ${typeof value === 'object' ? 'delta and others' : value}`,
        );
        loaded.push([number, rows, points.length, types, chosen.join(', ')]);
      },
    );

    afterAll(() => detail(`Files written by ${name}`, ['file', 'rows', 'points', 'columns', 'written with'], loaded));
  });
}
