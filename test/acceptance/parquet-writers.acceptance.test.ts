/** Files of the usual Parquet writers, loaded into a real InfluxDB: its points are those that pyarrow reads, or the file is refused with a reason. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { findInfluxd, Influxd } from '../support/influxd';
import { configOf, DATA, load, testStore } from '../support/loader';
import { testReader } from '../support/parquet';
import { mapping } from '../support/parquet-mapping';
import { nanoseconds } from './differential/influxdb-side';
import { pythonWith, runPython } from './python';
import { describeProof, detail } from './report';

const python = pythonWith(
  'fastparquet, polars, duckdb, pandas, pyarrow',
  ...(['fastparquet==2026.9.0', 'pyarrow==26.0.1', 'polars==2.1.0', 'pandas==3.1.1', 'duckdb==2.0.1'] as const),
);

const point = z.tuple([z.string(), z.string().nullable(), z.number().nullable(), z.string().nullable()]);
const written = z.object({ path: z.string(), refused: z.string().nullable(), points: z.array(point).nullable() });
type Point = z.output<typeof point>;

const response = z.object({
  results: z.array(
    z.object({
      series: z
        .array(
          z.object({
            tags: z.object({ tag: z.string() }),
            columns: z.array(z.string()),
            values: z.array(z.array(z.union([z.string(), z.number(), z.null()]))),
          }),
        )
        .default([]),
    }),
  ),
});

const binary = findInfluxd();
const noInfluxd = binary === undefined ? 'no influxd: set INFLUXD to one of version 2.7' : undefined;
const reader = testReader();
const s3 = testStore();

describeProof(
  'pyarrow’s reading of files of third-party writers, and a real InfluxDB',
  noInfluxd ?? python.missing,
  () => {
    let influxd: Influxd | undefined;
    let files: z.output<typeof written>[] = [];
    const folder = mkdtempSync(path.join(tmpdir(), 'parquet-writers-'));
    beforeAll(async () => {
      if (binary !== undefined) influxd = await Influxd.start(binary);
      files = z.array(written).parse(await runPython(python.python, 'parquet/foreign_writers.py', [], folder));
    });
    afterAll(async () => {
      await influxd?.remove();
      rmSync(folder, { recursive: true });
    });

    async function stored(server: Influxd, bucket: string): Promise<Point[]> {
      const query = new URLSearchParams({ db: bucket, q: 'SELECT v, note FROM m GROUP BY "tag"' });
      const { results } = response.parse(await server.get(`/query?${query}`));
      return results.flatMap(({ series }) =>
        series.flatMap(({ tags, values }) =>
          values.map(
            ([time, v, note]): Point => [
              String(nanoseconds(String(time))),
              tags.tag || null,
              v === null ? null : Number(v),
              note === null ? null : String(note),
            ],
          ),
        ),
      );
    }

    test('each file is stored as pyarrow reads it, or refused with the reason', async () => {
      if (influxd === undefined) throw new Error('influxd was not started');
      expect(files.length).toBeGreaterThan(15);
      const rows: (string | number)[][] = [];
      for (const [index, file] of files.entries()) {
        const name = path.basename(file.path);
        const bucket = `file-${index}`;
        await influxd.makeBucket(bucket);
        s3.store.put(DATA, name, readFileSync(file.path));
        const mappings = [mapping({ texts: ['note'] })];
        const config = configOf(influxd.url, { INFLUXDB_BUCKET: bucket });
        const input = { bucket: DATA, key: name, dataset: 'x' };
        const summary = await load(input, { objects: s3.objects, reader }, config, {
          plan: { mappings },
          load: { mappings },
        });
        if (file.refused !== null) {
          expect({ name, cause: summary.causes[0]?.cause }).toEqual({
            name,
            cause: expect.stringContaining(file.refused),
          });
          rows.push([name, `refused: ${file.refused}`]);
          continue;
        }
        expect({ name, ...summary }).toMatchObject({ name, statusCode: 200, points_written: file.points?.length });
        const order = (points: readonly Point[] = []) => points.map((each) => JSON.stringify(each)).sort();
        expect({ name, points: order(await stored(influxd, bucket)) }).toEqual({
          name,
          points: order(file.points ?? []),
        });
        rows.push([name, `${file.points?.length} points`]);
      }
      detail('Files of third-party writers', ['file', 'outcome'], rows);
    });
  },
);
