/** `load`: loads Parquet files into InfluxDB, from this machine or by a deployed stack. */
import { type Command, InvalidArgumentError } from 'commander';
import { number } from 'shared/count-text';
import type { Environment } from 'shared/environment';
import { loadLoaderConfig } from 'shared/loader-config';
import type { Summary } from 'shared/loads/summary';
import type { Checks } from '../loader/checks';
import type { LoadDetails } from '../loader/details';
import type { RunRecorder } from '../runs/recorder';
import { commandLine, givenOptions } from './command-line';
import { DONE, FAILED, INTERRUPTED, interruption, MISUSED, UsageError } from './ending';
import {
  addExportOptions,
  detailWithoutExport,
  EXPORT_OPTIONS,
  type ExportOptions,
  exportInput,
} from './export-options';
import { datasetWords, inferAndExplain, printMapping } from './infer';
import { addInferenceOptions, INFERENCE_OPTIONS, type InferenceOptions, refuseWithoutInfer } from './inference';
import { addSettings, misnamedSettings, readSettings, settingsOf } from './settings';
import { LOADER_SETTINGS } from './settings-tables';
import { uselessWithStack } from './stack-options';
import { withToken } from './token';
import { measurementName } from './values';

const DEFAULTS: Environment = { INFLUXDB_URL: 'http://localhost:8086' };

/** The load fails if more rows than this are invalid. */
interface MaxInvalid {
  readonly value: number;
  readonly isPercent: boolean;
}

interface Options extends ExportOptions, InferenceOptions, Readonly<Record<string, unknown>> {
  readonly dataset?: string;
  readonly report?: string;
  readonly maxInvalid?: MaxInvalid;
  readonly keepGoing?: true;
  readonly dryRun?: true;
  readonly json?: true;
  readonly infer?: true;
  readonly load?: true;
  readonly stack?: string;
  readonly detach?: true;
  readonly watch?: string;
  readonly token?: string;
  readonly tokenSecret?: string;
}

const EXAMPLES = `
Examples:
  influxdb-timestream load sample-data --url http://localhost:8086 --token TOKEN
  influxdb-timestream load 'data/*.parquet' --mapping solar.json --dry-run
  influxdb-timestream load data.parquet --infer --load           propose a mapping and load with it
  influxdb-timestream load .data/loads/TIME/failed-items.jsonl   retry the failed items of an earlier load
  influxdb-timestream load --export s3://BUCKET/PREFIX/          load tables that UNLOAD exported
  influxdb-timestream load s3://BUCKET/PREFIX/ --stack NAME      use the deployed workflow

The dataset of a file is detected from its path (dataset=NAME, or a folder called NAME), unless --dataset names it.
Loading the same rows again is safe: it stores the same points.`;

export function addLoad(program: Command): Command {
  const command = program
    .command('load')
    .description('load Parquet files into InfluxDB')
    .argument('[SOURCE...]', 'files, folders, globs, s3:// addresses, or a failed-items.jsonl')
    .option('--dataset <NAME>', 'dataset of every file (default: detected from the path)')
    .option('--dry-run', 'read and validate everything, write nothing')
    .option('--max-invalid <N[%]>', 'fail if more than N rows, or N% of the rows, are invalid', maxInvalid)
    .option(
      '--measurement <NAME>',
      'measurement, with --export or --infer (default: the name of the table, the file or the folder)',
      measurementName,
    )
    .option('--keep-going', 'load the other items (runs of row groups) when one fails; the exit code is still 1')
    .option('--report <DIR>', 'new folder for summary, invalid rows and failed items (default: .data/loads/TIME)')
    .option('--json', 'print the summary as JSON');
  addExportOptions(command)
    .optionsGroup('Deployed workflow:')
    .option('--stack <NAME>', 'load with the workflow of this stack')
    .option('--detach', 'print the id of the load and exit without waiting for its end')
    .option('--watch <ID>', 'follow a load that is already running')
    .addHelpText('after', EXAMPLES)
    .action(run)
    .optionsGroup('Unknown files:')
    .option('--infer', 'propose a mapping, print it and exit, as `infer` does')
    .option('--load', 'with --infer: load with the proposed mapping, which is saved in the report folder');
  addInferenceOptions(command);
  return addSettings(command, 'Settings (environment variable, default):', LOADER_SETTINGS, loadLoaderConfig, DEFAULTS);
}

function maxInvalid(text: string): MaxInvalid {
  const [, number, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text) ?? [];
  const value = Number(number);
  const isPercent = percent === '%';
  if (number === undefined || (isPercent ? value > 100 : !Number.isInteger(value))) {
    throw new InvalidArgumentError('It must be a number of rows, or a percentage such as 0.5%.');
  }
  return { value, isPercent };
}

async function run(sources: readonly string[], options: Options, command: Command): Promise<void> {
  const detail = detailWithoutExport(options);
  if (detail !== undefined) throw new UsageError(`${longOf(command, detail)} needs --export`);
  if (options.measurement !== undefined && options.export === undefined && !options.infer) {
    throw new UsageError('--measurement needs --export or --infer');
  }
  if (options.export !== undefined && sources.length > 0) throw new UsageError('give SOURCE or --export, not both');
  if (options.export !== undefined && options.dataset !== undefined) {
    throw new UsageError('--dataset is not for an export: its metadata describes its columns');
  }
  if (options.stack !== undefined) process.exitCode = await loadByStack(options.stack, sources, options, command);
  else process.exitCode = await loadFromHere(sources, options, command);
}

