/** A load: the input of an execution, validated and with defaults. */
import { z } from 'zod';
import { type Detection, detectDataset } from '../datasets/detect';
import type { DatasetMapping } from '../datasets/mapping';
import { InvalidEventError } from '../errors';
import { exportOptionsSchema } from '../exports/options';
import { validate } from '../validation';
import { isLeftOut } from './left-out';
import { bucketSchema as bucket, keySchema as key, type ObjectRef, parseS3Folder, parseS3Uri } from './objects';

const DEFAULT_CONCURRENCY = 10;
/** Maximum concurrency of a distributed map in Step Functions. */
const MAX_CONCURRENCY = 10_000;

const sources = [
  z.strictObject({ bucket, key: key.describe('The key of one object.') }),
  z.strictObject({ bucket, prefix: key.describe('The prefix of the keys.') }),
  z.strictObject({ plan: z.string().describe('failed-items.jsonl of an earlier load, as s3://bucket/key.') }),
  z.strictObject({
    export: z.string().describe('The folder of an export by UNLOAD, as s3://bucket/prefix/.'),
    options: exportOptionsSchema.prefault({}).describe('How its tables become points.'),
  }),
] as const;
const sourceSchema = z.union(sources);
const inputSourceSchema = z.union([
  ...sources,
  z.strictObject({ bucket, keys: z.array(key).min(1, 'must name a key').max(10_000) }),
]);

/** The source of the rows. A plan is a file of keys, or of items that an earlier load did not finish. An export is what UNLOAD wrote. */
export type LoadSource = z.output<typeof sourceSchema>;
/** The source as the input names it. */
export type InputSource = z.output<typeof inputSourceSchema>;

const optionsSchema = z.object({
  dataset: z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .nullish()
    .describe('The name of the dataset; default: detected from each key.'),
  toleratedFailurePercentage: z
    .number()
    .min(0)
    .max(100)
    .nullish()
    .describe('The load succeeds while at most this share of its items fails; default 0.'),
  maxConcurrency: z
    .number()
    .int()
    .min(1)
    .max(MAX_CONCURRENCY)
    .nullish()
    .describe(`Items at the same time; default ${DEFAULT_CONCURRENCY}, limited by LoaderReservedConcurrency.`),
  clientToken: z
    .string()
    .min(1, 'must not be empty')
    .max(1024)
    .nullish()
    .describe('Requests with the same token and input start one load.'),
});

/** The input of POST /loads and of an execution: one of the sources, and options. */
export const loadRequestSchema = z.union(inputSourceSchema.options.map((source) => source.extend(optionsSchema.shape)));

export const loadSchema = z.object({
  loadId: z.string().regex(/^[\w-]{1,80}$/, "must be an execution's name: letters, digits, - and _"),
  source: sourceSchema,
  /** null: detected from each key. */
  dataset: z.string().nullable(),
  toleratedFailurePercentage: z.number(),
  maxConcurrency: z.number(),
  /** Objects that were left out before planning: 1 for an event about an object that is not data. Then the load is empty. */
  ignored: z.number().int().min(0).default(0),
});

/** The load as it passes from step to step. Its size does not depend on the input. */
export type Load = z.output<typeof loadSchema>;

/** A load that may still contain a list of keys. */
export interface RequestedLoad extends Omit<Load, 'source'> {
  readonly source: InputSource;
}

export interface LoadRules {
  readonly mappings: readonly DatasetMapping[];
  /** Maximum concurrent invocations; undefined for no limit. */
  readonly reservedConcurrency: number | undefined;
  readonly detection?: Detection;
  /** The name of an object in messages; default: its key. */
  readonly nameOf?: (ref: ObjectRef) => string;
}

const SOURCES = '{bucket, key}, {bucket, prefix}, {bucket, keys}, {plan} or {export, options}';

/**
 * Reads a load from the input of an execution: one of the sources, with optional dataset, toleratedFailurePercentage, maxConcurrency
 * and clientToken; or an "Object Created" event of EventBridge.
 * @throws InvalidEventError that lists every problem of the input; DataConversionError if no dataset is detected from a single key
 */
export function readLoad(loadId: string, input: unknown, rules: LoadRules): RequestedLoad {
  const { source, options, isNotified } = readInput(input);
  const { reservedConcurrency = MAX_CONCURRENCY } = rules;
  const ignored = isNotified && 'key' in source && isLeftOut(source.key) ? 1 : 0;
  return {
    loadId: validate(loadSchema.shape.loadId, loadId, 'the id of the load'),
    source,
    dataset: ignored > 0 ? null : datasetOf(source, rules, options.dataset ?? undefined),
    toleratedFailurePercentage: options.toleratedFailurePercentage ?? 0,
    maxConcurrency: Math.min(options.maxConcurrency ?? DEFAULT_CONCURRENCY, reservedConcurrency),
    ignored,
  };
}

interface LoadInput {
  readonly source: InputSource;
  readonly options: z.output<typeof optionsSchema>;
  /** Whether the object comes from a notification, not from a request. */
  readonly isNotified: boolean;
}

/** Reads the parts of the input of an execution. @throws InvalidEventError that lists every problem of the input */
export function readInput(input: unknown): LoadInput {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new InvalidEventError(`the input must be a JSON object with ${SOURCES}`);
  }
  const created = objectCreated(input);
  if (created) return { source: validate(inputSourceSchema, created, 'the event'), options: {}, isNotified: true };
  const { dataset, toleratedFailurePercentage, maxConcurrency, clientToken, ...source } = input as Record<
    string,
    unknown
  >;
  const options = validate(
    optionsSchema,
    { dataset, toleratedFailurePercentage, maxConcurrency, clientToken },
    'the input',
  );
  const names = Object.keys(source).sort().join(', ');
  if (!['bucket, key', 'bucket, prefix', 'bucket, keys', 'plan', 'export', 'export, options'].includes(names)) {
    throw new InvalidEventError(
      `the input must have ${SOURCES}, and may have dataset, toleratedFailurePercentage, maxConcurrency and clientToken; it has ${names || 'none of them'}`,
    );
  }
  const checked = validate(inputSourceSchema, source, 'the input');
  if ('plan' in checked) parseS3Uri(checked.plan);
  if ('export' in checked) {
    parseS3Folder(checked.export);
    if (options.dataset) throw new InvalidEventError('an export has no dataset: its metadata describes its columns');
  }
  return { source: checked, options, isNotified: false };
}

function datasetOf(
  source: InputSource,
  { mappings, detection, nameOf }: LoadRules,
  explicit: string | undefined,
): string | null {
  if (explicit !== undefined) return detectDataset('', mappings, explicit, detection).name;
  if (!('key' in source)) return null;
  return detectDataset(source.key, mappings, undefined, detection, nameOf?.(source)).name;
}

/** The object of an EventBridge event. Its keys are not URL-encoded. */
function objectCreated(input: object): unknown {
  const event = input as {
    'detail-type'?: unknown;
    detail?: { bucket?: { name?: unknown }; object?: { key?: unknown } };
  };
  if (event['detail-type'] !== 'Object Created') return undefined;
  return { bucket: event.detail?.bucket?.name, key: event.detail?.object?.key };
}
