/**
 * Measures the reader on wide files, from Parquet to line protocol, beside DuckDB, which builds the same lines with SQL in the same run.
 * Before the measurement it checks that the lines are the same.
 *
 *     npm run bench -- wide [rounds]
 *
 * The default is five rounds. `sparse` is an export of several tables: 1,010 columns, 41 of its fields have values, each in a seventh of the
 * rows. `dense` has 300 columns with a value in every row.
 */
import { round } from './report';
import { median, runMain } from './runs';
import { DUCKDB, readerWays, runShapes, type Shape } from './shapes';

const ROWS = 19_801;
const ROUNDS = 5;

/** @param value the SQL of a field at row `i` */
function shapeOf(fields: number, value: (field: number) => string): Shape {
  const names = Array.from({ length: fields }, (_, field) => `f${field}`);
  return {
    fields: names.map((name, field) => `${value(field)} AS ${name}`),
    // NULL || text is NULL, which concat_ws leaves out.
    lines: names.map((name) => `'${name}=' || ${name}`),
    mapped: names.map((column) => ({ column, type: 'number' })),
  };
}

/** Never a whole number, whose text in DuckDB ends in .0. */
const number = (field: number): string => `(hash(i, ${field}) % 1000 + 0.5)::DOUBLE`;

const sparse = (field: number): string =>
  field % 25 === 0 ? `CASE WHEN i % 7 = ${(field / 25) % 7} THEN ${number(field)} END` : 'NULL::DOUBLE';

runMain(() =>
  runShapes({
    name: 'wide',
    shapes: { sparse: shapeOf(1_008, sparse), dense: shapeOf(298, number) },
    rows: ROWS,
    rounds: ROUNDS,
    // The last one is a process that does nothing.
    ways: { ...readerWays, idle: () => Promise.resolve(0) },
    figures: (file, megabytes, outcomes) =>
      Object.entries(outcomes).map(([way, costs]) => ({
        file,
        MB: round(megabytes, 1),
        way,
        'CPU-s': round(median(costs.map(({ cpuSeconds }) => cpuSeconds))),
        seconds: round(median(costs.map(({ seconds }) => seconds))),
        'peak MB': round(Math.max(...costs.map(({ peakMegabytes }) => peakMegabytes)), 0),
        // The ratio within each round, because the speed of the machine changes between rounds.
        ratio: round(
          median(costs.map(({ cpuSeconds }, index) => cpuSeconds / (outcomes[DUCKDB]?.[index]?.cpuSeconds ?? 0))),
        ),
      })),
  }),
);
