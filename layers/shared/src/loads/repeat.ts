/** What of a load that failed is worth repeating, as far as its summary tells. */
import { z } from 'zod';
import { isPermanent } from '../errors';
import { validate } from '../validation';

export interface Repetition {
  /** The address of the items that failed, where nothing else is missing; undefined: only the whole load has all that is missing. */
  readonly plan: string | undefined;
  /** Why another run would end in the same way; undefined where it may end otherwise. */
  readonly permanentReason: string | undefined;
}

/** Causes that follow from others: they say nothing of the next run. */
const CONSEQUENCES = ['NotStarted', 'States.ExceedToleratedFailureThreshold'];

const summarySchema = z.object({
  failedItems: z.string().nullable(),
  fullyPlanned: z.boolean(),
  failed_batches: z.number(),
  causes: z.array(z.object({ error: z.string(), cause: z.string() })),
});

/**
 * Reads the `summary.json` of a load that ended incomplete.
 * @throws InvalidEventError where it is not a summary
 */
export function repetitionOf(summary: unknown): Repetition {
  const { failedItems, fullyPlanned, failed_batches, causes } = validate(summarySchema, summary, 'the summary');
  return {
    plan: fullyPlanned && failedItems !== null ? failedItems : undefined,
    // A batch that was skipped has no cause of its own, and may be written the next time.
    permanentReason:
      (failed_batches === 0 ? permanentCause(causes) : undefined) ??
      (fullyPlanned && failedItems === null ? 'no item failed that could be repeated' : undefined),
  };
}

/** The first cause, where all of them are permanent. */
function permanentCause(causes: readonly { readonly error: string; readonly cause: string }[]): string | undefined {
  const own = causes.filter(({ error }) => !CONSEQUENCES.includes(error));
  const [first] = own;
  return first && own.every(({ error }) => isPermanent(error)) ? `${first.error}: ${first.cause}` : undefined;
}