async function loadFromHere(sources: readonly string[], options: Options, command: Command): Promise<number> {
  const { dataset, dryRun = false, keepGoing = false } = options;
  if (options.detach || options.watch !== undefined) throw new UsageError('--detach and --watch need --stack NAME');
  checkInference(options);
  if (sources.length === 0 && options.export === undefined) {
    throw new UsageError('SOURCE is missing: name a file, a folder or an s3:// address to load');
  }
  if (options.infer && !options.load) {
    await printMapping(sources, options);
    return DONE;
  }
  const exported = options.export === undefined ? undefined : { folder: options.export, options: exportInput(options) };
  for (const warning of misnamedSettings(LOADER_SETTINGS, process.env)) console.error(warning);
  const { settings, hasToken } = withToken(
    { ...DEFAULTS, ...settingsOf(LOADER_SETTINGS, options, process.env) },
    options,
  );
  const signal = interruption();
  const inferred = options.infer ? await inferAndExplain(sources, options, signal) : undefined;
  const given = inferred === undefined ? {} : { DATASET_MAPPINGS: inferred.text };
  const config = readSettings(loadLoaderConfig, { ...settings, ...given }, LOADER_SETTINGS, process.env);
  const { openReport } = await import('../loader/report-folder');
  const { loadFiles } = await import('../loader/load');
  const report = openReport(options.report, new Date());
  if (inferred) report.save('mapping.json', `${inferred.text}\n`);
  const { endLoadRun, startLoadRun } = await import('../runs/load-run');
  const { runsFolder } = await import('../runs/folder');
  const source = options.export ?? sources.join(' ');
  let run: RunRecorder | undefined;
  const startRun = (): RunRecorder => {
    run = startLoadRun(runsFolder(), report.loadId, source, config.target);
    return run;
  };
  const load = {
    sources,
    exported,
    dataset: inferred?.name ?? dataset,
    keepGoing,
    dryRun,
    hasToken,
    report,
    signal,
    startRun: dryRun ? undefined : startRun,
  };
  const { summary, details, checks } = await loadFiles(load, config).catch((error: unknown) => {
    report.discardUnused();
    run?.fail(error);
    throw error;
  });
  const isCut = signal.aborted && summary.statusCode !== 200;
  const code = await show(summary, options, { dryRun, report: report.path, checks }, details);
  if (run) {
    const { summaryText } = await import('../loader/summary-text');
    const text = `${summaryText(summary, dryRun, details, checks)}\nReport: ${report.path}`;
    endLoadRun(run, summary, isCut ? INTERRUPTED : code, text);
  }
  if (!options.json) console.log(`Report: ${report.path}`);
  const file = summary.failedItems === null ? null : report.file('failed-items.jsonl');
  const inferredWords = inferred ? ['--mapping', report.file('mapping.json'), ...datasetWords(inferred)] : [];
  if (!dryRun && (file !== null || isCut))
    adviseRepetition({ ...summary, failedItems: file }, sources, command, inferredWords);
  return isCut ? INTERRUPTED : code;
}

function checkInference(options: Options): void {
  const { infer, load, dataset, dryRun, mapping } = options;
  if (!infer) {
    if (load) throw new UsageError('--load needs --infer: without it, load always loads');
    refuseWithoutInfer(options);
    return;
  }
  const given = { '--mapping': mapping, '--dataset': dataset, '--export': options.export };
  const other = Object.entries(given).find(([, value]) => value !== undefined)?.[0];
  if (other) throw new UsageError(`--infer proposes a mapping: it cannot be used with ${other}`);
  if (dryRun && !load) throw new UsageError('--infer only prints a mapping: add --load for a dry run with it');
}

/** Prints the summary, and returns the exit code. */
async function show(
  summary: Summary,
  { json, maxInvalid: limit }: Options,
  more: { readonly dryRun: boolean; readonly report?: string; readonly checks?: Checks },
  details?: LoadDetails,
): Promise<number> {
  const { invalidRows, summaryText } = await import('../loader/summary-text');
  console.log(
    json
      ? JSON.stringify({ ...summary, ...more, ...(details && { leftOut: details.leftOut() }) }, null, 2)
      : summaryText(summary, more.dryRun, details, more.checks),
  );
  const invalid = invalidRows(summary);
  const max = limit && (limit.isPercent ? (limit.value / 100) * summary.source_records : limit.value);
  if (max !== undefined && invalid > max) {
    const text = limit?.isPercent ? `${limit.value}%` : number(max, 'row');
    console.error(
      `--max-invalid: ${number(invalid, 'invalid row')} of ${number(summary.source_records, 'row')}, the maximum is ${text}`,
    );
    return FAILED;
  }
  const wouldFail = more.dryRun && more.checks !== undefined && more.checks.failures.length > 0;
  return summary.statusCode === 200 && !wouldFail ? DONE : FAILED;
}

