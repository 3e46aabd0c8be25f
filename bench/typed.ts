/**
 * Measures the reader on columns of each field type, from Parquet to line protocol, beside DuckDB, which builds the same lines with SQL in
 * the same run. Before the measurement it checks that the lines are the same.
 *
 *     npm run bench -- typed [rounds]
 *
 * The default is three rounds. Each file has 300,000 rows with eight columns of one type.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DatasetMapping, parseMappings } from 'shared/datasets/mapping';
import { query, sumLines } from './duckdb';
import { LineSet } from './line-set';
import { readLines } from './read-lines';
import { type Row, report, round } from './report';
import { type Cost, costSoFar, inTurn, median, runMain } from './runs';

const ROUNDS = 3;
const ROWS = 300_000;
const COLUMNS = 8;
const BATCH_LINES = 5_000;

interface Shape {
  /** The type of the fields, with its options. */
  readonly field: object;
  /** The SQL of column `k` at row `i`. */
  readonly column: string;
  /** The SQL of a field's value `c` in line protocol. */
  readonly line: string;
}

const bigint = '(hash(i, k) // 2048)::BIGINT';
const integral = '(hash(i, k) % 1000000)::BIGINT';
const double = '((hash(i, k) % 100000) + 0.5)::DOUBLE';
const moment = "TIMESTAMP '2024-01-01' + INTERVAL 1 SECOND * (i * 8 + k)";

const SHAPES: Record<string, Shape> = {
  'number of DOUBLE': { field: { type: 'number' }, column: double, line: 'c' },
  'float of DOUBLE': { field: { type: 'float' }, column: double, line: 'c' },
  'number of BIGINT': { field: { type: 'number' }, column: integral, line: 'c' },
  'integer of BIGINT': { field: { type: 'integer' }, column: integral, line: "c || 'i'" },
  'integer of long BIGINT': { field: { type: 'integer' }, column: bigint, line: "c || 'i'" },
  'unsigned of UBIGINT': { field: { type: 'unsigned' }, column: 'hash(i, k)', line: "c || 'u'" },
  'boolean of BOOLEAN': { field: { type: 'boolean' }, column: 'hash(i, k) % 2 = 0', line: 'c' },
  'integer of DECIMAL': { field: { type: 'integer' }, column: `${integral}::DECIMAL(18, 2)`, line: "c::BIGINT || 'i'" },
  'timestamp of TIMESTAMP': { field: { type: 'timestamp' }, column: moment, line: "epoch_ns(c) || 'i'" },
  'rfc3339 of TIMESTAMP': {
    field: { type: 'timestamp', as: 'rfc3339' },
    column: moment,
    line: `strftime(c, '"%Y-%m-%dT%H:%M:%SZ"')`,
  },
  'string of many VARCHAR': { field: { type: 'string' }, column: "'value ' || hash(i, k)", line: `'"' || c || '"'` },
  'string of few VARCHAR': {
    field: { type: 'string' },
    column: "'value ' || (hash(i, k) % 3)",
    line: `'"' || c || '"'`,
  },
  'text of few VARCHAR': { field: { type: 'text' }, column: "'value ' || (hash(i, k) % 3)", line: `'"' || c || '"'` },
};

const names = Array.from({ length: COLUMNS }, (_, index) => `f${index}`);
const fileIn = (folder: string, name: string): string => join(folder, `${name.replaceAll(' ', '-')}.parquet`);

async function makeFile(path: string, { column }: Shape): Promise<void> {
  const fields = names.map((name, index) => `${column.replaceAll(/\bk\b/g, String(index))} AS ${name}`);
  const time = `TIMESTAMP '2024-01-01' + INTERVAL 1 SECOND * i AS "time", 'h' || (i % 50) AS host`;
  await query(`COPY (SELECT ${time}, ${fields.join()} FROM range(${ROWS}) AS r(i)) TO '${path}' (FORMAT parquet)`);
}

function sqlOf(path: string, { line }: Shape): string {
  const fields = names.map((name) => `'${name}=' || ${line.replaceAll(/\bc\b/g, name)}`);
  return `SELECT 'm,host=' || host || ' ' || concat_ws(',', ${fields.join()})
    || ' ' || epoch_ns("time") || chr(10) AS line FROM '${path}'`;
}

function mappingOf({ field }: Shape): DatasetMapping {
  const fields = names.map((column) => ({ column, ...field }));
  const mapping = { name: 'typed', measurement: 'm', time: { column: 'time' }, tags: { required: ['host'] }, fields };
  const [parsed] = parseMappings(JSON.stringify(mapping));
  if (!parsed) throw new Error('no mapping');
  return parsed;
}

/** Each one returns the number of lines that it made of a file. */
const ways: Record<string, (path: string, shape: Shape) => Promise<number>> = {
  loader: (path, shape) => readLines(path, mappingOf(shape), BATCH_LINES),
  DuckDB: async (path, shape) => (await sumLines(sqlOf(path, shape))).lines,
};

/** @throws Error if the reader makes other lines than DuckDB */
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

async function main(): Promise<void> {
  const [first, ...rest] = process.argv.slice(2);
  if (first === '--way') {
    const [way = '', name = '', folder = ''] = rest;
    const shape = SHAPES[name];
    if (shape) await ways[way]?.(fileIn(folder, name), shape);
    console.log(JSON.stringify(costSoFar()));
    return;
  }
  const rounds = Number(first ?? ROUNDS);
  const folder = mkdtempSync(join(tmpdir(), 'bench-typed-'));
  try {
    const rows: Row[] = [];
    for (const [name, shape] of Object.entries(SHAPES)) {
      const path = fileIn(folder, name);
      await makeFile(path, shape);
      await compare(path, shape);
      const argv = Object.fromEntries(Object.keys(ways).map((way) => [way, ['--way', way, name, folder]]));
      const outcomes = inTurn(argv, rounds);
      const cpu = (costs: readonly Cost[] = []) => costs.map(({ cpuSeconds }) => cpuSeconds);
      const [loader, duckdb] = [cpu(outcomes.loader), cpu(outcomes.DuckDB)];
      rows.push({
        fields: name,
        MB: round(statSync(path).size / 1e6, 1),
        'loader, CPU-s': round(median(loader)),
        'DuckDB, CPU-s': round(median(duckdb)),
        // The ratio within each round, because the speed of the machine changes between rounds.
        ratio: round(median(loader.map((seconds, index) => seconds / (duckdb[index] ?? 0)))),
        'peak MB': round(Math.max(...(outcomes.loader ?? []).map(({ peakMegabytes }) => peakMegabytes)), 0),
      });
      rmSync(path);
    }
    report('typed', rows, { rows: ROWS, columns: COLUMNS, rounds });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

runMain(main);
