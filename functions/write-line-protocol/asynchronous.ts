/**
 * Asynchronous mode: the function sends each write to itself as an event. Lambda queues the event, and a second invocation stores
 * it. If points cannot be stored, that invocation throws: Lambda retries, and finally puts the event into the dead-letter queue.
 */
import { StorageUnavailableError } from 'shared/errors';
import { ApiError } from './api-error';
import { bytesOf, handOverEvent, MAX_EVENT_BYTES, RejectedMessages } from './dead-letters';
import { placeOf } from './influxdb-place';
import { type OnRejected, RejectedLinesFile } from './rejected-lines';
import { type HttpRequest, readBody, readHttpRequest, type WriteEvent } from './request';
import { type HttpResponse, json, notHandedOver } from './responses';
import type { RouteServices } from './routes';
import { type Deadline, requestPrecision, writeLines } from './write';

export interface AsynchronousServices extends RouteServices {
  /** Invokes this function with the event, and does not wait for the invocation to end. Ends when the signal aborts. */
  readonly invokeSelf: (event: WriteEvent, signal: AbortSignal) => Promise<unknown>;
}

/**
 * Hands a write over and returns 202. It may return 503 although Lambda accepted the event; the client then sends the request again.
 * @throws ApiError if the request cannot be read, or is too large to be handed over
 */
export async function handOver(
  request: HttpRequest,
  { config, invokeSelf, logger }: AsynchronousServices,
  signal: AbortSignal,
): Promise<HttpResponse> {
  requestPrecision(request);
  if (config.influxdb !== undefined && config.secondaryRequired) placeOf(request, config.influxdb);
  await readBody(request, config.bounds);
  const event = handOverEvent(request);
  const bytes = bytesOf(event);
  if (bytes > MAX_EVENT_BYTES) {
    const message = `points batch is too large for asynchronous mode: ${bytes} bytes, the maximum is ${MAX_EVENT_BYTES}`;
    throw new ApiError(413, 'request too large', `unable to read data: ${message}`);
  }
  try {
    await invokeSelf(event, signal);
  } catch (error) {
    logger.error('the write could not be handed over', { error });
    throw notHandedOver(error instanceof Error && error.name === 'TooManyRequestsException');
  }
  return json(202, { code: 'accepted', message: 'the points will be stored asynchronously' });
}

/**
 * Stores an event that was handed over. Once every valid line is stored, the rejected lines are kept separately.
 * @throws StorageUnavailableError if a valid line is not stored, or the rejected lines do not fit into a message
 * @throws ApiError if the event cannot be read
 */
export async function storeHandedOver(
  event: WriteEvent,
  services: AsynchronousServices,
  deadline: Deadline,
): Promise<void> {
  const request = readHttpRequest(event);
  if (services.config.rejectedLinesBucket === undefined) {
    const rejected = new RejectedMessages(request);
    await storeValidLines(request, services, deadline, rejected.add);
    for (const message of rejected.finish()) await services.sendDeadLetter(message, deadline.signal);
  } else {
    const rejected = new RejectedLinesFile(request);
    await storeValidLines(request, services, deadline, rejected.add);
    const object = rejected.finish();
    if (object !== undefined) await services.storeRejected(object, deadline.signal);
  }
}

async function storeValidLines(
  request: HttpRequest,
  services: AsynchronousServices,
  deadline: Deadline,
  onRejected: OnRejected,
): Promise<void> {
  const { results } = await writeLines(request, services, deadline, onRejected);
  const failures = results
    .filter(({ unstored }) => unstored > 0)
    .map(({ destination, unstored, unstoredReason }) => {
      const where = results.length > 1 ? ` in ${destination}` : '';
      return `${unstored} points are not stored${where}: ${unstoredReason}`;
    });
  if (failures.length > 0) throw new StorageUnavailableError(failures.join('; '));
}
