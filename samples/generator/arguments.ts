/** The arguments of `npm run -s sample:generate`. */
import { parseArgs } from 'node:util';
import { V2_PRECISIONS } from 'shared/line-protocol/precision';
import { choiceOption, integerOption, UsageError } from '../command/program';
import { DATASET_NAMES } from './datasets';
import { SAMPLE_DEFAULTS, type SampleOptions } from './lines';

const PRECISIONS = [...V2_PRECISIONS.keys()];

export const GENERATOR_USAGE = `npm run -s sample:generate -- [options] > FILE
  --lines N         lines (${SAMPLE_DEFAULTS.lines})
  --seed N          another seed, other values (${SAMPLE_DEFAULTS.seed})
  --dataset NAME    ${DATASET_NAMES.join(', ')} (${SAMPLE_DEFAULTS.dataset})
  --series N        series of each measurement (${SAMPLE_DEFAULTS.series})
  --start TIME      time of the first points, ISO 8601 (${new Date(SAMPLE_DEFAULTS.start).toISOString()})
  --interval N      ms between two points of a series (${SAMPLE_DEFAULTS.interval})
  --precision UNIT  ${PRECISIONS.join(', ')} (${SAMPLE_DEFAULTS.precision})
  --help            show this`;

const LARGEST_TIME = Date.UTC(2262, 0, 1);

/** @throws UsageError that says what is wrong with the arguments */
export function readGeneratorArguments(args: string[]): SampleOptions | undefined {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args,
    options: {
      lines: { ...text, default: String(SAMPLE_DEFAULTS.lines) },
      seed: { ...text, default: String(SAMPLE_DEFAULTS.seed) },
      dataset: { ...text, default: SAMPLE_DEFAULTS.dataset },
      series: { ...text, default: String(SAMPLE_DEFAULTS.series) },
      start: { ...text, default: new Date(SAMPLE_DEFAULTS.start).toISOString() },
      interval: { ...text, default: String(SAMPLE_DEFAULTS.interval) },
      precision: { ...text, default: SAMPLE_DEFAULTS.precision },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    lines: integerOption('--lines', values.lines, 0, 1e9),
    seed: integerOption('--seed', values.seed, 0, 2 ** 32 - 1),
    dataset: choiceOption('--dataset', values.dataset, DATASET_NAMES),
    series: integerOption('--series', values.series, 1, 1e6),
    start: startOption(values.start),
    interval: integerOption('--interval', values.interval, 1, 1e9),
    precision: choiceOption('--precision', values.precision, PRECISIONS),
  };
}

function startOption(text: string): number {
  const start = Date.parse(text);
  if (!(start >= 0 && start < LARGEST_TIME)) {
    throw new UsageError(`--start must be an ISO 8601 time from 1970 to 2261, not '${text}'`);
  }
  return start;
}
