/** Makes sample line protocol: the series of a data set have points in turn, at a fixed interval. */
import { encodePoint } from 'shared/line-protocol/line-encoder';
import { V2_PRECISIONS } from 'shared/line-protocol/precision';
import { makeSeries } from './datasets';
import { seededRandom } from './random';

export interface SampleOptions {
  readonly dataset: string;
  readonly lines: number;
  readonly seed: number;
  /** Number of series per measurement. */
  readonly series: number;
  /** Time of the first points, ms since 1970. */
  readonly start: number;
  /** Between two points of a series, ms. */
  readonly interval: number;
  /** ns, us, ms or s. */
  readonly precision: string;
}

export const SAMPLE_DEFAULTS: SampleOptions = {
  dataset: 'all',
  lines: 1_000,
  seed: 1,
  series: 8,
  start: Date.UTC(2026, 0, 1),
  interval: 10_000,
  precision: 'ns',
};

/** Lines without newlines; the same options give the same lines on every machine. */
export function* sampleLines(options: SampleOptions): Generator<string> {
  const { dataset, lines, seed, series: count, start, interval, precision } = options;
  const series = makeSeries(dataset, count, seededRandom(seed));
  const unit = V2_PRECISIONS.get(precision);
  for (let line = 0; line < lines; line++) {
    const { measurement, tags, nextFields } = series[line % series.length];
    const time = BigInt(start + Math.floor(line / series.length) * interval) * 1_000_000n;
    yield encodePoint({ measurement, tags, fields: nextFields(), time }, unit);
  }
}
