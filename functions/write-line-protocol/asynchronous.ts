/**
 * Asynchronous mode: the function sends each write to itself as an event. Lambda queues the event, and a second invocation stores
 * it. If points cannot be stored, that invocation throws: Lambda retries, and finally puts the event into the dead-letter queue.
 */
import { StorageUnavailableError } from 'shared/errors';
import { type RejectedLine, RejectedLinesFile } from './rejected-lines';
import { type HttpRequest, readBody, readHttpRequest, type WriteEvent } from './request';
import { ApiError, type HttpResponse, json, notHandedOver } from './responses';
import type { RouteServices } from './routes';
import { requestPrecision, writeLines } from './write';

/** Below Lambda's limit of 1 MB for asynchronous invocations, with room for the fields that Lambda adds. */
const MAX_EVENT_BYTES = 900 * 1024;
const MAX_REASONS_IN_MESSAGE = 100;

export interface AsynchronousServices extends RouteServices {
  /** Invokes this function with the event, and does not wait for the invocation to end. Ends when the signal aborts. */
  readonly invokeSelf: (event: WriteEvent, signal: AbortSignal) => Promise<unknown>;
  /** Puts a message into the dead-letter queue. Ends when the signal aborts. */
  readonly sendDeadLetter: (message: RejectedLinesMessage, signal: AbortSignal) => Promise<unknown>;
}

/** An event with only the rejected lines of another event. After the lines are fixed, it can be sent again as it is. */
export interface RejectedLinesMessage extends WriteEvent {
  readonly rejectedLines: readonly string[];
}

/** Collects rejected lines in a dead-letter message, for a stack without RejectedLinesBucket. */
class MessageWriter {
  private body = '';
  private isTooLarge = false;
  private readonly reasons: string[] = [];

  constructor(private readonly request: HttpRequest) {}

  readonly add = ({ text, reason }: RejectedLine): void => {
    this.isTooLarge ||= this.body.length + text.length > MAX_EVENT_BYTES;
    if (this.isTooLarge) return;
    this.body += `${text}\n`;
    if (this.reasons.length < MAX_REASONS_IN_MESSAGE) this.reasons.push(reason);
  };

  /**
   * Undefined if no line was rejected.
   * @throws StorageUnavailableError if the lines do not fit into a message, so that Lambda keeps the whole event
   */
  finish(): RejectedLinesMessage | undefined {
    const { request, body, reasons: rejectedLines } = this;
    const message = { ...handOverEvent(request), headers: {}, body, isBase64Encoded: false, rejectedLines };
    if (this.isTooLarge || bytesOf(message) > MAX_EVENT_BYTES) {
      throw new StorageUnavailableError(
        'the rejected lines do not fit into a dead-letter message: set RejectedLinesBucket',
      );
    }
    return rejectedLines.length === 0 ? undefined : message;
  }
}

const bytesOf = (event: WriteEvent): number => Buffer.byteLength(JSON.stringify(event));

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

/** The parts of a request that are needed to store it later. No header that may contain a credential is among them. */
function handOverEvent(request: HttpRequest): WriteEvent {
  const encoding = request.headers.get('content-encoding');
  const precision = request.query.get('precision');
  return {
    asynchronous: true,
    httpMethod: 'POST',
    path: request.path,
    headers: encoding === undefined ? {} : { 'Content-Encoding': encoding },
    queryStringParameters: precision === undefined ? {} : { precision },
    body: request.body,
    isBase64Encoded: request.isBase64Encoded,
    requestContext: { requestTimeEpoch: request.time, requestId: request.id },
  };
}

/**
 * Stores an event that was handed over. Once every valid line is stored, the rejected lines are kept separately.
 * @throws StorageUnavailableError if a valid line is not stored, or the rejected lines do not fit into a message
 * @throws ApiError if the event cannot be read
 */
export async function storeHandedOver(
  event: WriteEvent,
  services: AsynchronousServices,
  signal: AbortSignal,
): Promise<void> {
  const request = readHttpRequest(event);
  if (services.config.rejectedLinesBucket === undefined) {
    const rejected = new MessageWriter(request);
    await storeValidLines(request, services, signal, rejected.add);
    const message = rejected.finish();
    if (message !== undefined) await services.sendDeadLetter(message, signal);
  } else {
    const rejected = new RejectedLinesFile(request);
    await storeValidLines(request, services, signal, rejected.add);
    const object = rejected.finish();
    if (object !== undefined) await services.storeRejected(object, signal);
  }
}

async function storeValidLines(
  request: HttpRequest,
  services: AsynchronousServices,
  signal: AbortSignal,
  onRejected: (line: RejectedLine) => void,
): Promise<void> {
  const { outcome } = await writeLines(request, services, signal, onRejected);
  if (outcome.unstored === 0) return;
  throw new StorageUnavailableError(`${outcome.unstored} points are not stored: ${outcome.unstoredReason}`);
}
