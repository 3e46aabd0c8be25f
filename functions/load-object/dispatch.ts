/** Handles each kind of event as its sender expects: requests get a response; notifications succeed or fail with an error. */
import { InfluxDBConnectionError, InfluxDBWriteError, isPermanent } from 'shared/errors';
import {
  isNotification,
  type ObjectRequest,
  type ObjectsToLoad,
  objectsToLoad,
  queueMessages,
  readObjectRequest,
} from 'shared/loads/object-events';
import type { Logger } from 'shared/logger';
import { type ApiResponse, failureResponse, isApiEvent, jsonBody, jsonResponse } from '../http';
import type { LoadMetrics } from '../load-metrics';
import { toKnownError } from '../step';
import type { ObjectResult } from './load-object';

export interface DispatchServices {
  readonly load: (request: ObjectRequest) => Promise<ObjectResult>;
  readonly logger: Logger;
  readonly deadline: AbortSignal;
  readonly metrics: LoadMetrics;
}

/** The failed messages of a queue. SQS delivers only these again. */
interface QueueResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

type DispatchResult = ApiResponse | QueueResponse | ObjectResult | readonly ObjectResult[];

/**
 * Loads the objects of an event.
 * @throws for a notification: an error of an object that was not stored completely, so that Lambda retries the event and then moves it to
 *   the dead-letter queue; for `{bucket, key}`: an error if nothing was stored
 */
export async function dispatch(event: unknown, services: DispatchServices): Promise<DispatchResult> {
  if (isApiEvent(event)) {
    try {
      const { statusCode, ...body } = await services.load(readObjectRequest(jsonBody(event)));
      return jsonResponse(statusCode, body);
    } catch (error) {
      services.metrics.fail(error);
      return failureResponse(error, services.logger);
    }
  }
  const messages = queueMessages(event);
  if (messages) {
    const failures: { itemIdentifier: string }[] = [];
    for (const { messageId, body } of messages) {
      if (!(await isLoaded(body, services))) failures.push({ itemIdentifier: messageId });
    }
    return { batchItemFailures: failures };
  }
  return isNotification(event)
    ? await loadAll(objectsToLoad(event), services)
    : await services.load(readObjectRequest(event));
}

async function isLoaded(body: string, services: DispatchServices): Promise<boolean> {
  try {
    await loadAll(objectsToLoad(jsonBody({ body })), services);
    return true;
  } catch (thrown) {
    const error = toKnownError(thrown);
    services.metrics.fail(error);
    services.logger.error('the objects of a message were not loaded', { error });
    return false;
  }
}

/**
 * Loads every object, even if others fail.
 * @throws if any object was not stored completely: the first error that a retry may fix, otherwise the first error
 */
async function loadAll(
  { objects: requests, ignored }: ObjectsToLoad,
  services: DispatchServices,
): Promise<ObjectResult[]> {
  if (ignored > 0) services.logger.info('objects that are not data were left out', { ignored });
  const results: ObjectResult[] = [];
  const errors: Error[] = [];
  for (const request of requests) {
    try {
      if (services.deadline.aborted)
        throw new InfluxDBConnectionError(`${request.key}: not started before the deadline`);
      const result = await services.load(request);
      results.push(result);
      if (result.statusCode !== 200) throw new InfluxDBWriteError(result.message);
    } catch (thrown) {
      const error = toKnownError(thrown);
      services.metrics.fail(error);
      errors.push(error);
    }
  }
  const first = errors.find(({ name }) => !isPermanent(name)) ?? errors[0];
  if (!first) return results;
  if (errors.length > 1) {
    const messages = errors.map(({ message }) => message).join('; ');
    first.message = `${errors.length} of ${requests.length} objects were not loaded: ${messages}`.slice(0, 4000);
  }
  throw first;
}
