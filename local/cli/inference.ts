/** The options of the inference, which `infer` and `load --infer` share. Each of them also has `--measurement`. */
import { type Command, Option } from 'commander';
import { TIME_UNITS, type TimeUnit } from 'shared/datasets/inference/time';
import type { InferOptions } from '../loader/infer';
import { UsageError } from './ending';
import { oneMore } from './values';

export interface InferenceOptions {
  readonly time?: string;
  readonly timeUnit?: TimeUnit;
  readonly measurement?: string;
  readonly tag?: readonly string[];
  readonly field?: readonly string[];
}

export const INFERENCE_OPTIONS = ['time', 'timeUnit', 'tag', 'field'] as const;

export function addInferenceOptions(command: Command): Command {
  return command
    .option('--time <COLUMN>', 'time column (default: by type and name)')
    .addOption(new Option('--time-unit <UNIT>', 'unit of a time column of integers').choices(TIME_UNITS))
    .option('--tag <COLUMN>', 'column that is a tag; may be repeated', oneMore(String))
    .option('--field <COLUMN>', 'column that is a field; may be repeated', oneMore(String));
}

export function inferenceChoices({
  time,
  timeUnit,
  measurement,
  tag = [],
  field = [],
}: InferenceOptions): InferOptions {
  return { time, timeUnit, measurement, tags: tag, fields: field };
}

/** @throws UsageError for an option that needs --infer */
export function refuseWithoutInfer(options: InferenceOptions): void {
  const given = INFERENCE_OPTIONS.find((name) => options[name] !== undefined);
  if (given === undefined) return;
  throw new UsageError(`--${given === 'timeUnit' ? 'time-unit' : given} needs --infer`);
}
