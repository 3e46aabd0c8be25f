/** `infer`: proposes the mapping of unknown Parquet files. */
import type { Command } from 'commander';
import { commandLine } from './command-line';
import { interruption } from './ending';
import { addInferenceOptions, type InferenceOptions, inferenceChoices } from './inference';
import { measurementName } from './values';

const EXAMPLES = `
Examples:
  influxdb-timestream infer data.parquet > mapping.json
  influxdb-timestream load data.parquet --mapping mapping.json

The mapping goes to stdout; what was decided and why, and what is not certain, to stderr.
The exit code is 2 if something has to be decided first, such as the unit of integer times.`;

export function addInfer(program: Command): Command {
  const command = program
    .command('infer')
    .description('propose a mapping for Parquet files')
    .argument('<SOURCE...>', 'files, folders, globs or s3:// addresses')
    .addHelpText('after', EXAMPLES)
    .action(async (sources: readonly string[], options: InferenceOptions) => {
      await printMapping(sources, options);
    });
  return addInferenceOptions(
    command.option('--measurement <NAME>', 'measurement (default: the name of the file or folder)', measurementName),
  );
}

/** Prints the mapping to stdout, and the reasons to stderr. */
export async function printMapping(sources: readonly string[], options: InferenceOptions): Promise<void> {
  const inferred = await inferAndExplain(sources, options, interruption());
  const words = [...sources, '--mapping', 'MAPPING.json', ...datasetWords(inferred)];
  console.error(`To load: ${commandLine('load', words)}`);
  console.log(inferred.text);
}

/** A mapping as JSON. */
export interface InferredText {
  readonly text: string;
  readonly name: string;
  /** Whether a load has to name the dataset. */
  readonly needsDataset: boolean;
}

/** Infers the mapping and prints the reasons to stderr. */
export async function inferAndExplain(
  sources: readonly string[],
  options: InferenceOptions,
  signal: AbortSignal,
): Promise<InferredText> {
  const { inferFromSources } = await import('../loader/infer');
  const { inferenceText } = await import('../loader/inference-text');
  const inference = await inferFromSources(sources, inferenceChoices(options), signal);
  console.error(inferenceText(inference));
  const { mapping, needsDataset } = inference;
  return { text: JSON.stringify(mapping, null, 2), name: mapping.name, needsDataset };
}

/** The option of a load whose files' paths do not lead to the mapping. */
export const datasetWords = ({ name, needsDataset }: InferredText): string[] =>
  needsDataset ? ['--dataset', name] : [];
