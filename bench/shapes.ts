/**
 * Measures the reader on files of several shapes, from Parquet to line protocol, beside DuckDB, which builds the same lines with SQL in the
 * same run. Before the measurement it checks that the lines are the same.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DatasetMapping, parseMappings } from 'shared/datasets/mapping';
import { query, sumLines } from './duckdb';
import { LineSet } from './line-set';
import { readLines } from './read-lines';
import { type Row, report } from './report';
import { type Cost, costSoFar, inTurn } from './runs';

const BATCH_LINES = 5_000;

export interface Shape {
  /** The SQL of its fields at row `i`, each with `AS` and its name. */
  readonly fields: readonly string[];
  /** The SQL of each field in line protocol; NULL for none. */
  readonly lines: readonly string[];
  /** Fields of the mapping. */
  readonly mapped: readonly object[];
}

/** Each one returns the number of lines that it made of a file. */
export type Ways = Readonly<Record<string, (path: string, shape: Shape) => Promise<number>>>;

export const LOADER = 'loader, lines';
export const DUCKDB = 'DuckDB, lines';
export const readerWays: Ways = {
  [LOADER]: (path, shape) => readLines(path, mappingOf(shape), BATCH_LINES),
  [DUCKDB]: async (path, shape) => (await sumLines(sqlOf(path, shape))).lines,
};

export interface ShapeBenchmark {
  readonly name: string;
  readonly shapes: Readonly<Record<string, Shape>>;
  readonly rows: number;
  readonly rounds: number;
  readonly ways: Ways;
  /** The rows of the report for a shape. */
  figures(shape: string, megabytes: number, costs: Readonly<Record<string, readonly Cost[]>>): Row[];
}

/**
 * Runs the benchmark with the arguments of this program: the number of rounds, or `--way` with one implementation, shape and folder.
 * @throws Error if the reader makes other lines than DuckDB
 */
export async function runShapes({ name, shapes, ways, figures, ...given }: ShapeBenchmark): Promise<void> {
  const [first, ...rest] = process.argv.slice(2);
  if (first === '--way') {
    const [way = '', of = '', folder = ''] = rest;
    const shape = shapes[of];
    if (shape) await ways[way]?.(fileIn(folder, of), shape);
    console.log(JSON.stringify(costSoFar()));
    return;
  }
  const rounds = Number(first ?? given.rounds);
  const folder = mkdtempSync(join(tmpdir(), `bench-${name}-`));
  try {
    const found: Row[] = [];
    for (const [of, shape] of Object.entries(shapes)) {
      const path = fileIn(folder, of);
      await makeFile(path, shape, given.rows);
      await compare(path, shape);
      const argv = Object.fromEntries(Object.keys(ways).map((way) => [way, ['--way', way, of, folder]]));
      found.push(...figures(of, statSync(path).size / 1e6, inTurn(argv, rounds)));
      rmSync(path);
    }
    await report(name, found, { rows: given.rows, rounds });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const fileIn = (folder: string, shape: string): string => join(folder, `${shape.replaceAll(' ', '-')}.parquet`);

async function makeFile(path: string, { fields }: Shape, rows: number): Promise<void> {
  const time = `TIMESTAMP '2024-01-01' + INTERVAL 1 SECOND * i AS "time", 'h' || (i % 50) AS host`;
  await query(`COPY (SELECT ${time}, ${fields.join()} FROM range(${rows}) AS r(i)) TO '${path}' (FORMAT parquet)`);
}

function sqlOf(path: string, { lines }: Shape): string {
  return `SELECT 'm,host=' || host || ' ' || concat_ws(',', ${lines.join()})
    || ' ' || epoch_ns("time") || chr(10) AS line FROM '${path}'`;
}

function mappingOf({ mapped: fields }: Shape): DatasetMapping {
  const mapping = { name: 'bench', measurement: 'm', time: { column: 'time' }, tags: { required: ['host'] }, fields };
  const [parsed] = parseMappings(JSON.stringify(mapping));
  if (!parsed) throw new Error('no mapping');
  return parsed;
}

async function compare(path: string, shape: Shape): Promise<void> {
  const [read, expected] = [new LineSet(), new LineSet()];
  await readLines(path, mappingOf(shape), BATCH_LINES, (bytes) => {
    for (const line of Buffer.from(bytes)
      .toString()
      .split(/(?<=\n)/))
      read.add(line);
  });
  await query(sqlOf(path, shape), (line) => expected.add(String(line)));
  if (String(read) !== String(expected)) throw new Error(`the reader makes ${read}; DuckDB makes ${expected}`);
}
