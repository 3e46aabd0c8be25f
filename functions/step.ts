/** What every function of the loader does around its work: the request id in its logs, a deadline, errors of known types. */
import { setMaxListeners } from 'node:events';
import type { Context } from 'aws-lambda';
import { UnexpectedError } from 'shared/errors';
import type { FunctionLogger } from 'shared/logger';

/** The names of errors that callers, and the workflow, know. */
const KNOWN = new Set([
  'ConfigurationError',
  'InvalidEventError',
  'DataConversionError',
  'InfluxDBConnectionError',
  'InfluxDBWriteError',
  'RequestTooLargeError',
  'S3UnavailableError',
  'UnexpectedError',
]);

export interface Invocation {
  /** Aborts a while before Lambda ends the invocation. */
  readonly deadline: AbortSignal;
  /** ms until then. */
  readonly msLeft: () => number;
  readonly requestId: string;
}

export type StepHandler<Output> = (event: unknown, context: Context) => Promise<Output>;

/**
 * A handler that logs an error and throws it on: with its own type where that is known, else as UnexpectedError; never with a stack,
 * which Lambda would hand to the caller.
 * @param reserveMs time kept back from what Lambda leaves, but never more than a quarter of it
 */
export function step<Output>(
  logger: FunctionLogger,
  work: (event: unknown, invocation: Invocation) => Promise<Output>,
  reserveMs = 10_000,
): StepHandler<Output> {
  return async (event, context) => {
    logger.addContext(context);
    const remaining = context.getRemainingTimeInMillis();
    const reserved = Math.min(reserveMs, remaining / 4);
    const deadline = AbortSignal.timeout(Math.max(1, Math.floor(remaining - reserved)));
    const msLeft = (): number => context.getRemainingTimeInMillis() - reserved;
    // Each item, file and request under way may listen, and there may be more than the ten that Node takes for a leak.
    setMaxListeners(0, deadline);
    try {
      return await work(event, { deadline, msLeft, requestId: context.awsRequestId });
    } catch (thrown) {
      const error = toKnownError(thrown);
      logger.error('the invocation failed', { error });
      throw error;
    }
  };
}

/** The error as one of a known type, without a stack. */
export function toKnownError(thrown: unknown): Error {
  const isKnown = thrown instanceof Error && KNOWN.has(thrown.name);
  const error = isKnown ? thrown : new UnexpectedError(textOf(thrown), { cause: thrown });
  error.stack = `${error.name}: ${error.message}`;
  return error;
}

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
}

/** The value of `make`, made at the first call and kept; a failure is not kept. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
