/**
 * The classes of differences between InfluxDB and the connector. Each class says when it applies; docs/differences.md says why. The suite
 * fails for a difference that no class explains, and for a class that no request shows.
 */
import type { Case } from './case';
import type { Outcome, Value } from './stored';

/** A point that the connector did not store, or not completely. */
export interface LostPoint {
  readonly given: Case;
  /** The values that InfluxDB stored and the connector did not. */
  readonly values: readonly Value[];
  readonly isWhole: boolean;
}

export interface Compared {
  readonly given: Case;
  readonly influxdb: Outcome;
  readonly connector: Outcome;
  /** Whether the connector stored the same as InfluxDB does for the valid lines only; undefined if those are unknown. */
  readonly goodStored: boolean | undefined;
  /** The connector stored a subset of InfluxDB's values. */
  readonly isSubset: boolean;
}

/** A difference of a whole request, or of a point in it. */
export type Difference = { readonly name: string } & (
  | { readonly request: (compared: Compared) => boolean }
  | {
      readonly point: (lost: LostPoint) => boolean;
      /** The rest of the point may be stored. */
      readonly partly?: true;
    }
);

export const hasStatuses = ({ statuses }: Outcome, ...expected: number[]): boolean =>
  statuses.length === expected.length && statuses.every((status, n) => status === expected[n]);
export const includes = ({ requests }: Case, text: string): boolean =>
  requests.some(({ body }) => Buffer.from(body).includes(text));
const header = ({ requests }: Case, name: string): string | undefined => requests[0]?.headers?.[name];
const bytes = (text: string): number => Buffer.byteLength(text);

const MAX_INT64 = 2n ** 63n - 1n;
const FUTURE_NS = 15n * 60n * 1_000_000_000n;
const DAY_NS = 86_400_000_000_000n;
const now = (): bigint => BigInt(Date.now()) * 1_000_000n;

// Source: "Quotas" and "Supported data types and limits" in the developer guide of Timestream for LiveAnalytics.
const isReserved = (name: string): boolean =>
  ['measure_value', 'time'].includes(name) || /^(?:ts_|measure_name)/.test(name);
const names = ({ values: [first], values }: LostPoint) => ({
  measurement: first?.measurement ?? '',
  tags: (first?.tags ?? []).map(([name]) => name),
  fields: values.map(({ field }) => field),
});

function isBeyondQuota(lost: LostPoint): boolean {
  const { measurement, tags, fields } = names(lost);
  const pairs = lost.values[0]?.tags ?? [];
  const texts = lost.values.filter(({ type }) => type === 'string').reduce((sum, { value }) => sum + bytes(value), 0);
  return (
    tags.some((name) => bytes(name) > 60) ||
    [measurement, ...fields].some((name) => bytes(name) > 256) ||
    pairs.reduce((sum, pair) => sum + bytes(pair.join('')), 0) + texts > 2_000 ||
    tags.length > 128 ||
    fields.length > 256
  );
}

