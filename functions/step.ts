/** What every function of the loader needs: the request id in its log, a deadline, and errors of known types. */
import { setMaxListeners } from 'node:events';
import type { Context } from 'aws-lambda';
import { UnexpectedError } from 'shared/errors';
import type { FunctionLogger } from 'shared/logger';

/** The names of errors that callers and the workflow handle. */
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
  /** Aborts some seconds before Lambda ends the invocation. */
  readonly deadline: AbortSignal;
  /** ms until the deadline. */
  readonly msLeft: () => number;
  readonly requestId: string;
}

export type StepHandler<Output> = (event: unknown, context: Context) => Promise<Output>;

/**
 * A handler that logs and rethrows errors. An error of an unknown type becomes an UnexpectedError. The stack is removed, because
 * Lambda would return it to the caller.
 * @param reserveMs time between the deadline and the end of the invocation; at most a quarter of the time that Lambda leaves
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
    // Each item, file and request in progress may add a listener. Node warns of a leak above ten.
    setMaxListeners(0, deadline);
    try {
      return await work(event, { deadline, msLeft, requestId: context.awsRequestId });
    } catch (thrown) {
      const error = typed(thrown);
      logger.error('the invocation failed', { error });
      throw error;
    }
  };
}

/** The error as one of a known type, without a stack. */
export function typed(thrown: unknown): Error {
  const isKnown = thrown instanceof Error && KNOWN.has(thrown.name);
  const error = isKnown ? thrown : new UnexpectedError(textOf(thrown), { cause: thrown });
  error.stack = `${error.name}: ${error.message}`;
  return error;
}

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
}

/** Caches the value of `make` from the first call on. A failure is not cached. */
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
