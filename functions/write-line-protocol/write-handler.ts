/** From an event of Lambda to its answer, within the time that there is. */
import { setMaxListeners } from 'node:events';
import type { Context } from 'aws-lambda';
import { InvalidEventError } from 'shared/errors';
import type { FunctionLogger } from 'shared/logger';
import { type AsynchronousServices, handOver, storeHandedOver } from './asynchronous';
import { type HttpRequest, readRequest, type WriteEvent } from './request';
import { ApiError, failure, type HttpResponse } from './responses';
import { createRouter } from './routes';

/** Kept back from the time that Lambda leaves: to abort calls and to answer. */
const ANSWER_MS = 1_000;

export interface HandlerServices extends AsynchronousServices {
  readonly logger: FunctionLogger;
}

export type InvocationContext = Pick<Context, 'getRemainingTimeInMillis'> & Partial<Context>;

/** The function: answers requests; stores what was handed over, which it answers with nothing or an error. */
export function createHandler(
  services: HandlerServices,
): (event: unknown, context?: InvocationContext) => Promise<HttpResponse | undefined> {
  const { config, logger } = services;
  const route = createRouter(services, config.asynchronous ? (request) => handOver(request, services) : undefined);
  return async (event, context) => {
    if (context?.awsRequestId !== undefined) logger.addContext(context as Context);
    const remaining = (context?.getRemainingTimeInMillis() ?? Number.POSITIVE_INFINITY) - ANSWER_MS;
    if ((event as WriteEvent | null)?.asynchronous === true) {
      await withDeadline(remaining, (signal) => storeHandedOver(event as WriteEvent, services, signal));
      return undefined;
    }
    const request = tryReading(event);
    if (request instanceof ApiError) return failure(request);
    return await withDeadline(Math.min(remaining, config.writeDeadlineMs), (signal) => route(request, signal));
  };
}

function tryReading(event: unknown): HttpRequest | ApiError {
  try {
    return readRequest(event);
  } catch (error) {
    if (error instanceof InvalidEventError) return new ApiError(400, 'invalid', error.message);
    throw error;
  }
}

/** Calls `run` with a signal that aborts after `ms`. */
async function withDeadline<T>(ms: number, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  // Each call under way listens; Node would log a warning for more than ten.
  setMaxListeners(Number.POSITIVE_INFINITY, controller.signal);
  const timer = Number.isFinite(ms) ? setTimeout(() => controller.abort(), Math.max(0, ms)) : undefined;
  try {
    return await run(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}
