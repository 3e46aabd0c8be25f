/** Turns a Lambda event into its response, before the deadline. */
import { setMaxListeners } from 'node:events';
import type { Context } from 'aws-lambda';
import { InvalidEventError } from 'shared/errors';
import type { FunctionLogger } from 'shared/logger';
import { type Clock, systemClock } from 'shared/resilience/clock';
import { NO_TRACER } from 'shared/tracing';
import { requestIdOf, withRequestId } from '../request-id';
import { ApiError } from './api-error';
import { type AsynchronousServices, handOver, storeHandedOver } from './asynchronous';
import { assertWriteEvent } from './event-source';
import { type HttpRequest, readHttpRequest, type WriteEvent } from './request';
import { failure, type HttpResponse } from './responses';
import { createRouter } from './routes';
import type { Deadline } from './write';

/** Time reserved to abort calls and to respond before Lambda ends the invocation. */
export const RESPONSE_MS = 1_000;

/** Time to keep the lines that an optional destination did not store; at most a third of the request's time. */
const EARLY_MS = 1_500;

export interface HandlerServices extends AsynchronousServices {
  readonly logger: FunctionLogger;
}

export type InvocationContext = Pick<Context, 'getRemainingTimeInMillis'> & Partial<Context>;

/**
 * The function: responds to requests, and stores events that were handed over; for these it returns nothing, or throws. It throws
 * InvalidEventError for an event that it does not accept, so that Lambda reports the invocation as failed.
 */
export function createHandler(
  services: HandlerServices,
  clock: Clock = systemClock,
): (event: unknown, context?: InvocationContext) => Promise<HttpResponse | undefined> {
  const { config, logger, tracer = NO_TRACER } = services;
  const earlyMs = config.secondaryRequired ? 0 : EARLY_MS;
  const route = createRouter(
    services,
    config.asynchronous ? (request, _, { signal }) => handOver(request, services, signal) : undefined,
  );
  return async (event, context) => {
    if (context?.awsRequestId !== undefined) logger.addContext(context as Context);
    assertWriteEvent(event);
    const id = requestIdOf(event);
    logger.appendKeys({ requestId: id });
    tracer.annotate({ request_id: id });
    const remaining = (context?.getRemainingTimeInMillis() ?? Number.POSITIVE_INFINITY) - RESPONSE_MS;
    if (event.asynchronous === true) {
      await withDeadline(clock, remaining, earlyMs, (deadline) => storeHandedOver(event, services, deadline));
      return undefined;
    }
    const limit = Math.min(remaining, config.writeDeadlineMs);
    const request = tryReading(event);
    if (request instanceof ApiError) return withRequestId(failure(request), id);
    const response = await withDeadline(clock, limit, earlyMs, (deadline) => route(request, deadline));
    return withRequestId(response, id);
  };
}

function tryReading(event: WriteEvent): HttpRequest | ApiError {
  try {
    return readHttpRequest(event);
  } catch (error) {
    if (error instanceof InvalidEventError) return new ApiError(400, 'invalid', error.message);
    throw error;
  }
}

/** Calls `run` with a deadline in `ms`. @param earlyMs how much earlier it is for an optional destination, if the time allows it */
async function withDeadline<T>(
  clock: Clock,
  ms: number,
  earlyMs: number,
  run: (deadline: Deadline) => Promise<T>,
): Promise<T> {
  const done = new AbortController();
  const abortingAfter = (limit: number): AbortSignal => {
    const controller = new AbortController();
    // Each call in progress adds a listener; Node would log a warning above ten.
    setMaxListeners(Number.POSITIVE_INFINITY, controller.signal);
    if (Number.isFinite(ms)) void clock.delay(Math.max(0, limit), done.signal).then(() => controller.abort());
    return controller.signal;
  };
  try {
    const signal = abortingAfter(ms);
    return await run({ signal, early: earlyMs === 0 ? signal : abortingAfter(ms - Math.min(earlyMs, ms / 3)) });
  } finally {
    done.abort();
  }
}