export const DIFFERENCES: readonly Difference[] = [
  {
    name: 'valid and invalid lines in one request',
    request: ({ influxdb, connector, given, goodStored }) =>
      hasStatuses(influxdb, 400) &&
      influxdb.values.length === 0 &&
      hasStatuses(connector, 400) &&
      given.grammar === 'refuses' &&
      goodStored !== false,
  },
  {
    name: 'CRLF',
    request: ({ influxdb, connector, given, goodStored }) =>
      hasStatuses(influxdb, 400) && hasStatuses(connector, 204) && includes(given, '\r') && goodStored !== false,
  },
  {
    name: 'text outside the grammar',
    request: ({ influxdb, connector, given, goodStored, isSubset }) =>
      (hasStatuses(influxdb, 204) || hasStatuses(influxdb, 422)) &&
      hasStatuses(connector, 400) &&
      given.grammar === 'refuses' &&
      (goodStored ?? isSubset),
  },
  {
    name: 'tag names reserved by InfluxDB',
    request: ({ influxdb, connector, given }) =>
      hasStatuses(influxdb, 400) &&
      influxdb.messages.includes('reserved tag key') &&
      given.grammar === 'accepts' &&
      hasStatuses(connector, 204),
  },
  {
    name: 'requests that make InfluxDB fail',
    request: ({ influxdb, connector, given }) =>
      (hasStatuses(influxdb, 500) || hasStatuses(influxdb, 0)) &&
      hasStatuses(connector, 400) &&
      (given.grammar === 'refuses' || header(given, 'Content-Encoding') === 'gzip'),
  },
  {
    name: 'a field with unsigned and integer values',
    request: ({ influxdb, connector, given }) =>
      hasStatuses(influxdb, 422) &&
      /field type conflict: .* (?:type integer, already exists as type unsigned|type unsigned, already .* integer)/.test(
        influxdb.messages,
      ) &&
      hasStatuses(connector, 204) &&
      includes(given, 'u'),
  },
  {
    name: 'the same point with other fields',
    request: ({ influxdb, connector, isSubset, given }) =>
      given.requests.length === 2 && hasStatuses(influxdb, 204, 204) && hasStatuses(connector, 204, 204) && isSubset,
  },
  {
    name: 'an unknown Content-Encoding',
    request: ({ influxdb, connector, given }) =>
      header(given, 'Content-Encoding') === 'br' && hasStatuses(influxdb, 204) && hasStatuses(connector, 415),
  },
  {
    name: 'a bucket that does not exist',
    request: ({ influxdb, connector, given }) =>
      given.requests[0]?.bucket !== undefined && hasStatuses(influxdb, 404) && hasStatuses(connector, 204),
  },
  {
    name: 'the last possible timestamp',
    request: ({ influxdb, connector, given }) =>
      includes(given, '9223372036854775806') &&
      hasStatuses(influxdb, 204) &&
      influxdb.values.length === 0 &&
      hasStatuses(connector, 422),
  },
  {
    name: 'size limits of a request',
    request: ({ influxdb, connector, given }) =>
      hasStatuses(influxdb, 204) &&
      ((given.environment?.max_decompressed_bytes !== undefined && hasStatuses(connector, 413)) ||
        (given.environment?.max_line_bytes !== undefined && hasStatuses(connector, 422))),
  },
  {
    name: 'a tag and a field with the same name',
    request: ({ influxdb, connector }) => {
      const renamed = ({ field, tags }: Value) => tags.some(([name]) => field === `${name}_field`);
      const clash = (value: Value) => influxdb.values.some(({ tags }) => tags.some(([name]) => name === value.field));
      return (
        hasStatuses(influxdb, 204) &&
        influxdb.values.some(clash) &&
        ((hasStatuses(connector, 204) && connector.values.some(renamed)) || hasStatuses(connector, 422))
      );
    },
  },
  {
    name: 'empty strings',
    partly: true,
    point: ({ values }) => values.every(({ type, value }) => type === 'string' && value === ''),
  },
  { name: 'points without tags', point: ({ values }) => values[0]?.tags.length === 0 },
  { name: 'times before 1970', point: ({ values }) => (values[0]?.time ?? 0n) < 0n },
  { name: 'times in the future', point: ({ values }) => (values[0]?.time ?? 0n) > now() + FUTURE_NS },
  {
    name: 'times before the retention',
    point: ({ values, given }) => {
      const days = given.environment?.mag_store_retention_period;
      return days !== undefined && (values[0]?.time ?? 0n) < now() - BigInt(days) * DAY_NS;
    },
  },
  {
    name: 'unsigned values above int64',
    point: ({ values }) => values.some(({ type, value }) => type === 'integer' && BigInt(value) > MAX_INT64),
  },
  {
    name: 'names reserved by Timestream',
    point: (lost) => {
      const { measurement, tags, fields } = names(lost);
      return [measurement, ...tags, ...fields].some(isReserved);
    },
  },
  { name: 'colons in tag names', point: (lost) => names(lost).tags.some((name) => name.includes(':')) },
  { name: 'sizes above a quota', point: isBeyondQuota },
  {
    name: 'measurements that are not valid table names',
    point: ({ given, values }) =>
      given.environment?.table_mapping === 'multi-table' && !/^[a-zA-Z0-9_.-]+$/.test(values[0]?.measurement ?? ''),
  },
];
