/** Surveys one table by queries: columns, rows by day, series, values of measure_name, and the bytes that its migration will scan. */
import { TimestreamQueryError } from '../errors';
import { type QueryServices, run, single } from './query';
import type { Column, Finding, TableSurvey } from './records';
import type { MappingOptions } from './request';
import { before, describeTable, identifier, tableName, within } from './sql';
import { cutWindows, type DayRows, WINDOW_LIMITS, type WindowLimits } from './windows';

export interface SurveyRange {
  /** ns; undefined for the first row of the table. */
  readonly from: bigint | undefined;
  readonly to: bigint;
}

export interface SurveyOptions {
  /** Queries that scan all columns of a window: the UNLOAD, and the counts if they are verified. */
  readonly fullScans: number;
  readonly limits?: WindowLimits;
  readonly mapping: MappingOptions;
}

/** Values of measure_name that are listed. */
const MAX_MEASURE_NAMES = 1_000;
const TYPES = ['varchar', 'double', 'bigint', 'boolean', 'timestamp'] as const;
const DAY = 86_400_000_000_000n;
/** The service meters at least 10 MB for each query. */
const MIN_METERED = 10_000_000;

/** @throws TimestreamQueryError or TimestreamUnavailableError */
export async function surveyTable(
  database: string,
  table: string,
  { from, to }: SurveyRange,
  { fullScans, limits = WINDOW_LIMITS, mapping }: SurveyOptions,
  services: QueryServices,
): Promise<TableSurvey> {
  let scannedBytes = 0;
  const query = async (sql: string) => {
    const result = await run({ sql }, services);
    scannedBytes += result.meteredBytes;
    return result;
  };
  const { columns, findings } = columnsOf(table, (await query(describeTable(database, table))).rows);
  const range = from === undefined ? before(to) : within({ from: String(from), to: String(to) });
  const source = `FROM ${tableName(database, table)} WHERE ${range}`;

  const byDay = `SELECT to_nanoseconds(bin(time, 1d)), COUNT(*), to_nanoseconds(MIN(time)), to_nanoseconds(MAX(time)) ${source} GROUP BY bin(time, 1d) ORDER BY 1`;
  const found = (await query(byDay)).rows.map(([start, rows, first, last]) => ({
    start: BigInt(start ?? 0),
    rows: Number(rows),
    first: BigInt(first ?? 0),
    last: BigInt(last ?? 0),
  }));
  const days = found.sort((a, b) => (a.start < b.start ? -1 : 1));
  const [firstDay, lastDay] = [days[0], days.at(-1)];
  const rows = days.reduce((sum, day) => sum + day.rows, 0);
  if (firstDay === undefined || lastDay === undefined) {
    const empty = { rows: 0, first: null, last: null, series: 0, measureNames: [], estimatedBytes: 0, windows: [] };
    return { table, columns, ...empty, scannedBytes, findings };
  }
  const counts = `SELECT approx_distinct(${seriesText(columns, mapping)}) ${source}`;
  const [series] = single(await query(counts), 1, counts);
  const names = await query(`SELECT DISTINCT measure_name ${source} ORDER BY 1 LIMIT ${MAX_MEASURE_NAMES}`);
  const perRow = await bytesPerRow(source, columns, days, async (sql) => (await query(sql)).scannedBytes);
  const windows = cutWindows(from ?? firstDay.first, to, days, limits);
  return {
    table,
    columns,
    rows,
    first: String(firstDay.first),
    last: String(lastDay.last),
    series: Number(series),
    measureNames: names.rows.map(([name]) => name ?? ''),
    scannedBytes,
    estimatedBytes: Math.round(Math.max(perRow * rows, perRow > 0 ? MIN_METERED * windows.length : 0) * fullScans),
    windows,
    findings,
  };
}

/** The rows of DESCRIBE: name, type, and the role of each column. */
function columnsOf(table: string, rows: readonly (readonly (string | null)[])[]) {
  const findings: Finding[] = [];
  const columns = rows.flatMap(([name = null, type = null, attribute = null]): Column[] => {
    const known = TYPES.find((each) => each === type?.toLowerCase());
    const role = roleOf(name ?? '', attribute?.toLowerCase() ?? '');
    if (name !== null && known !== undefined && role !== undefined) return [{ name, type: known, role }];
    const detail = `column ${name} has the type ${type} (${attribute}), which cannot be migrated: it is left out`;
    findings.push({ severity: 'warning', name: 'unknown-column', table, detail });
    return [];
  });
  if (!columns.some(({ role }) => role === 'time')) {
    throw new TimestreamQueryError(`DESCRIBE of ${table} lists no column with the time`);
  }
  return { columns, findings };
}

/** Source: "DESCRIBE" in the Timestream developer guide: DIMENSION, MEASURE_NAME, MEASURE_VALUE, MULTI, TIMESTAMP. */
function roleOf(name: string, attribute: string): Column['role'] | undefined {
  if (attribute === 'dimension') return 'dimension';
  if (attribute === 'measure_name') return 'measure_name';
  if (attribute === 'timestamp' && name === 'time') return 'time';
  return attribute === 'multi' || attribute.startsWith('measure_value') ? 'measure' : undefined;
}

/** One text per series, of the columns that become tags. */
function seriesText(columns: readonly Column[], { measureName, dimensionsToFields }: MappingOptions): string {
  const parts = columns
    .filter(
      ({ name, role }) =>
        (role === 'dimension' && !dimensionsToFields.includes(name)) ||
        (role === 'measure_name' && measureName === 'tag'),
    )
    .map(({ name }) => `COALESCE(${identifier(name)}, '')`);
  return parts.length === 0 ? "''" : `concat(${[...parts, "''"].join(", '|', ")})`;
}

/**
 * Bytes that a scan of all columns reads per row, measured on the day with the median number of rows.
 * @param source FROM and WHERE of the rows to migrate
 */
async function bytesPerRow(
  source: string,
  columns: readonly Column[],
  days: readonly DayRows[],
  scan: (sql: string) => Promise<number>,
): Promise<number> {
  const sorted = [...days].sort((a, b) => a.rows - b.rows);
  const day = sorted[Math.floor(sorted.length / 2)];
  if (day === undefined) return 0;
  const window = { from: String(day.start), to: String(day.start + DAY) };
  const counts = columns.map(({ name }) => `COUNT(${identifier(name)})`).join(', ');
  return (await scan(`SELECT ${counts} ${source} AND ${within(window)}`)) / day.rows;
}
