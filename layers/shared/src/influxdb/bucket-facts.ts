/** What a bucket has before a migration: its retention, and the types of the fields of measurements. */
import type { InfluxClient } from './client';
import { fluxString } from './flux';
import { type QueryOptions, queryFlux, querySql } from './query';

export interface BucketFacts {
  /** Seconds; null if points are kept forever or the retention is not known. */
  readonly retentionSeconds: number | null;
  /** By measurement and field key: `float`, `integer`, `unsigned`, `boolean` or `string`. */
  readonly fields: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** @throws InfluxDBConnectionError or InfluxDBWriteError if the queries fail */
export async function readBucketFacts(
  client: InfluxClient,
  measurements: readonly string[],
  options: QueryOptions = {},
): Promise<BucketFacts> {
  return client.target.engine === 'v2'
    ? await factsByFlux(client, measurements, options)
    : { retentionSeconds: null, fields: await fieldsBySql(client, measurements, options) };
}

async function factsByFlux(
  client: InfluxClient,
  measurements: readonly string[],
  options: QueryOptions,
): Promise<BucketFacts> {
  const bucket = fluxString(client.target.bucket);
  // A retention of 0 is forever.
  const [found] = await queryFlux(client, `buckets() |> filter(fn: (r) => r.name == ${bucket})`, options);
  const seconds = Math.floor(Number(found?.retentionPeriod ?? 0) / 1e9);
  const fields = new Map<string, Map<string, string>>();
  for (let at = 0; at < measurements.length; at += MEASUREMENTS) {
    const names = measurements.slice(at, at + MEASUREMENTS).map((name) => `r._measurement == ${fluxString(name)}`);
    const stored = `stored = from(bucket: ${bucket}) |> range(${ALL_TIME}) |> filter(fn: (r) => ${names.join(' or ')}) |> last()`;
    const byType = Object.entries(FLUX_TYPES).map(
      ([type, test]) =>
        `stored |> filter(fn: (r) => types.isType(v: r._value, type: "${test}")) |> keep(columns: ["_measurement", "_field"]) ` +
        `|> group(columns: ["_measurement"]) |> distinct(column: "_field") |> yield(name: "${type}")`,
    );
    const rows = await queryFlux(client, ['import "types"', stored, ...byType].join('\n'), options);
    for (const { result = '', _measurement = '', _value = '' } of rows) {
      const known = fields.get(_measurement) ?? new Map<string, string>();
      fields.set(_measurement, known.set(_value, result));
    }
  }
  return { retentionSeconds: seconds > 0 ? seconds : null, fields };
}

/** Measurements in one query: each is a condition. */
const MEASUREMENTS = 100;
const ALL_TIME = 'start: 1677-09-21T00:12:43.145224194Z, stop: 2262-04-11T23:47:16.854775806Z';

/** Types of fields by their names here. Source: the Flux standard library, `types.isType`. */
const FLUX_TYPES = { float: 'float', integer: 'int', unsigned: 'uint', boolean: 'bool', string: 'string' } as const;

const SQL_TYPES: Readonly<Record<string, string>> = {
  Float64: 'float',
  Int64: 'integer',
  UInt64: 'unsigned',
  Boolean: 'boolean',
  Utf8: 'string',
};

async function fieldsBySql(client: InfluxClient, measurements: readonly string[], options: QueryOptions) {
  const rows = await querySql(
    client,
    "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'iox'",
    options,
  );
  const fields = new Map<string, Map<string, string>>();
  for (const { table_name, column_name, data_type } of rows) {
    const type = SQL_TYPES[String(data_type)];
    if (type === undefined || !measurements.includes(String(table_name))) continue;
    const known = fields.get(String(table_name)) ?? new Map<string, string>();
    fields.set(String(table_name), known.set(String(column_name), type));
  }
  return fields;
}
