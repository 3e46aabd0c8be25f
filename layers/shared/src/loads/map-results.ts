/**
 * Reads the results of the workflow's map: the manifest of ResultWriter and the files that it names.
 * Source: "ResultWriter (Map)" in the Step Functions developer guide.
 */
import { z } from 'zod';
import { UnexpectedError } from '../errors';
import { validate } from '../validation';
import { type ItemResult, itemResultSchema } from './item-result';
import { jsonObjects } from './json-objects';
import { type ObjectRef, type ObjectStore, readText } from './objects';

const files = z.array(z.object({ Key: z.string() })).optional();
const manifestSchema = z.object({
  DestinationBucket: z.string(),
  ResultFiles: z.object({ SUCCEEDED: files, FAILED: files, PENDING: files }),
});

/** One child execution. Its input and output are JSON as text. */
const childSchema = z.object({
  Input: z.string().optional(),
  Output: z.string().nullish(),
  Error: z.string().nullish(),
  Cause: z.string().nullish(),
});
const inputSchema = z.object({ item: z.object({ bucket: z.string(), key: z.string(), firstRowGroup: z.number() }) });

export type ItemOutcome =
  | { readonly kind: 'done'; readonly result: ItemResult }
  | {
      readonly kind: 'failed';
      readonly item: z.output<typeof inputSchema>['item'];
      readonly error: string;
      readonly cause: string;
    };

/**
 * The outcomes of all items that ended, without the items that were never started.
 * @throws UnexpectedError if the manifest or a file that it names is missing, or does not have the documented form
 */
export async function* itemOutcomes(objects: ObjectStore, manifest: ObjectRef): AsyncGenerator<ItemOutcome> {
  const text = await readText(objects, manifest);
  if (text === undefined) throw new UnexpectedError(`${objects.nameOf(manifest)} is missing`);
  const parsed = manifestSchema.safeParse(JSON.parse(text));
  if (!parsed.success) throw new UnexpectedError(`${objects.nameOf(manifest)} is not a manifest of ResultWriter`);
  const { DestinationBucket: bucket, ResultFiles } = parsed.data;
  for (const { Key: key } of [...(ResultFiles.SUCCEEDED ?? []), ...(ResultFiles.FAILED ?? [])]) {
    const chunks = await objects.read({ bucket, key });
    if (!chunks) throw new UnexpectedError(`${objects.nameOf({ bucket, key })} is missing`);
    for await (const child of jsonObjects(chunks, objects.nameOf({ bucket, key }))) {
      const outcome = outcomeOf(validate(childSchema, child, `a result in ${objects.nameOf({ bucket, key })}`));
      if (outcome) yield outcome;
    }
  }
}

/** Undefined if neither output nor input names an item. Then the item counts as never started. */
function outcomeOf({
  Input,
  Output,
  Error: error,
  Cause: cause,
}: z.output<typeof childSchema>): ItemOutcome | undefined {
  const result = itemResultSchema.safeParse(parse(Output));
  if (result.success) return { kind: 'done', result: result.data };
  const input = inputSchema.safeParse(parse(Input));
  if (!input.success) return undefined;
  const failure = error
    ? readCause({ error, cause: cause ?? '' })
    : { error: 'UnexpectedError', cause: 'the item has no result' };
  return { kind: 'failed', item: input.data.item, ...failure };
}

const causeSchema = z.object({ errorType: z.string().optional(), errorMessage: z.string() });

/** The message of an error for a person. For an error of a Lambda function, without the JSON and the stack around it. */
export function readCause({ error, cause }: { error: string; cause: string }): { error: string; cause: string } {
  const lambda = causeSchema.safeParse(parse(cause));
  return lambda.success ? { error, cause: lambda.data.errorMessage } : { error, cause };
}

function parse(text: string | null | undefined): unknown {
  try {
    return typeof text === 'string' ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}
