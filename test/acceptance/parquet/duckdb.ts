/** DuckDB as a writer of the described files, and as the reader that supplies the expected points. */
import { duckdb } from '../../support/loader';
import type { Column, Description } from './descriptions';

const TEXTS = [
  'ok',
  '',
  ' padded ',
  'say "no"',
  'back\\slash',
  'a,b=c d',
  'São Paulo',
  '日本 🙂',
  'NaN',
  'line\nbreak',
];
const TAGS = ['UHE 1', '', ' padded ', 'a,b=c d', 'Água', '日本 🙂', 'NaN', 'none', 'NULL', 'say "no"'];
const NUMBERS = ['12', '-0.5', ' 7.25 ', '1e3', '+4', '.5', '5.', 'abc', '', '0.30000000000000004'];
const UNITS = ['MW', ' MWh ', '%', 'GW', 'ratio'];

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const oneOf = (list: readonly string[], random: string): string =>
  `[${list.map(literal).join(', ')}][1 + (${random} % ${list.length})::INTEGER]`;
const integer = (type: string, low: string, high: string) => (random: string) =>
  `CASE ${random} % 4 WHEN 0 THEN ${low} WHEN 1 THEN ${high} ELSE ${random} % ${high} END::${type}`;
const decimal = (precision: number, scale: number) => (random: string) => {
  const whole = `${random} % (10 ** ${Math.min(precision - scale, 18)})::UBIGINT`;
  const fraction = `lpad((${random} % (10 ** ${scale})::UBIGINT)::VARCHAR, ${scale}, '0')`;
  return `(CASE ${random} % 2 WHEN 0 THEN '-' ELSE '' END || ${whole} || '.' || ${fraction})::DECIMAL(${precision}, ${scale})`;
};
const float = (type: string) => (random: string) =>
  `CASE ${random} % 8 WHEN 0 THEN 'nan' WHEN 1 THEN 'inf' WHEN 2 THEN '-0' WHEN 3 THEN '1e30' WHEN 4 THEN '1e-30' ELSE ((${random} % 1000000007) / 1e3)::VARCHAR END::${type}`;

/** SQL for a value of each kind, from a random unsigned 64-bit number. */
const VALUES: Readonly<Record<string, (random: string) => string>> = {
  int8: integer('TINYINT', '-128', '127'),
  int16: integer('SMALLINT', '-32768', '32767'),
  int32: integer('INTEGER', '-2147483648', '2147483647'),
  int64: integer('BIGINT', '-9223372036854775808::HUGEINT', '9223372036854775807'),
  uint8: integer('UTINYINT', '0', '255'),
  uint16: integer('USMALLINT', '0', '65535'),
  uint32: integer('UINTEGER', '0', '4294967295'),
  uint64: integer('UBIGINT', '0', '18446744073709551615'),
  float32: float('FLOAT'),
  float64: float('DOUBLE'),
  decimal9: decimal(9, 2),
  decimal18: decimal(18, 6),
  decimal38: decimal(38, 12),
  boolean: (random) => `${random} % 2 = 0`,
  'numeric-text': (random) => oneOf(NUMBERS, random),
  region: (random) => oneOf(['norte', 'sul', ' sudeste ', 'N'], random),
  source: (random) => oneOf(['solar', 'hidrica'], random),
  measurement: () => `'generation'`,
  unit: (random) => oneOf(UNITS, random),
  tag: (random) => oneOf(TAGS, random),
  text: (random) => oneOf(TEXTS, random),
  struct: (random) => `{'a': ${random} % 9, 'b': [1, 2]}`,
  list: (random) => `[${random} % 9, 1]`,
  map: (random) => `MAP {'k': ${random} % 9}`,
};

/** The time of row `i`, `at` us after the first. */
const TIMES: Readonly<Record<string, (at: string) => string>> = {
  'time-s': (at) => `make_timestamp(1704067200000000 + ${at})::TIMESTAMP_S`,
  'time-ms': (at) => `make_timestamp(1704067200000000 + ${at})::TIMESTAMP_MS`,
  'time-us': (at) => `make_timestamp(1704067200000000 + ${at})`,
  'time-ns': (at) => `make_timestamp_ns(1704067200000000007 + 1000 * ${at})`,
  'time-zoned': (at) => `make_timestamptz(1704067200000000 + ${at})`,
  'time-date32': () => `DATE '1980-01-01' + i::INTEGER`,
  'time-text': (at) =>
    `strftime(make_timestamp(1704067200000000 + ${at}), '%Y-%m-%dT%H:%M:%S.%f') || CASE i % 2 WHEN 0 THEN '' ELSE 'Z' END`,
};