/** Whether only files that somebody must fix have failed. */
function needFixedFiles({ causes, failed_batches }: Pick<Summary, 'causes' | 'failed_batches'>): boolean {
  return failed_batches === 0 && causes.length > 0 && causes.every(({ error }) => error === 'DataConversionError');
}

const OF_ONE_LOAD: ReadonlySet<string> = new Set([
  ...['report', 'watch', 'detach', 'infer', 'load'],
  ...INFERENCE_OPTIONS,
]);

/** Prints the command that loads what is missing: the failed items, or everything if the plan does not have all files. */
function adviseRepetition(
  summary: Pick<Summary, 'failedItems' | 'fullyPlanned' | 'causes' | 'failed_batches'>,
  sources: readonly string[],
  command: Command,
  further: readonly string[] = [],
): void {
  const { failedItems, fullyPlanned } = summary;
  if (fullyPlanned && failedItems !== null) {
    const when = needFixedFiles(summary)
      ? 'When the files are fixed, load them again'
      : 'To load the failed items again';
    // Failed items of an export know how their files are read.
    const again = [...optionWords(command, EXPORT_OPTIONS), ...further];
    console.error(`${when}: ${commandLine('load', [failedItems, ...again])}`);
  } else {
    // A mapping that was inferred has the measurement.
    const options = further.length > 0 ? optionWords(command, new Set(['measurement'])) : optionWords(command);
    const all = [...sources, ...options, ...further];
    console.error(`To load everything again, which stores no point twice: ${commandLine('load', all)}`);
  }
}

/** The options of this command that apply to another load too. */
const optionWords = (command: Command, without: ReadonlySet<string> = new Set()): string[] =>
  givenOptions(command, new Set([...OF_ONE_LOAD, ...without]), {
    rename: (value) => value as string[],
    maxInvalid: (value) => [limitText(value as MaxInvalid)],
  });

const limitText = ({ value, isPercent }: MaxInvalid): string => `${value}${isPercent ? '%' : ''}`;

/** Options of a load from this machine, without dashes. */
const LOCAL_OPTIONS = [
  ...['dry-run', 'report', 'infer', 'load'],
  ...['time', 'time-unit', 'measurement', 'tag', 'field'],
];

async function loadByStack(stack: string, sources: readonly string[], options: Options, command: Command) {
  const { dataset, detach = false, keepGoing = false, watch } = options;
  const useless = uselessWithStack(command, LOCAL_OPTIONS, LOADER_SETTINGS);
  if (useless !== undefined) {
    throw new UsageError(`${useless} cannot be used with --stack: the deployed stack has its own settings`);
  }
  const [source = options.export, ...others] = sources;
  if ((source === undefined) === (watch === undefined) || others.length > 0) {
    throw new UsageError('--stack needs exactly one s3:// address to load, or --watch ID');
  }
  if (source !== undefined && !source.startsWith('s3://')) {
    throw new UsageError(`--stack loads from S3, but ${source} is a local path: copy it to S3, or omit --stack`);
  }
  const { remoteInput, wordsOfInput } = await import('../loader/source');
  const input =
    options.export === undefined
      ? source && remoteInput(source)
      : { export: options.export, options: exportInput(options) };
  const { remoteLoads, watchRemote } = await import('../stack/remote-load');
  const { startRemote } = await import('../stack/remote-execution');
  const { Progress } = await import('../loader/progress');
  const loads = await remoteLoads(stack);
  const tolerance = { toleratedFailurePercentage: keepGoing ? 100 : 0 };
  const loadId =
    watch ??
    (await startRemote({ ...input, ...(dataset !== undefined && { dataset }), ...tolerance }, loads, new Date()));
  if (detach) {
    console.log(loadId);
    return DONE;
  }
  if (watch === undefined) console.error(`Load ${loadId} was started`);
  const progress = new Progress(process.stderr, { unit: 'items' });
  const signal = interruption();
  const outcome = await watchRemote(loadId, loads, progress, signal).finally(() => progress.end());
  if (outcome === undefined) {
    const follow = commandLine('load', ['--stack', stack, '--watch', loadId]);
    console.error(`The load continues. To follow it: ${follow}`);
    return INTERRUPTED;
  }
  const { failure, state, summary } = outcome;
  if (summary !== null) {
    const code = await show(summary, options, { dryRun: false });
    const given = options.export === undefined ? [source ?? ''] : [];
    const all = source === undefined && !summary.fullyPlanned ? wordsOfInput(outcome.input) : given;
    if (all === undefined)
      console.error(`To load everything again, start a load with the input of the execution ${loadId}`);
    else if (summary.failedItems !== null || !summary.fullyPlanned) adviseRepetition(summary, all, command);
    return code;
  }
  console.error(
    failure === undefined ? `the load ended with the state ${state}` : `${failure.error}: ${failure.cause}`,
  );
  return failure?.error === 'InvalidEventError' ? MISUSED : FAILED;
}

const longOf = (command: Command, name: string): string =>
  command.options.find((option) => option.attributeName() === name)?.long ?? name;
