/** Counts a window at the source: what a complete load of it stores in each field. */
import { TimestreamQueryError } from '../errors';
import type { CountedField, TargetTable } from './fields';
import { type QueryResult, type QueryServices, run, single } from './query';
import type { FieldCount, SourceCount, Window } from './records';
import { identifier, literal, tableName, within } from './sql';

export interface SourceTable {
  readonly database: string;
  readonly table: string;
  readonly target: TargetTable;
}

/** Characters of one statement. A QueryString has at most 262,144. */
const MAX_STATEMENT = 200_000;
const MAX_DOUBLE = '1.7976931348623157E308';
/** Sums of 64-bit integers overflow, so high and low parts are added separately. */
const PART = 4_294_967_296n;

/**
 * @param sums whether to add up numbers and the characters of texts too; windows in which rows merge have no sums, because the order of
 *   their rows decides
 * @throws QueryTooLargeError, TimestreamQueryError or TimestreamUnavailableError
 */
export async function countSource(
  source: SourceTable,
  window: Window,
  sums: boolean,
  services: QueryServices,
): Promise<{ readonly count: SourceCount; readonly scannedBytes: number }> {
  const { target } = source;
  const own = target.fields.filter(({ key }) => key !== null);
  const pivoted = target.fields.filter(({ key }) => key === null);
  let scannedBytes = 0;
  const query = async (sql: string) => {
    const result = await run({ sql }, services);
    scannedBytes += result.meteredBytes;
    return result;
  };

  const totals = totalsOf(source, window);
  const [rows = '0', filled = '0', points = '0', series = '0', first = null, last = null] = single(
    await query(totals),
    6,
    totals,
  );
  const merged = Number(filled) - Number(points);
  const fields: FieldCount[] = [];
  if (points !== '0') {
    const mode = merged > 0 ? 'merged' : sums ? 'sums' : 'counts';
    for (const { sql, columns } of statements(source, window, own, mode)) {
      fields.push(...readFields(columns, single(await query(sql), 1, sql), mode));
    }
    if (pivoted.length > 0) {
      const named = await pivotedFields(source, window, pivoted, mode, query);
      fields.push(...named, ...(await sharedFields(source, window, fields, named, query)));
    }
  }
  const count: SourceCount = {
    rows: Number(rows),
    empty: Number(rows) - Number(filled),
    merged,
    fields: byField(fields)
      .filter((field) => field.count > 0)
      .sort(byKey),
    series: Number(series),
    first,
    last,
  };
  return { count, scannedBytes };
}

/** One count per field: the columns of a pivoted table may have values of several types under one name. */
function byField(counts: readonly FieldCount[]): FieldCount[] {
  const fields = new Map<string, FieldCount>();
  for (const count of counts) {
    const { field } = count;
    const known = fields.get(field);
    const overwritten = (known?.overwritten ?? 0) + (count.overwritten ?? 0);
    const both = { field, count: (known?.count ?? 0) + count.count, ...(overwritten > 0 && { overwritten }) };
    fields.set(field, known ? both : count);
  }
  return [...fields.values()];
}

/** What is queried of each field. merged: values that remain when rows share series and time, and different values that they replace. */
type Mode = 'counts' | 'sums' | 'merged';

const byKey = (a: FieldCount, b: FieldCount): number => (a.field < b.field ? -1 : 1);

/** Whether the column has a value that InfluxDB can hold: it has no NaN and no infinity. */
function present({ column, kind }: CountedField): string {
  const name = identifier(column);
  return kind === 'float' ? `abs(${name}) <= ${MAX_DOUBLE}` : `${name} IS NOT NULL`;
}

const counted = (condition: string): string => `COUNT(CASE WHEN ${condition} THEN 1 END)`;

