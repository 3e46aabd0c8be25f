/** Compares the outcomes of a case in InfluxDB and the connector, and finds the classes that explain their differences. */
import type { Case } from './case';
import type { ConnectorSide } from './connector-side';
import { type Compared, DIFFERENCES, type LostPoint } from './differences';
import type { InfluxdbSide } from './influxdb-side';
import { type Outcome, textOf, type Value } from './stored';

/** All points in one table, with Timestream's maximum retention. */
const ENVIRONMENT = { table_mapping: 'single-table', mag_store_retention_period: '73000' };
/** A server's own time may be this much before the start of the case, because it is truncated to the precision. */
const NOW_NS = 60_000_000_000n;

export interface Comparison {
  readonly given: Case;
  readonly influxdb: Outcome;
  readonly connector: Outcome;
  /** Names of the classes that explain all differences; empty if the outcomes are equal. */
  readonly classes: readonly string[];
  /** No class explains a difference. */
  readonly unexplained: boolean;
}

export async function compare(
  given: Case,
  sides: { influxdb: InfluxdbSide; connector: ConnectorSide },
): Promise<Comparison> {
  const started = BigInt(Date.now()) * 1_000_000n - NOW_NS;
  const [influxdb, connector] = await Promise.all([
    sides.influxdb.write(given.requests),
    sides.connector.write(given.requests, { ...ENVIRONMENT, ...given.environment }),
  ]);
  const texts = ({ values }: Outcome): string[] => values.map((value) => textOf(value, started)).sort();
  const same = (one: Outcome, other: Outcome): boolean => texts(one).join() === texts(other).join();
  const result = { given, influxdb, connector };
  if (statusClasses(influxdb) === statusClasses(connector) && same(influxdb, connector)) {
    return { ...result, classes: [], unexplained: false };
  }
  const good = given.good && (await sides.influxdb.write(given.good));
  const stored = new Set(texts(connector));
  const all = new Set(texts(influxdb));
  const isSubset = [...stored].every((text) => all.has(text));
  const compared = { ...result, goodStored: good && same(good, connector), isSubset };
  const classes = requestClass(compared) ?? pointClasses(compared, (value) => stored.has(textOf(value, started)));
  return { ...result, classes: classes ?? [], unexplained: classes === undefined };
}

const statusClasses = ({ statuses }: Outcome): string => statuses.map((status) => Math.floor(status / 100)).join();

function requestClass(compared: Compared): string[] | undefined {
  const found = DIFFERENCES.find((difference) => 'request' in difference && difference.request(compared));
  return found && [found.name];
}

/**
 * The classes of the points that the connector lost, if it stored all others as InfluxDB did. The response must be 422, unless a part
 * of each point was stored. Undefined if a point is in no class.
 */
function pointClasses(
  { given, influxdb, connector, isSubset }: Compared,
  isStored: (value: Value) => boolean,
): string[] | undefined {
  const points = new Map<string, Value[]>();
  for (const value of influxdb.values) {
    const key = JSON.stringify([value.measurement, value.tags, String(value.time)]);
    points.set(key, [...(points.get(key) ?? []), value]);
  }
  const lost = [...points.values()]
    .map((all) => ({ all, values: all.filter((value) => !isStored(value)) }))
    .filter(({ values }) => values.length > 0)
    .map(({ all, values }): LostPoint => ({ given, values, isWhole: values.length === all.length }));
  const status = lost.some(({ isWhole }) => isWhole) ? 422 : 204;
  if (influxdb.statuses.join() !== '204' || connector.statuses.join() !== String(status) || !isSubset) return undefined;
  const classes = lost.map(pointClass);
  return lost.length > 0 && classes.every((name) => name !== undefined) ? [...new Set(classes)] : undefined;
}

const pointClass = (lost: LostPoint): string | undefined =>
  DIFFERENCES.find((each) => 'point' in each && (lost.isWhole || each.partly) && each.point(lost))?.name;
