/** The built-in data sets: their series, and how their values change. Together they have every type of field. */
import type { FieldValue, Point } from 'shared/line-protocol/point';
import type { Random } from './random';

type Tags = Point['tags'];
type Fields = Point['fields'];

/** One series: its tags, and the fields of its next point. */
export interface Series {
  readonly measurement: string;
  readonly tags: Tags;
  nextFields(): Fields;
}

/** Makes series number `index` (from 0) of a data set. */
type MakeSeries = (index: number, random: Random) => Series;

const float = (value: number, digits: number): FieldValue => ({ type: 'float', value: Number(value.toFixed(digits)) });
const integer = (value: number): FieldValue => ({ type: 'integer', value: BigInt(Math.round(value)) });
const unsigned = (value: number): FieldValue => ({ type: 'unsigned', value: BigInt(Math.round(value)) });
const boolean = (value: boolean): FieldValue => ({ type: 'boolean', value });
const string = (value: string): FieldValue => ({ type: 'string', value });

/** A random walk with steps of at most `step` between `low` and `high`. */
function wander(random: Random, low: number, high: number, step: number): () => number {
  let value = random.between(low, high);
  return () => {
    value = Math.min(high, Math.max(low, value + random.between(-step, step)));
    return value;
  };
}

const CITIES = ['Lisbon', 'São Paulo', 'Zürich', 'New York', 'Nairobi', 'Wellington', '東京', 'Reykjavík'];

const weather: MakeSeries = (index, random) => {
  const temperature = wander(random, -10, 38, 0.4);
  const humidity = wander(random, 20, 100, 1.5);
  const pressure = wander(random, 980, 1040, 0.3);
  return {
    measurement: 'weather',
    tags: [
      ['city', CITIES[index % CITIES.length]],
      ['station', `ws-${index + 1}`],
    ],
    nextFields: () => {
      const damp = humidity();
      return [
        ['temperature', float(temperature(), 1)],
        ['humidity', float(damp, 1)],
        ['pressure', float(pressure(), 2)],
        ['raining', boolean(damp > 90)],
      ];
    },
  };
};

const SERVER_MESSAGES = ['ok', 'ok', 'ok', 'disk "sda1" is 91 % full', 'backup = done, 3 files', 'C:\\temp cleaned'];

const servers: MakeSeries = (index, random) => {
  const cpu = wander(random, 0, 100, 6);
  const memory = wander(random, 2e9, 64e9, 5e8);
  const connections = wander(random, 0, 4000, 80);
  let requests = random.between(0, 1e9);
  return {
    measurement: 'servers',
    tags: [
      ['host', `server${String(index + 1).padStart(2, '0')}`],
      ['region', random.pick(['us-east', 'us-west', 'eu-central'])],
      ['rack', `r${1 + (index % 4)}`],
    ],
    nextFields: () => {
      requests += random.between(0, 900);
      return [
        ['cpu_percent', float(cpu(), 2)],
        ['memory_bytes', integer(memory())],
        ['connections', integer(connections())],
        ['requests_total', unsigned(requests)],
        ['healthy', boolean(random.next() > 0.01)],
        ['message', string(random.pick(SERVER_MESSAGES))],
      ];
    },
  };
};

const machines: MakeSeries = (index, random) => {
  const vibration = wander(random, 0.01, 4, 0.2);
  const speed = wander(random, 0, 3000, 40);
  let parts = 0;
  return {
    measurement: 'machines',
    tags: [
      ['line', `line ${1 + (index % 3)}`],
      ['machine', `press-${index + 1}`],
    ],
    nextFields: () => {
      const turns = speed();
      parts += turns > 500 ? 1 : 0;
      return [
        ['vibration_mm_s', float(vibration(), 3)],
        ['speed_rpm', integer(turns)],
        ['parts_total', unsigned(parts)],
        ['running', boolean(turns > 500)],
        ['mode', string(turns > 500 ? 'produce' : 'idle')],
      ];
    },
  };
};

const MAKERS: ReadonlyMap<string, MakeSeries> = new Map([
  ['weather', weather],
  ['servers', servers],
  ['machines', machines],
]);

export const DATASET_NAMES: readonly string[] = ['all', ...MAKERS.keys()];

/**
 * The series of a data set.
 * @param name one of DATASET_NAMES; `all` has the series of all other data sets in turn
 * @param count series per measurement
 */
export function makeSeries(name: string, count: number, random: Random): Series[] {
  const makers = [...MAKERS].filter(([dataset]) => name === 'all' || name === dataset);
  return Array.from({ length: count }, (_, index) => makers.map(([, make]) => make(index, random))).flat();
}
