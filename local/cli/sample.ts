/** `sample`: makes sample data, as Parquet files or as line protocol. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { grouped } from 'shared/count-text';
import { V2_PRECISIONS } from 'shared/line-protocol/precision';
import { DATASET_NAMES } from '../../samples/generator/datasets';
import { SAMPLE_DEFAULTS, type SampleOptions } from '../../samples/generator/lines';
import { DONE, FAILED, UsageError } from './ending';
import { httpUrl, token, wholeNumber } from './values';

const PRECISIONS = [...V2_PRECISIONS.keys()];
const LARGEST_TIME = Date.UTC(2262, 0, 1);

export function addSample(program: Command): Command {
  const command = program
    .command('sample')
    .description('make sample data: Parquet files, or line protocol')
    .option('--parquet <DIR>', 'new folder for sample Parquet files, which load can read')
    .action(async ({ parquet }: { readonly parquet?: string }) => {
      if (parquet === undefined)
        throw new UsageError(`--parquet DIR, or a command below, is missing:\n\n${command.helpInformation()}`);
      const { writeSampleParquet } = await import('../sample/parquet');
      const { files, rows } = await writeSampleParquet(parquet);
      console.log([...files, `${grouped(rows)} rows in ${files.length} files`].join('\n'));
    });
  addGenerate(command);
  addWrite(command);
  return command;
}

function addGenerate(sample: Command): void {
  const { lines, seed, dataset, series, start, interval, precision } = SAMPLE_DEFAULTS;
  sample
    .command('generate')
    .description('print line protocol; the same options give the same lines')
    .option('--lines <N>', 'number of lines', wholeNumber(0, 1e9), lines)
    .option('--seed <N>', 'seed of the random values', wholeNumber(0, 2 ** 32 - 1), seed)
    .addOption(new Option('--dataset <NAME>', 'data set').choices(DATASET_NAMES).default(dataset))
    .option('--series <N>', 'series per measurement', wholeNumber(1, 1e6), series)
    .addOption(
      new Option('--start <TIME>', 'time of the first points, ISO 8601')
        .default(start, new Date(start).toISOString())
        .argParser(startTime),
    )
    .option('--interval <MS>', 'milliseconds between two points of a series', wholeNumber(1, 1e9), interval)
    .addOption(new Option('--precision <UNIT>', 'unit of the timestamps').choices(PRECISIONS).default(precision))
    .action(async (options: SampleOptions) => {
      const { generate } = await import('../../samples/generate');
      await generate(options, process.stdout);
    });
}

function startTime(text: string): number {
  const start = Date.parse(text);
  if (start >= 0 && start < LARGEST_TIME) return start;
  throw new InvalidArgumentError('It must be an ISO 8601 time from 1970 to 2261.');
}

interface WriteOptions {
  readonly dataset?: string;
  readonly endpoint: string;
  readonly token?: string;
  readonly region?: string;
  readonly service: string;
  readonly precision: string;
  readonly batchLines: number;
}

function addWrite(sample: Command): void {
  sample
    .command('write')
    .description('write a file of line protocol, or a built-in data set, to an endpoint')
    .argument('[FILE]', 'line protocol to write; - reads it from stdin')
    .addOption(
      new Option('--dataset <NAME>', `instead of FILE: the ${SAMPLE_DEFAULTS.lines} lines of a data set`).choices(
        DATASET_NAMES,
      ),
    )
    .option(
      '--endpoint <URL>',
      'URL with its stage; https requests are signed, http requests are not',
      httpUrl,
      'http://localhost:9000',
    )
    .option('--token <TOKEN>', 'token to send instead of a signature', token)
    .option('--region <REGION>', 'region in the signature (default: from the endpoint, else AWS_REGION)')
    .option('--service <SERVICE>', 'service in the signature', 'execute-api')
    .addOption(new Option('--precision <UNIT>', 'unit of the timestamps in FILE').choices(PRECISIONS).default('ns'))
    .option('--batch-lines <N>', 'lines per request', wholeNumber(1, 1e6), 5_000)
    .action(async (file: string | undefined, options: WriteOptions) => {
      const { dataset, endpoint, region } = options;
      if ((file === undefined) === (dataset === undefined)) {
        throw new UsageError('name either a FILE of line protocol or a --dataset');
      }
      const source = file === undefined ? { dataset: dataset ?? '' } : { file };
      const ofEndpoint = /\.execute-api\.([^.]+)\./.exec(new URL(endpoint).host)?.[1];
      const { write } = await import('../../samples/write');
      const isStored = await write({
        ...options,
        source,
        token: options.token,
        region: region ?? ofEndpoint ?? process.env.AWS_REGION ?? 'us-east-1',
      });
      process.exitCode = isStored ? DONE : FAILED;
    });
}
