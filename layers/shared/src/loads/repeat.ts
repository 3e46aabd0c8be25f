/** Decides from the summary of a failed load what to repeat. */
import { z } from 'zod';
import { isPermanent } from '../errors';
import { validate } from '../validation';

export interface Repetition {
  /** The address of `failed-items.jsonl` if it has everything that is missing; undefined if the whole load must be repeated. */
  readonly plan: string | undefined;
  /** The reason that a repetition would fail the same way; undefined if it may succeed. */
  readonly permanentReason: string | undefined;
}

/** Errors that follow from other errors. They say nothing about the next run. */
const CONSEQUENCES = ['NotStarted', 'States.ExceedToleratedFailureThreshold'];

const summarySchema = z.object({
  failedItems: z.string().nullable(),
  fullyPlanned: z.boolean(),
  failed_batches: z.number(),
  causes: z.array(z.object({ error: z.string(), cause: z.string() })),
});

/**
 * Reads the `summary.json` of an incomplete load.
 * @throws InvalidEventError if it is not a summary
 */
export function repetitionOf(summary: unknown): Repetition {
  const { failedItems, fullyPlanned, failed_batches, causes } = validate(summarySchema, summary, 'the summary');
  return {
    plan: fullyPlanned && failedItems !== null ? failedItems : undefined,
    // A skipped batch has no cause in the summary, and may be written the next time.
    permanentReason:
      (failed_batches === 0 ? permanentCause(causes) : undefined) ??
      (fullyPlanned && failedItems === null ? 'no item failed, so there is nothing to repeat' : undefined),
  };
}

/** The first cause, if all causes are permanent. */
function permanentCause(causes: readonly { readonly error: string; readonly cause: string }[]): string | undefined {
  const own = causes.filter(({ error }) => !CONSEQUENCES.includes(error));
  const [first] = own;
  return first && own.every(({ error }) => isPermanent(error)) ? `${first.error}: ${first.cause}` : undefined;
}
