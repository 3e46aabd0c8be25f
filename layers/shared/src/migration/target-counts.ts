/** Counts a window at the target: each field, sums of numbers, and the times of the first and the last point. */
import type { InfluxClient } from '../influxdb/client';
import { fluxString } from '../influxdb/flux';
import { type QueryOptions, queryFlux, querySql } from '../influxdb/query';
import { timeText, toNanoseconds } from '../nanoseconds';
import type { FieldCount, Window, WindowCount } from './records';
import { identifier, literal } from './sql';

/** Fields to add up, by the type that they have at the target. */
export interface SummedFields {
  readonly numbers: readonly string[];
  readonly booleans: readonly string[];
  /** Their characters are added up. */
  readonly texts: readonly string[];
}

export const NO_SUMS: SummedFields = { numbers: [], booleans: [], texts: [] };

/** Fields in one Flux query: each is a condition. */
const MAX_FIELDS = 100;
/** Texts in one Flux query: they are read value by value, which takes longer than a sum in the storage engine. */
const MAX_TEXTS = 4;

/** All fields that the measurement has in the window, also those of other writers. */
export function countTarget(
  client: InfluxClient,
  measurement: string,
  window: Window,
  sums: SummedFields,
  options: QueryOptions,
): Promise<WindowCount> {
  const place = { client, measurement, window, options };
  return client.target.engine === 'v2' ? countByFlux(place, sums) : countBySql(place, sums);
}

/** The points to count. */
interface Place {
  readonly client: InfluxClient;
  readonly measurement: string;
  readonly window: Window;
  readonly options: QueryOptions;
}

/**
 * Values (InfluxDB 3: points) that lack a tag. They explain values that were not expected: another writer stores points without this tag.
 */
export async function countWithoutTag(
  client: InfluxClient,
  measurement: string,
  window: Window,
  tag: string,
  options: QueryOptions,
): Promise<number> {
  if (client.target.engine === 'v2') {
    const filter = `filter(fn: (r) => not exists r[${fluxString(tag)}])`;
    const rows = await queryFlux(
      client,
      `${data(client, measurement, window)} |> ${filter} |> count() |> group() |> sum()`,
      options,
    );
    return rows.reduce((sum, { _value }) => sum + Number(_value), 0);
  }
  const columns = await querySql(client, columnsOf(measurement), options);
  const withoutTag = columns.some(({ column_name }) => column_name === tag) ? ` AND ${identifier(tag)} IS NULL` : '';
  const sql = `SELECT COUNT(*) AS n FROM ${identifier(measurement)} WHERE ${during(window)}${withoutTag}`;
  const [row] = await querySql(client, sql, options);
  return Number(row?.n ?? 0);
}

/** InfluxDB 2 refuses a range that ends after the last time it supports. */
const LAST_TIME = 9_223_372_036_854_775_806n;

function data(client: InfluxClient, measurement: string, { from, to }: Window): string {
  const end = BigInt(to) > LAST_TIME ? String(LAST_TIME) : to;
  return (
    `from(bucket: ${fluxString(client.target.bucket)}) |> range(start: ${timeText(from)}, stop: ${timeText(end)}) ` +
    `|> filter(fn: (r) => r._measurement == ${fluxString(measurement)})`
  );
}

/** `count()`, `sum()`, `first()` and `last()` of each series run in the storage engine; only their results are grouped. */
async function countByFlux({ client, measurement, window, options }: Place, sums: SummedFields): Promise<WindowCount> {
  const source = data(client, measurement, window);
  const byField = '|> group(columns: ["_field"]) |> sum()';
  const times = (end: 'first' | 'last', extreme: 'min' | 'max') =>
    `${source} |> ${end}() |> keep(columns: ["_time"]) |> ${extreme}(column: "_time")`;
  const counts = await queryFlux(client, `${source} |> count() ${byField}`, options);
  if (counts.length === 0) return { fields: [], series: 0, first: null, last: null };
  const totals = new Map<string, string>();
  const add = async (fields: readonly string[], conversion: string, limit = MAX_FIELDS, head = ''): Promise<void> => {
    for (let at = 0; at < fields.length; at += limit) {
      const conditions = fields.slice(at, at + limit).map((field) => `r._field == ${fluxString(field)}`);
      const filter = `|> filter(fn: (r) => ${conditions.join(' or ')}) ${conversion}`;
      const rows = await queryFlux(client, `${head}${source} ${filter} |> sum() ${byField}`, options);
      for (const { _field, _value } of rows) totals.set(_field ?? '', _value ?? '');
    }
  };
  await add(sums.numbers, '');
  await add(sums.booleans, '|> toInt()');
  const characters = '|> map(fn: (r) => ({r with _value: strings.strlen(v: r._value)}))';
  await add(sums.texts, characters, MAX_TEXTS, 'import "strings" ');
  // One table for each set of tags, with one row.
  const tagSets =
    '|> count() |> group(columns: ["_field", "_value", "_start", "_stop"], mode: "except") |> limit(n: 1)';
  const [series] = await queryFlux(client, `${source} ${tagSets} |> group() |> count()`, options);
  const [first] = await queryFlux(client, times('first', 'min'), options);
  const [last] = await queryFlux(client, times('last', 'max'), options);
  const fields = counts.map(({ _field = '', _value }) =>
    withSum({ field: _field, count: Number(_value) }, totals.get(_field)),
  );
  return {
    fields: fields.sort(byKey),
    series: Number(series?._value ?? 0),
    first: first?._time === undefined ? null : String(toNanoseconds(first._time)),
    last: last?._time === undefined ? null : String(toNanoseconds(last._time)),
  };
}

