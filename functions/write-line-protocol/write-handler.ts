/** From an event of Lambda to its answer, within the time that there is. */
import { setMaxListeners } from 'node:events';
import type { Context } from 'aws-lambda';
import { InvalidEventError } from 'shared/errors';
import type { FunctionLogger } from 'shared/logger';
import { type Clock, systemClock } from 'shared/resilience/clock';
import { type AsynchronousServices, handOver, storeHandedOver } from './asynchronous';
import { assertWriteEvent } from './event-source';
import { type HttpRequest, readRequest, type WriteEvent } from './request';
import { ApiError, failure, type HttpResponse } from './responses';
import { createRouter } from './routes';

/** Kept back from the time that Lambda leaves: to abort calls and to answer. */
const ANSWER_MS = 1_000;

export interface HandlerServices extends AsynchronousServices {
  readonly logger: FunctionLogger;
}

export type InvocationContext = Pick<Context, 'getRemainingTimeInMillis'> & Partial<Context>;

/**
 * The function: responds to requests; stores what was handed over, and then returns nothing or throws. It throws
 * InvalidEventError for an event that it does not take, so that Lambda reports the invocation as failed.
 */
export function createHandler(
  services: HandlerServices,
  clock: Clock = systemClock,
): (event: unknown, context?: InvocationContext) => Promise<HttpResponse | undefined> {
  const { config, logger } = services;
  const route = createRouter(
    services,
    config.asynchronous ? (request, _, signal) => handOver(request, services, signal) : undefined,
  );
  return async (event, context) => {
    if (context?.awsRequestId !== undefined) logger.addContext(context as Context);
    assertWriteEvent(event);
    const remaining = (context?.getRemainingTimeInMillis() ?? Number.POSITIVE_INFINITY) - ANSWER_MS;
    if (event.asynchronous === true) {
      await withDeadline(clock, remaining, (signal) => storeHandedOver(event, services, signal));
      return undefined;
    }
    const request = tryReading(event);
    if (request instanceof ApiError) return failure(request);
    return await withDeadline(clock, Math.min(remaining, config.writeDeadlineMs), (signal) => route(request, signal));
  };
}

function tryReading(event: WriteEvent): HttpRequest | ApiError {
  try {
    return readRequest(event);
  } catch (error) {
    if (error instanceof InvalidEventError) return new ApiError(400, 'invalid', error.message);
    throw error;
  }
}

/** Calls `run` with a signal that aborts after `ms`. */
async function withDeadline<T>(clock: Clock, ms: number, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  // Each call under way listens; Node would log a warning for more than ten.
  setMaxListeners(Number.POSITIVE_INFINITY, controller.signal);
  const done = new AbortController();
  if (Number.isFinite(ms)) void clock.delay(Math.max(0, ms), done.signal).then(() => controller.abort());
  try {
    return await run(controller.signal);
  } finally {
    done.abort();
  }
}
