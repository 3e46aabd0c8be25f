/**
 * Measures the reader on columns of each field type, from Parquet to line protocol, beside DuckDB, which builds the same lines with SQL in
 * the same run. Before the measurement it checks that the lines are the same.
 *
 *     npm run bench -- typed [rounds]
 *
 * The default is three rounds. Each file has 300,000 rows with eight columns of one type.
 */
import { round } from './report';
import { type Cost, median, runMain } from './runs';
import { DUCKDB, LOADER, readerWays, runShapes, type Shape } from './shapes';

const ROUNDS = 3;
const ROWS = 300_000;
const COLUMNS = 8;

interface FieldType {
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

const TYPES: Record<string, FieldType> = {
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

function shapeOf({ field, column, line }: FieldType): Shape {
  const names = Array.from({ length: COLUMNS }, (_, index) => `f${index}`);
  return {
    fields: names.map((name, index) => `${column.replaceAll(/\bk\b/g, String(index))} AS ${name}`),
    lines: names.map((name) => `'${name}=' || ${line.replaceAll(/\bc\b/g, name)}`),
    mapped: names.map((name) => ({ column: name, ...field })),
  };
}

const cpu = (costs: readonly Cost[] = []): number[] => costs.map(({ cpuSeconds }) => cpuSeconds);

runMain(() =>
  runShapes({
    name: 'typed',
    shapes: Object.fromEntries(Object.entries(TYPES).map(([name, type]) => [name, shapeOf(type)])),
    rows: ROWS,
    rounds: ROUNDS,
    ways: readerWays,
    figures: (fields, megabytes, outcomes) => {
      const [loader, duckdb] = [cpu(outcomes[LOADER]), cpu(outcomes[DUCKDB])];
      return [
        {
          fields,
          MB: round(megabytes, 1),
          'loader, CPU-s': round(median(loader)),
          'DuckDB, CPU-s': round(median(duckdb)),
          // The ratio within each round, because the speed of the machine changes between rounds.
          ratio: round(median(loader.map((seconds, index) => seconds / (duckdb[index] ?? 0)))),
          'peak MB': round(Math.max(...(outcomes[LOADER] ?? []).map(({ peakMegabytes }) => peakMegabytes)), 0),
        },
      ];
    },
  }),
);
