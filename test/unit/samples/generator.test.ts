import { createHash } from 'node:crypto';
import { decodePoints } from 'shared/line-protocol/point';
import { V2_PRECISIONS } from 'shared/line-protocol/precision';
import { DATASET_NAMES } from '../../../samples/generator/datasets';
import { SAMPLE_DEFAULTS, type SampleOptions, sampleLines } from '../../../samples/generator/lines';

const generate = (options: Partial<SampleOptions> = {}): string =>
  [...sampleLines({ ...SAMPLE_DEFAULTS, ...options })].join('\n');

const decode = (text: string, precision?: string) =>
  decodePoints(Buffer.from(text), 0n, precision === undefined ? undefined : V2_PRECISIONS.get(precision));

test('the same seed gives the same bytes, on every machine', () => {
  const hash = createHash('sha256').update(generate()).digest('hex');
  expect(hash).toBe('03d5eb1a75fdf42b98c26e1de2395a8cb82b455a953d031ead7927c5fb9d1774');
  expect(generate({ seed: 2 })).not.toBe(generate());
});

test.each(DATASET_NAMES)('data set %s is line protocol, with as many lines and series as asked for', (dataset) => {
  const { points, faults } = decode(generate({ dataset, lines: 200, series: 5 }));
  expect(faults).toEqual([]);
  expect(points).toHaveLength(200);
  const series = new Set(points.map(({ measurement, tags }) => JSON.stringify([measurement, tags])));
  expect(series.size).toBe(dataset === 'all' ? 15 : 5);
});

test('all data sets together have every type of field, one type a field', () => {
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