/** Rows, rows with a value, points (merged rows count once), different sets of tags, and the times of the first and the last point. */
function totalsOf({ database, table, target }: SourceTable, window: Window): string {
  const from = `FROM ${tableName(database, table)} WHERE ${within(window)}`;
  const filled = target.fields.map(present).join(' OR ');
  const times = 'to_nanoseconds(MIN(filled_time)), to_nanoseconds(MAX(filled_time))';
  if (!target.merges) {
    const inner = `SELECT CASE WHEN ${filled} THEN time END AS filled_time, CASE WHEN ${filled} THEN ${tagSet(target)} END AS tag_set ${from}`;
    return `SELECT COUNT(*), COUNT(filled_time), COUNT(filled_time), COUNT(DISTINCT tag_set), ${times} FROM (${inner})`;
  }
  const inner = `SELECT COUNT(*) AS n, ${counted(filled)} AS filled, MIN(CASE WHEN ${filled} THEN ${tagSet(target)} END) AS tag_set, MIN(CASE WHEN ${filled} THEN time END) AS filled_time ${from} GROUP BY ${series(target)}`;
  return `SELECT COALESCE(SUM(n), 0), COALESCE(SUM(filled), 0), COUNT(filled_time), COUNT(DISTINCT tag_set), ${times} FROM (${inner})`;
}

/** One text for each set of tags: the lengths keep `a|` + `b` and `a` + `|b` apart. */
function tagSet({ tags }: TargetTable): string {
  const parts = tags.map(({ column }) => {
    const name = identifier(column);
    return `CASE WHEN ${name} IS NULL THEN '|' ELSE concat(CAST(length(${name}) AS VARCHAR), ':', ${name}) END`;
  });
  return parts.length === 0 ? "''" : `concat(${[...parts, "''"].join(', ')})`;
}

const series = ({ tags }: TargetTable): string => [...tags.map(({ column }) => identifier(column)), 'time'].join(', ');

/** Statements that count all of the fields, each short enough for the service. */
function* statements(source: SourceTable, window: Window, fields: readonly CountedField[], mode: Mode) {
  let columns: CountedField[] = [];
  let length = 0;
  for (const field of fields) {
    const more = expressions(field, mode).join(', ').length + 8 * identifier(field.column).length + 64;
    if (columns.length > 0 && length + more > MAX_STATEMENT) {
      yield { columns, sql: statement(source, window, columns, mode) };
      columns = [];
      length = 0;
    }
    columns.push(field);
    length += more;
  }
  if (columns.length > 0) yield { columns, sql: statement(source, window, columns, mode) };
}

function statement(
  { database, table, target }: SourceTable,
  window: Window,
  fields: readonly CountedField[],
  mode: Mode,
): string {
  const from = `FROM ${tableName(database, table)} WHERE ${within(window)}`;
  if (mode !== 'merged') return `SELECT ${fields.flatMap((field) => expressions(field, mode)).join(', ')} ${from}`;
  return `SELECT ${mergedOuter(fields)} FROM (SELECT ${mergedInner(fields)} ${from} GROUP BY ${series(target)})`;
}

/** The different values that each field has in a group. */
const mergedInner = (fields: readonly CountedField[]): string =>
  fields
    .map(
      (field, index) => `COUNT(DISTINCT CASE WHEN ${present(field)} THEN ${identifier(field.column)} END) AS n${index}`,
    )
    .join(', ');

const mergedOuter = (fields: readonly CountedField[]): string =>
  fields.map((_, index) => `${counted(`n${index} > 0`)}, COALESCE(SUM(n${index}), 0)`).join(', ');

/** The count of a field, and the expressions of its sums. */
function expressions(field: CountedField, mode: Mode): string[] {
  const condition = present(field);
  return [counted(condition), ...(mode === 'sums' ? sumExpressions(field, condition) : [])];
}

function sumExpressions({ column, kind, isText }: CountedField, condition: string): string[] {
  const name = identifier(column);
  if (kind === 'boolean') return [counted(name)];
  if (kind === 'float') {
    return [`SUM(CASE WHEN ${condition} THEN ${name} END)`, `SUM(CASE WHEN ${condition} THEN abs(${name}) END)`];
  }
  if (kind === 'string') return isText ? [`SUM(length(${name}))`] : [];
  const value = kind === 'timestamp' ? `to_nanoseconds(${name})` : name;
  return [`SUM((${value} - ${value} % ${PART}) / ${PART})`, `SUM(${value} % ${PART})`];
}

