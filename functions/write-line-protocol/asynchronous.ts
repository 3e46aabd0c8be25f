/**
 * Asynchronous mode: the function hands a write to itself as an event, which Lambda queues, and stores it in a second invocation.
 * What cannot be stored then throws, so that Lambda tries again and at last puts the event into the dead letter queue.
 */
import { StorageUnavailableError } from 'shared/errors';
import { type RejectedLine, RejectedLinesFile } from './rejected-lines';
import { type HttpRequest, readBody, readRequest, type WriteEvent } from './request';
import { ApiError, type HttpResponse, json, notHandedOver } from './responses';
import type { RouteServices } from './routes';
import { requestPrecision, writeLines } from './write';

/** Below Lambda's 1 MB for asynchronous invocations, with room for what Lambda adds. */
const MAX_EVENT_BYTES = 900 * 1024;
const MAX_REASONS_IN_LETTER = 100;

export interface AsynchronousServices extends RouteServices {
  /** Invokes this function with the event, and does not wait for it. Ends when the signal aborts. */
  readonly invokeSelf: (event: WriteEvent, signal: AbortSignal) => Promise<unknown>;
  /** Puts a message into the dead-letter queue. Ends when the signal aborts. */
  readonly sendLetter: (letter: RejectedLinesLetter, signal: AbortSignal) => Promise<unknown>;
}

/** An event that holds only the rejected lines of another, so that they can be mended and sent again as they are. */
export interface RejectedLinesLetter extends WriteEvent {
  readonly rejectedLines: readonly string[];
}

/** Collects rejected lines for a small letter, where there is no bucket for them. */
class LetterWriter {
  private body = '';
  private isTooLarge = false;
  private readonly reasons: string[] = [];

  constructor(private readonly request: HttpRequest) {}

  readonly add = ({ text, reason }: RejectedLine): void => {
    this.isTooLarge ||= this.body.length + text.length > MAX_EVENT_BYTES;
    if (this.isTooLarge) return;
    this.body += `${text}\n`;
    if (this.reasons.length < MAX_REASONS_IN_LETTER) this.reasons.push(reason);
  };

  /**
   * Undefined where no line was rejected.
   * @throws StorageUnavailableError where they do not fit, so that the event is kept as a whole
   */
  finish(): RejectedLinesLetter | undefined {
    const { request, body, reasons: rejectedLines } = this;
    const letter = { ...handOverEvent(request), headers: {}, body, isBase64Encoded: false, rejectedLines };
    if (this.isTooLarge || bytesOf(letter) > MAX_EVENT_BYTES) {
      throw new StorageUnavailableError('the rejected lines are too many for a letter: set RejectedLinesBucket');
    }
    return rejectedLines.length === 0 ? undefined : letter;
  }
}

const bytesOf = (event: WriteEvent): number => Buffer.byteLength(JSON.stringify(event));

/**
 * Hands a write over and responds 202. A 503 may come although Lambda took the event: the client sends the request again then.
 * @throws ApiError where the request cannot be read, or is too large to be handed over
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
    const message = `points batch is too large for asynchronous mode: ${bytes} bytes, at most ${MAX_EVENT_BYTES}`;
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

/** What of a request is needed to store it later: no header that may hold a credential. */
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
 * Stores an event that was handed over. Where every good line was stored, lines that are rejected are kept by themselves.
 * @throws StorageUnavailableError while a good line is not stored, or the rejected ones fit nowhere
 * @throws ApiError where the event cannot be read
 */
export async function storeHandedOver(
  event: WriteEvent,
  services: AsynchronousServices,
  signal: AbortSignal,
): Promise<void> {
  const request = readRequest(event);
  if (services.config.rejectedLinesBucket === undefined) {
    const rejected = new LetterWriter(request);
    await storeGoodLines(request, services, signal, rejected.add);
    const letter = rejected.finish();
    if (letter !== undefined) await services.sendLetter(letter, signal);
  } else {
    const rejected = new RejectedLinesFile(request);
    await storeGoodLines(request, services, signal, rejected.add);
    const object = rejected.finish();
    if (object !== undefined) await services.storeRejected(object, signal);
  }
}

async function storeGoodLines(
  request: HttpRequest,
  services: AsynchronousServices,
  signal: AbortSignal,
  onRejected: (line: RejectedLine) => void,
): Promise<void> {
  const { outcome } = await writeLines(request, services, signal, onRejected);
  if (outcome.unstored === 0) return;
  throw new StorageUnavailableError(`${outcome.unstored} points are not stored: ${outcome.unstoredReason}`);
}
