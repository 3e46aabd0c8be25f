/** The common part of every loader function: the request id in the logs, a deadline, and errors of known types. */
import { setMaxListeners } from 'node:events';
import type { Context } from 'aws-lambda';
import { UnexpectedError } from 'shared/errors';
import type { FunctionLogger } from 'shared/logger';
import { tracer } from 'shared/tracing';
import { requestIdOf, withRequestId } from './request-id';

/** The names of errors that callers and the workflow handle. */
const KNOWN = new Set([
  'ConfigurationError',
  'InvalidEventError',
  'DataConversionError',
  'InfluxDBConnectionError',
  'InfluxDBWriteError',
  'RequestTooLargeError',
  'S3UnavailableError',
  'TimestreamQueryError',
  'TimestreamUnavailableError',
  'UnexpectedError',
]);

export interface Invocation {
  /** Aborts shortly before Lambda ends the invocation. */
  readonly deadline: AbortSignal;
  /** Time until the deadline, ms. */
  readonly msLeft: () => number;
  readonly requestId: string;
}

export type StepHandler<Output> = (event: unknown, context: Context) => Promise<Output>;

/**
 * A handler that logs and rethrows errors. An error of an unknown type becomes an UnexpectedError. The stack is removed, because Lambda
 * would return it to the caller.
 * @param reserveMs time between the deadline and the end of the invocation, at most a quarter of the remaining time
 */
export function step<Output>(
  logger: FunctionLogger,
  work: (event: unknown, invocation: Invocation) => Promise<Output>,
  reserveMs = 10_000,
): StepHandler<Output> {
  return async (event, context) => {
    logger.addContext(context);
    const id = requestIdOf(event);
    logger.appendKeys({ requestId: id });
    tracer.annotate({ request_id: id || context.awsRequestId });
    const remaining = context.getRemainingTimeInMillis();
    const reserved = Math.min(reserveMs, remaining / 4);
    const deadline = AbortSignal.timeout(Math.max(1, Math.floor(remaining - reserved)));
    const msLeft = (): number => context.getRemainingTimeInMillis() - reserved;
    // Each item, file and request in flight may add a listener. Node warns about a leak above 10.
    setMaxListeners(0, deadline);
    try {
      return withRequestId(await work(event, { deadline, msLeft, requestId: context.awsRequestId }), id);
    } catch (thrown) {
      const error = toKnownError(thrown);
      logger.error('the invocation failed', { error });
      throw error;
    }
  };
}

/** Converts an error to a known type and removes its stack. */
export function toKnownError(thrown: unknown): Error {
  const isKnown = thrown instanceof Error && KNOWN.has(thrown.name);
  const error = isKnown ? thrown : new UnexpectedError(textOf(thrown), { cause: thrown });
  error.stack = `${error.name}: ${error.message}`;
  return error;
}

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
}

/** Calls `make` once and caches its value. An error is not cached. */
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