const withSum = (field: FieldCount, sum: string | undefined): FieldCount =>
  sum === undefined ? field : { ...field, sum };

const byKey = (a: FieldCount, b: FieldCount): number => (a.field < b.field ? -1 : 1);

const during = ({ from, to }: Window): string =>
  `time >= ${literal(timeText(from))}::TIMESTAMP AND time < ${literal(timeText(to))}::TIMESTAMP`;

const columnsOf = (measurement: string): string =>
  `SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'iox' AND table_name = ${literal(measurement)}`;

/** Tags are dictionaries. Source: "Query with SQL", schema information, in the InfluxDB 3 documentation. */
const isTag = ({ data_type }: Readonly<Record<string, unknown>>): boolean => /^Dictionary/i.test(String(data_type));

async function countBySql(place: Place, sums: SummedFields): Promise<WindowCount> {
  const { client, measurement, window, options } = place;
  const described = await querySql(client, columnsOf(measurement), options);
  const names = described
    .filter((column) => column.column_name !== 'time' && !isTag(column))
    .map(({ column_name }) => String(column_name));
  if (names.length === 0) return { fields: [], series: 0, first: null, last: null };
  const table = `FROM ${identifier(measurement)} WHERE ${during(window)}`;
  const [totals = {}] = await querySql(
    client,
    `SELECT ${names.map((name, index) => `COUNT(${identifier(name)}) AS c${index}`).join(', ')}, ` +
      `CAST(CAST(MIN(time) AS BIGINT) AS VARCHAR) AS first, CAST(CAST(MAX(time) AS BIGINT) AS VARCHAR) AS last ${table}`,
    options,
  );
  const fields: FieldCount[] = [];
  for (const [index, field] of names.entries()) {
    const count = Number(totals[`c${index}`] ?? 0);
    if (count > 0) fields.push({ field, count });
  }
  const tags = described.filter(isTag).map(({ column_name }) => identifier(String(column_name)));
  const tagSets = `SELECT DISTINCT ${tags.length === 0 ? '1 AS one' : tags.join(', ')} ${table}`;
  const [series = {}] = await querySql(client, `SELECT COUNT(*) AS n FROM (${tagSets})`, options);
  const summed = await sumsBySql(place, table, fields, sums, described);
  return {
    fields: fields.map((field) => withSum(field, summed.get(field.field))).sort(byKey),
    series: Number(series.n ?? 0),
    first: typeof totals.first === 'string' ? totals.first : null,
    last: typeof totals.last === 'string' ? totals.last : null,
  };
}

/** Sums as text, because JSON numbers are exact only to 2^53; integers in two parts, because their sum may overflow. */
async function sumsBySql(
  { client, options }: Place,
  table: string,
  fields: readonly FieldCount[],
  { numbers, booleans, texts }: SummedFields,
  described: readonly Record<string, unknown>[],
): Promise<ReadonlyMap<string, string>> {
  const isInteger = (field: string) =>
    described.some(({ column_name, data_type }) => column_name === field && /^U?Int64$/i.test(String(data_type)));
  const asText = (expression: string) => `CAST(${expression} AS VARCHAR)`;
  const found = new Map<string, string>();
  const wanted = fields
    .map(({ field }) => field)
    .filter((field) => [numbers, booleans, texts].some((summed) => summed.includes(field)));
  for (let at = 0; at < wanted.length; at += MAX_FIELDS) {
    const part = wanted.slice(at, at + MAX_FIELDS);
    const columns = part.flatMap((field, index) => {
      const name = identifier(field);
      if (booleans.includes(field)) return [`${asText(`SUM(CASE WHEN ${name} THEN 1 ELSE 0 END)`)} AS s${index}`];
      if (texts.includes(field)) return [`${asText(`SUM(character_length(${name}))`)} AS s${index}`];
      if (!isInteger(field)) return [`${asText(`SUM(${name})`)} AS s${index}`];
      return [
        `${asText(`SUM(${name} / 4294967296)`)} AS s${index}`,
        `${asText(`SUM(${name} % 4294967296)`)} AS r${index}`,
      ];
    });
    const [row = {}] = await querySql(client, `SELECT ${columns.join(', ')} ${table}`, options);
    for (const [index, field] of part.entries()) {
      const [sum, rest] = [row[`s${index}`], row[`r${index}`]];
      if (typeof sum !== 'string') continue;
      found.set(field, typeof rest === 'string' ? String(BigInt(sum) * 4_294_967_296n + BigInt(rest)) : sum);
    }
  }
  return found;
}
