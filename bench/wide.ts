/**
 * Measures the reader on wide files, from Parquet to line protocol, beside DuckDB, which builds the same lines with SQL in the same run.
 * Before the measurement it checks that the lines are the same.
 *
 *     npm run bench -- wide [rounds]
 *
 * The default is five rounds. `sparse` is an export of several tables: 1,010 columns, 41 of its fields have values, each in a seventh of the
 * rows. `dense` has 300 columns with a value in every row.
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

const ROUNDS = 5;
const BATCH_LINES = 5_000;

interface Shape {
  readonly rows: number;
  readonly fields: number;
  /** The SQL of a field at row `i`. */
  value(field: number): string;
}

const SHAPES: Record<string, Shape> = {
  sparse: {
    rows: 19_801,
    fields: 1_008,
    value: (field) =>
      field % 25 === 0 ? `CASE WHEN i % 7 = ${(field / 25) % 7} THEN ${number(field)} END` : 'NULL::DOUBLE',
  },
  dense: { rows: 19_801, fields: 298, value: number },
};

/** Never a whole number, whose text in DuckDB ends in .0. */
function number(field: number): string {
  return `(hash(i, ${field}) % 1000 + 0.5)::DOUBLE`;
}

const fieldsOf = ({ fields }: Shape): string[] => Array.from({ length: fields }, (_, field) => `f${field}`);
const fileIn = (folder: string, name: string): string => join(folder, `${name}.parquet`);

async function makeFile(path: string, shape: Shape): Promise<void> {
  const fields = fieldsOf(shape).map((name, field) => `${shape.value(field)} AS ${name}`);
  const time = `TIMESTAMP '2024-01-01' + INTERVAL 1 SECOND * i AS "time", 'host ' || (i % 50) AS host`;
  await query(
    `COPY (SELECT ${time}, ${fields.join()} FROM range(${shape.rows}) AS r(i)) TO '${path}' (FORMAT parquet)`,
  );
}

/** NULL || text is NULL, which concat_ws leaves out. */
function sqlOf(path: string, shape: Shape): string {
  const fields = fieldsOf(shape).map((name) => `'${name}=' || ${name}`);
  return `SELECT 'm,host=' || replace(host, ' ', '\\ ') || ' ' || concat_ws(',', ${fields.join()})
    || ' ' || epoch_ns("time") || chr(10) AS line FROM '${path}'`;
}

function mappingOf(shape: Shape): DatasetMapping {
  const fields = fieldsOf(shape).map((column) => ({ column, type: 'number' }));
  const mapping = { name: 'wide', measurement: 'm', time: { column: 'time' }, tags: { required: ['host'] }, fields };
  const [parsed] = parseMappings(JSON.stringify(mapping));
  if (!parsed) throw new Error('no mapping');
  return parsed;
}

/** Each one returns the number of lines that it made of a file. */
const ways: Record<string, (path: string, shape: Shape) => Promise<number>> = {
  'loader, lines': (path, shape) => readLines(path, mappingOf(shape), BATCH_LINES),
  'DuckDB, lines': async (path, shape) => (await sumLines(sqlOf(path, shape))).lines,
  /** A process that does nothing. */
  idle: () => Promise.resolve(0),
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
  const folder = mkdtempSync(join(tmpdir(), 'bench-wide-'));
  try {
    const rows: Row[] = [];
    for (const [name, shape] of Object.entries(SHAPES)) {
      const path = fileIn(folder, name);
      await makeFile(path, shape);
      await compare(path, shape);
      const argv = Object.fromEntries(Object.keys(ways).map((way) => [way, ['--way', way, name, folder]]));
      const outcomes = inTurn(argv, rounds);
      const cpu = (costs: readonly Cost[] = []) => costs.map(({ cpuSeconds }) => cpuSeconds);
      const baseline = cpu(outcomes['DuckDB, lines']);
      for (const [way, costs] of Object.entries(outcomes)) {
        rows.push({
          file: name,
          MB: round(statSync(path).size / 1e6, 1),
          way,
          'CPU-s': round(median(cpu(costs))),
          seconds: round(median(costs.map(({ seconds }) => seconds))),
          'peak MB': round(Math.max(...costs.map(({ peakMegabytes }) => peakMegabytes)), 0),
          // The ratio within each round, because the speed of the machine changes between rounds.
          ratio: round(median(cpu(costs).map((seconds, index) => seconds / (baseline[index] ?? 0)))),
        });
      }
    }
    report('wide', rows, { rows: 19_801, rounds });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

runMain(main);