/** Reads the values of the expressions, field by field. */
function readFields(fields: readonly CountedField[], row: readonly (string | null)[], mode: Mode): FieldCount[] {
  let at = 0;
  const next = (): string => row[at++] ?? '0';
  return fields.map(({ key, kind, isText }) => {
    const field = { field: key ?? '', kind, count: Number(next()) };
    if (mode === 'merged') {
      const overwritten = Number(next()) - field.count;
      return overwritten > 0 ? { ...field, overwritten } : field;
    }
    if (mode === 'counts' || (kind === 'string' && !isText)) return field;
    if (kind === 'boolean') return { ...field, sum: next() };
    if (kind === 'string') return { ...field, sum: String(whole(next())) };
    if (kind === 'float') return { ...field, sum: next(), magnitude: next() };
    return { ...field, sum: String(whole(next()) * PART + whole(next())) };
  });
}

/** An integer that the service may return as a double, such as `12.0` or `1.2E9`. */
function whole(text: string): bigint {
  if (/^-?\d+$/.test(text)) return BigInt(text);
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new TimestreamQueryError(`Timestream returned ${text} for a sum of integers`);
  return BigInt(value);
}

type Query = (sql: string) => Promise<QueryResult>;

/** The fields that measure_name names, from one row per value of it. */
async function pivotedFields(
  { database, table, target }: SourceTable,
  window: Window,
  fields: readonly CountedField[],
  mode: Mode,
  query: Query,
): Promise<FieldCount[]> {
  const from = `FROM ${tableName(database, table)} WHERE ${within(window)}`;
  const sql =
    mode === 'merged'
      ? `SELECT measure_name, ${mergedOuter(fields)} ` +
        `FROM (SELECT measure_name, ${mergedInner(fields)} ${from} GROUP BY measure_name, ${series(target)}) GROUP BY measure_name`
      : `SELECT measure_name, ${fields.flatMap((field) => expressions(field, mode)).join(', ')} ${from} GROUP BY measure_name`;
  const { rows } = await query(sql);
  return rows.flatMap(([name, ...values]) =>
    readFields(fields, values, mode)
      .filter(({ count }) => count > 0)
      .map((field) => ({ ...field, field: (name ?? '').trim() })),
  );
}

/**
 * Fields that both a column and measure_name name: a point has one value of them, although two rows of the same series and time have one
 * each. The counts are negative: what is not left of the sum of both.
 */
async function sharedFields(
  { database, table, target }: SourceTable,
  window: Window,
  own: readonly FieldCount[],
  named: readonly FieldCount[],
  query: Query,
): Promise<FieldCount[]> {
  const pivoted = target.fields.filter(({ key }) => key === null).map(present);
  const shared = target.fields.filter(({ key }) =>
    [own, named].every((counts) => counts.some(({ field, count }) => field === key && count > 0)),
  );
  if (shared.length === 0) return [];
  const both = shared.map((field, index) => {
    const isNamed = `trim(measure_name) = ${literal(field.key ?? '')} AND (${pivoted.join(' OR ')})`;
    return `CASE WHEN ${counted(present(field))} > 0 AND ${counted(isNamed)} > 0 THEN 1 ELSE 0 END AS n${index}`;
  });
  const sums = shared.map((_, index) => `COALESCE(SUM(n${index}), 0)`).join(', ');
  const from = `FROM ${tableName(database, table)} WHERE ${within(window)}`;
  const sql = `SELECT ${sums} FROM (SELECT ${both.join(', ')} ${from} GROUP BY ${series(target)})`;
  const points = single(await query(sql), shared.length, sql).map(Number);
  return shared.map(({ key }, index) => ({
    field: key ?? '',
    count: -(points[index] ?? 0),
    overwritten: points[index] ?? 0,
  }));
}
