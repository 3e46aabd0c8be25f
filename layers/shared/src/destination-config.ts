/** The settings of the destinations: where the write function stores points. */
import { EnvironmentReader, type ObserveSetting } from './environment';
import { type InfluxDBSettings, readInfluxDB } from './influxdb-config';
import { TIMESTREAM_LIMITS, type TimestreamLimit } from './timestream/refusal';

export type DestinationName = 'timestream' | 'influxdb';

const DESTINATIONS = ['timestream', 'both', 'influxdb'] as const;

/** How the name of an organization or a bucket in a request becomes its name in InfluxDB. */
export type NameMapping =
  /** Every request has the configured name. */
  | { readonly kind: 'configured' }
  /** The name of the request itself. */
  | { readonly kind: 'passthrough' }
  /** By the name of the request; other names are refused. */
  | { readonly kind: 'listed'; readonly names: ReadonlyMap<string, string> };

/** The InfluxDB that stores the points of requests. */
export interface InfluxDBDestination extends InfluxDBSettings {
  readonly buckets: NameMapping;
  readonly orgs: NameMapping;
}

export interface DestinationConfig {
  /** Where the points of a request are stored. */
  readonly destination: (typeof DESTINATIONS)[number];
  /** Undefined if points are stored in Timestream only. */
  readonly influxdb: InfluxDBDestination | undefined;
  /** With both destinations: whether a request is stored only when InfluxDB, the second one, has stored it too. */
  readonly secondaryRequired: boolean;
  /** With both destinations: the limits of Timestream beyond which lines are stored in InfluxDB only; others are refused. */
  readonly influxdbOnly: ReadonlySet<TimestreamLimit>;
}

/** Reads the settings of the destinations, and records their problems. */
export function readDestinations(env: EnvironmentReader, observe: ObserveSetting | undefined): DestinationConfig {
  const destination = env.oneOf('destination', DESTINATIONS, 'timestream');
  // Without InfluxDB its settings may be missing or wrong.
  const used = destination === 'timestream' ? new EnvironmentReader({}, observe) : env;
  const influxdb = {
    ...readInfluxDB(used),
    buckets: nameMapping(used, 'bucket_mapping'),
    orgs: nameMapping(used, 'org_mapping'),
  };
  const secondaryRequired = env.boolean('secondary_required', true);
  if (!secondaryRequired && destination !== 'both') {
    env.problem('secondary_required', 'is false, but only destination=both has a second destination');
  }
  return {
    destination,
    influxdb: destination === 'timestream' ? undefined : influxdb,
    secondaryRequired,
    influxdbOnly: influxdbOnly(env),
  };
}

/** Format: `configured`, `passthrough`, or `from=to,from=to`. */
function nameMapping(env: EnvironmentReader, name: string): NameMapping {
  const text = env.text(name, 'configured');
  if (text === 'configured' || text === 'passthrough') return { kind: text };
  const names = text.split(',').map((pair) => pair.split('=').map((part) => part.trim()));
  if (!names.every((parts) => parts.length === 2 && parts.every((part) => part !== ''))) {
    env.problem(name, `must be configured, passthrough or from=to,from=to, not '${text}'`);
  }
  const froms = names.map(([from = '']) => from);
  const twice = froms.find((from, index) => froms.indexOf(from) < index);
  if (twice !== undefined) env.problem(name, `names '${twice}' twice: keep one of them`);
  return { kind: 'listed', names: new Map(names.map(([from = '', to = '']) => [from, to])) };
}

/** Format: `none`, `all`, or limits separated by commas. */
function influxdbOnly(env: EnvironmentReader): ReadonlySet<TimestreamLimit> {
  const name = 'influxdb_only_lines';
  const text = env.text(name, 'none');
  if (text === 'none') return new Set();
  if (text === 'all') return new Set(TIMESTREAM_LIMITS);
  const given = text.split(',').map((each) => each.trim());
  const known = new Set(TIMESTREAM_LIMITS.filter((limit) => given.includes(limit)));
  // A limit that is named twice is no problem: the stack accepts that, too.
  if (known.size !== new Set(given).size) {
    env.problem(name, `must be none, all, or some of ${TIMESTREAM_LIMITS.join(', ')}, not '${text}'`);
  }
  return known;
}
