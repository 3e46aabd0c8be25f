/**
 * Asynchronous mode: the function hands a write to itself as an event, which Lambda queues, and stores it in a second invocation.
 * What cannot be stored then throws, so that Lambda tries again and at last puts the event into the dead letter queue.
 */
import { gzipSync } from 'node:zlib';
import { StorageUnavailableError } from 'shared/errors';
import { selectLines } from 'shared/line-protocol/select-lines';
import { LineReport } from 'shared/timestream/line-report';
import { type HttpRequest, readBody, readRequest, type WriteEvent } from './request';
import { ApiError, type HttpResponse, json } from './responses';
import type { RouteServices } from './routes';
import { requestPrecision, writeLines } from './write';

/** Below Lambda's 1 MB for asynchronous invocations, with room for what Lambda adds. */
const MAX_EVENT_BYTES = 900 * 1024;
const MAX_REASONS_IN_LETTER = 100;

export interface AsynchronousServices extends RouteServices {
  /** Invokes this function with the event, and does not wait for it. */
  readonly invokeSelf: (event: WriteEvent) => Promise<unknown>;
  /** Keeps the lines of a request that can never be stored; the others were. */
  readonly keepRejected: (rejected: RejectedLines) => Promise<unknown>;
}

export interface RejectedLines {
  readonly request: HttpRequest;
  readonly lines: readonly { readonly line: number; readonly reason: string; readonly text: string }[];
}

/** An event that holds only the rejected lines of another, so that they can be mended and sent again as they are. */
export interface RejectedLinesLetter extends WriteEvent {
  readonly rejectedLines: readonly string[];
}

/** Rejected lines as a small letter for the dead letter queue. */
export function rejectedLinesLetter({ request, lines }: RejectedLines): RejectedLinesLetter {
  return {
    ...handOverEvent(request),
    headers: {},
    body: `${lines.map(({ text }) => text).join('\n')}\n`,
    isBase64Encoded: false,
    rejectedLines: lines.slice(0, MAX_REASONS_IN_LETTER).map(({ reason }) => reason),
  };
}

/** Rejected lines as an object for the bucket: JSON Lines, gzip, under the date of the request. */
export function rejectedLinesObject({ request, lines }: RejectedLines): { key: string; body: Buffer } {
  const time = new Date(request.time).toISOString();
  const entries = lines.map((entry) => JSON.stringify({ ...entry, requestId: request.id, time }));
  const name = request.id === '' ? String(request.time) : request.id;
  return {
    key: `rejected-lines/${time.slice(0, 10).replaceAll('-', '/')}/${name}.jsonl.gz`,
    body: gzipSync(`${entries.join('\n')}\n`),
  };
}

/**
 * Hands a write over and answers 202.
 * @throws ApiError where the request cannot be read, or is too large to be handed over
 */
export async function handOver(
  request: HttpRequest,
  { config, invokeSelf }: AsynchronousServices,
): Promise<HttpResponse> {
  requestPrecision(request);
  await readBody(request, config.bounds);
  const event = handOverEvent(request);
  const bytes = Buffer.byteLength(JSON.stringify(event));
  if (bytes > MAX_EVENT_BYTES) {
    const message = `points batch is too large for asynchronous mode: ${bytes} bytes, at most ${MAX_EVENT_BYTES}`;
    throw new ApiError(413, 'request too large', `unable to read data: ${message}`);
  }
  await invokeSelf(event);
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
 * @throws StorageUnavailableError while a good line is not stored
 * @throws ApiError where the event cannot be read
 */
export async function storeHandedOver(
  event: WriteEvent,
  services: AsynchronousServices,
  signal: AbortSignal,
): Promise<void> {
  const request = readRequest(event);
  const report = new LineReport(Number.POSITIVE_INFINITY);
  const { outcome, body, precision } = await writeLines(request, services, signal, report);
  if (outcome.unstored > 0) {
    throw new StorageUnavailableError(`${outcome.unstored} points are not stored: ${outcome.unstoredReason}`);
  }
  const reasons = report.reasons();
  if (reasons.length === 0) return;
  const texts = selectLines(body, precision, new Set(reasons.map(({ line }) => line)));
  const lines = reasons.map(({ line, reason }, index) => ({ line, reason, text: texts[index] ?? '' }));
  await services.keepRejected({ request, lines });
}