function expression({ name, kind, nulls }: Column, { seed, step }: Description): string {
  const time = TIMES[kind]?.(`i * ${step}`);
  const value = time ?? VALUES[kind]?.(`hash(i, ${seed}, ${literal(name)})`);
  if (value === undefined) throw new Error(`DuckDB writes no ${kind}`);
  const isNull = `hash(${literal(name)}, i, ${seed}) % 100 < ${100 * nulls}`;
  return `CASE WHEN ${isNull} THEN NULL ELSE ${value} END AS "${name}"`;
}

export async function writeByDuckdb(file: Description & { readonly path: string }): Promise<void> {
  const columns = file.columns.map((column) => expression(column, file)).join(',\n');
  const options = Object.entries({ FORMAT: 'parquet', ...file.options }).map((pair) => pair.join(' '));
  await duckdb(
    `COPY (SELECT ${columns} FROM range(${file.rows}) AS r(i)) TO ${literal(file.path)} (${options.join()})`,
  );
}

/** An expected point; times in ns since 1970. */
export interface ExpectedPoint {
  readonly time: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string | number>>;
}

const TAG_COLUMNS = ['region', 'energy_source', 'measurement_type', 'plant_name', 'operator'];
const UNIT_FIELDS: Readonly<Record<string, string>> = {
  MW: 'power_mw',
  MWh: 'energy_mwh',
  '%': 'percentage',
  ratio: 'ratio',
};

/** The points of the valid rows that DuckDB reads from a file, by the mapping of generation in docs/datasets.md. */
export async function pointsIn(path: string, columns: readonly Column[]): Promise<ExpectedPoint[]> {
  const has = (name: string): boolean => columns.some((column) => column.name === name);
  const kindOf = (name: string): string => columns.find((column) => column.name === name)?.kind ?? '';
  const time = kindOf('timestamp') === 'time-text' ? `rtrim("timestamp", 'Z')` : '"timestamp"';
  const isInstant = ['time-ns', 'time-zoned'].includes(kindOf('timestamp'));
  const numbers = ['value', 'capacity_mw', 'efficiency'].filter(has).map((name) => {
    const number = kindOf(name) === 'boolean' ? `"${name}"::INTEGER` : `trim("${name}"::VARCHAR)`;
    const double = `TRY_CAST(${number} AS DOUBLE)`;
    return `CASE WHEN isfinite(${double}) THEN ${double} END AS "${name}"`;
  });
  const tags = TAG_COLUMNS.filter(has).map(
    (name) =>
      `CASE WHEN lower(trim("${name}")) NOT IN ('', 'nan', 'none', 'null') THEN trim("${name}") END AS "${name}"`,
  );
  const texts = ['unit', 'quality_flag'].filter(has).map((name) => `"${name}"`);
  const at = `epoch_ns(${isInstant ? time : `${time}::TIMESTAMP`})::VARCHAR AS nanoseconds`;
  const rows = await duckdb(`SELECT * FROM (SELECT ${[at, ...numbers, ...tags, ...texts].join()} FROM ${literal(path)})
    WHERE nanoseconds IS NOT NULL AND "value" IS NOT NULL AND region IS NOT NULL AND energy_source IS NOT NULL AND measurement_type IS NOT NULL`);
  return rows.map((row) => {
    const present = (names: readonly string[]) =>
      names.flatMap((name) => (row[name] == null ? [] : [[name, row[name]]]));
    const unit = UNIT_FIELDS[String(row.unit ?? '').trim()] ?? 'value';
    return {
      time: String(row.nanoseconds),
      tags: Object.fromEntries(present(TAG_COLUMNS)),
      fields: {
        [unit]: Number(row.value),
        ...Object.fromEntries(present(['unit', 'quality_flag', 'capacity_mw', 'efficiency'])),
      },
    };
  });
}
