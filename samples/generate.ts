/** `npm run -s sample:generate`: prints sample line protocol, the same for the same options. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { V2_PRECISIONS } from 'shared/line-protocol/precision';
import { choiceOption, integerOption, runProgram, UsageError } from './command/program';
import { DATASET_NAMES } from './generator/datasets';
import { SAMPLE_DEFAULTS, type SampleOptions, sampleLines } from './generator/lines';

const PRECISIONS = [...V2_PRECISIONS.keys()];

const USAGE = `npm run -s sample:generate -- [options] > FILE
  --lines N         lines (${SAMPLE_DEFAULTS.lines})
  --seed N          another seed, other values (${SAMPLE_DEFAULTS.seed})
  --dataset NAME    ${DATASET_NAMES.join(', ')} (${SAMPLE_DEFAULTS.dataset})
  --series N        series of each measurement (${SAMPLE_DEFAULTS.series})
  --start TIME      time of the first points, ISO 8601 (${new Date(SAMPLE_DEFAULTS.start).toISOString()})
  --interval N      ms between two points of a series (${SAMPLE_DEFAULTS.interval})
  --precision UNIT  ${PRECISIONS.join(', ')} (${SAMPLE_DEFAULTS.precision})
  --help            show this`;

const LINES_A_CHUNK = 1_000;
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

function* chunks(lines: Iterable<string>): Generator<string> {
  let chunk: string[] = [];
  for (const line of lines) {
    if (chunk.push(line) < LINES_A_CHUNK) continue;
    yield `${chunk.join('\n')}\n`;
    chunk = [];
  }
  if (chunk.length > 0) yield `${chunk.join('\n')}\n`;
}

async function generate(args: string[]): Promise<number> {
  const options = readGeneratorArguments(args);
  if (options === undefined) {
    console.log(USAGE);
    return 0;
  }
  await pipeline(Readable.from(chunks(sampleLines(options))), process.stdout).catch((error: NodeJS.ErrnoException) => {
    // Whoever read the lines, `head` perhaps, has enough of them.
    if (error.code !== 'EPIPE') throw error;
  });
  return 0;
}

void runProgram(generate);
