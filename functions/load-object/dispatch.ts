/** Answers each kind of event as its sender expects: requests with an answer, notifications with success or an error. */
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

/** The failed messages of a queue, which alone come again. */
interface QueueResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

type DispatchResult = ApiResponse | QueueResponse | ObjectResult | readonly ObjectResult[];

/**
 * @throws for events without a receiver of an answer: an error of an object that was not stored completely, so that the event
 *   is tried again and at last kept; for `{bucket, key}`: where nothing was stored
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
    services.logger.error('a message was not loaded', { error });
    return false;
  }
}

/**
 * Loads every object, whatever becomes of the others.
 * @throws where any was not stored completely: the error that another try may change, where there is one
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
      if (services.deadline.aborted) throw new InfluxDBConnectionError(`${request.key}: no time was left for it`);
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
