import { decodePoints } from 'shared/line-protocol/point';
import { V2_PRECISIONS } from 'shared/line-protocol/precision';
import { DATASET_NAMES } from '../../../samples/generator/datasets';
import { SAMPLE_DEFAULTS, type SampleOptions, sampleLines } from '../../../samples/generator/lines';
import { seededRandom } from '../../../samples/generator/random';

const generate = (options: Partial<SampleOptions> = {}): string =>
  [...sampleLines({ ...SAMPLE_DEFAULTS, ...options })].join('\n');

const decode = (text: string, precision?: string) =>
  decodePoints(Buffer.from(text), 0n, precision === undefined ? undefined : V2_PRECISIONS.get(precision));

test('the same seed gives the same bytes, another seed gives other bytes', () => {
  expect(generate()).toBe(generate());
  expect(generate({ seed: 2 })).not.toBe(generate());
});

// Computed with Python's integers, in units of 2^-32.
test.each([
  [0, [1144304738, 1416247, 958946056, 627933444]],
  [1, [2693262067, 11749833, 2265367787, 4213581821]],
  [42, [2581720956, 1925393290, 3661312704, 2876485805]],
  [4294967295, [3850105811, 813802916, 3073704848, 4054706436]],
])('the random numbers of seed %i are those of Mulberry32', (seed, expected) => {
  const random = seededRandom(seed);
  expect(expected.map(() => random.next() * 2 ** 32)).toEqual(expected);
});

test.each(DATASET_NAMES)('data set %s is line protocol with the requested number of lines and series', (dataset) => {
  const { points, errors } = decode(generate({ dataset, lines: 200, series: 5 }));
  expect(errors).toEqual([]);
  expect(points).toHaveLength(200);
  const series = new Set(points.map(({ measurement, tags }) => JSON.stringify([measurement, tags])));
  expect(series.size).toBe(dataset === 'all' ? 15 : 5);
});

test('the data sets together have every type of field, and each field has one type', () => {
  const types = new Map<string, Set<string>>();
  for (const { measurement, fields } of decode(generate()).points) {
    for (const [name, { type }] of fields) {
      const key = `${measurement}.${name}`;
      types.set(key, (types.get(key) ?? new Set()).add(type));
    }
  }
  expect([...types].filter(([, found]) => found.size > 1)).toEqual([]);
  expect(new Set([...types.values()].flatMap((found) => [...found]))).toEqual(
    new Set(['float', 'integer', 'unsigned', 'boolean', 'string']),
  );
});

test.each(['ns', 'us', 'ms', 's'])('points begin at the start and follow at the interval, in %s', (precision) => {
  const start = Date.UTC(2026, 5, 7, 8, 9, 10);
  const text = generate({ dataset: 'weather', lines: 4, series: 2, start, interval: 5_000, precision });
  const seconds = decode(text, precision).points.map(({ time }) => Number(time) / 1e9);
  expect(seconds).toEqual([0, 0, 5, 5].map((after) => start / 1000 + after));
});
