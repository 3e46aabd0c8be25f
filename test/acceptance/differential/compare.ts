/** Compares the outcomes of a case in InfluxDB and the connector, and finds the classes that explain their differences. */
import type { Case } from './case';
import type { Compared, Difference, LostPoint } from './differences';
import { type Outcome, textOf, type Value } from './stored';

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

interface Side {
  /** Writes the requests of a case, and reads what is stored then. */
  write(given: Case, environment: Readonly<Record<string, string>>): Promise<Outcome>;
}

export interface Sides {
  readonly influxdb: Side;
  readonly connector: Side;
  /** The classes of differences between them. */
  readonly differences: readonly Difference[];
  /** Whether 400 and 422 are a difference; by default only those between 2xx, 4xx and 5xx are. */
  readonly exactStatuses?: boolean;
}

export async function compare(
  given: Case,
  { influxdb: server, connector: other, differences, exactStatuses = false }: Sides,
): Promise<Comparison> {
  const started = BigInt(Date.now()) * 1_000_000n - NOW_NS;
  const [influxdb, connector] = await Promise.all([
    server.write(given, {}),
    other.write(given, given.environment ?? {}),
  ]);
  const texts = ({ values }: Outcome): string[] => values.map((value) => textOf(value, started)).sort();
  const same = (one: Outcome, other: Outcome): boolean => texts(one).join() === texts(other).join();
  const result = { given, influxdb, connector };
  const statuses = exactStatuses ? statusTexts : statusClasses;
  if (statuses(influxdb) === statuses(connector) && same(influxdb, connector)) {
    return { ...result, classes: [], unexplained: false };
  }
  const good = given.good && (await server.write({ ...given, requests: given.good }, {}));
  const stored = new Set(texts(connector));
  const all = new Set(texts(influxdb));
  const isSubset = [...stored].every((text) => all.has(text));
  const compared = { ...result, goodStored: good && same(good, connector), isSubset };
  const classes =
    requestClass(compared, differences) ??
    pointClasses(compared, differences, (value) => stored.has(textOf(value, started)));
  return { ...result, classes: classes ?? [], unexplained: classes === undefined };
}

const statusTexts = ({ statuses }: Outcome): string => statuses.join();
const statusClasses = ({ statuses }: Outcome): string => statuses.map((status) => Math.floor(status / 100)).join();

function requestClass(compared: Compared, differences: readonly Difference[]): string[] | undefined {
  const found = differences.find((difference) => 'request' in difference && difference.request(compared));
  return found && [found.name];
}

/**
 * The classes of the points that the connector lost, if it stored all others as InfluxDB did. The response must be 422, unless a part
 * of each point was stored. Undefined if a point is in no class.
 */
function pointClasses(
  { given, influxdb, connector, isSubset }: Compared,
  differences: readonly Difference[],
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
  const classes = lost.map((point) => pointClass(point, differences));
  return lost.length > 0 && classes.every((name) => name !== undefined) ? [...new Set(classes)] : undefined;
}

const pointClass = (lost: LostPoint, differences: readonly Difference[]): string | undefined =>
  differences.find((each) => 'point' in each && (lost.isWhole || each.partly) && each.point(lost))?.name;
