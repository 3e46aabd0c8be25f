/** The messages of the dead-letter queue that the write function makes itself. Redrive sends their events to the function again. */
import { promisify } from 'node:util';
import { gzip as gzipCallback } from 'node:zlib';
import type { DestinationName } from 'shared/destination-config';
import { StorageUnavailableError } from 'shared/errors';
import type { LinePlace, LineReason } from 'shared/line-report';
import type { OnRejected, RejectedLine } from './rejected-lines';
import type { HttpRequest, WriteEvent } from './request';

/** Below Lambda's limit of 1 MB for asynchronous invocations, with room for the fields that Lambda adds. */
export const MAX_EVENT_BYTES = 900 * 1024;
const MAX_REASONS_IN_MESSAGE = 100;
/** Lines for one message, before compression. */
const LINES_BYTES = 2 * 1024 * 1024;

export interface DeadLetter extends WriteEvent {
  /** Why its lines were rejected. After the lines are fixed, the message can be sent again as it is. */
  readonly rejectedLines?: readonly string[];
}

export const bytesOf = (event: WriteEvent): number => Buffer.byteLength(JSON.stringify(event));

/** The parts of a request that are needed to store it later. No header that may contain a credential is among them. */
export function handOverEvent(request: HttpRequest): WriteEvent {
  const encoding = request.headers.get('content-encoding');
  const names = NEEDED.filter((name) => request.query.has(name));
  return {
    asynchronous: true,
    ...(request.destination !== undefined && { destination: request.destination }),
    httpMethod: 'POST',
    path: request.path,
    headers: encoding === undefined ? {} : { 'Content-Encoding': encoding },
    queryStringParameters: Object.fromEntries(names.map((name) => [name, request.query.get(name)])),
    body: request.body,
    isBase64Encoded: request.isBase64Encoded,
    requestContext: { requestTimeEpoch: request.time, requestId: request.id },
  };
}

/** The parameters that say how to read the lines, and where InfluxDB stores them. `u` and `p` are credentials. */
const NEEDED = ['precision', 'org', 'orgID', 'bucket', 'db', 'rp'];

/** Collects rejected lines in a message for one destination, or for all, in a stack without RejectedLinesBucket. */
class RejectedMessage {
  private body = '';
  private isTooLarge = false;
  private readonly reasons: string[] = [];

  constructor(
    private readonly request: HttpRequest,
    private readonly destination: DestinationName | undefined,
  ) {}

  add({ text, reason }: RejectedLine): void {
    this.isTooLarge ||= this.body.length + text.length > MAX_EVENT_BYTES;
    if (this.isTooLarge) return;
    this.body += `${text}\n`;
    if (this.reasons.length < MAX_REASONS_IN_MESSAGE) this.reasons.push(reason);
  }

  /** @throws StorageUnavailableError if the lines do not fit into a message, so that Lambda keeps the whole event */
  finish(): DeadLetter {
    const { request, destination, body, reasons: rejectedLines } = this;
    const only = destination !== undefined && { destination };
    const message = { ...handOverEvent(request), ...only, headers: {}, body, isBase64Encoded: false, rejectedLines };
    if (this.isTooLarge || bytesOf(message) > MAX_EVENT_BYTES) {
      throw new StorageUnavailableError(
        'the rejected lines do not fit into a dead-letter message: set RejectedLinesBucket',
      );
    }
    return message;
  }
}

/** The rejected lines of a request as messages. The lines that only one destination lacks are a message for it alone. */
export class RejectedMessages {
  private readonly messages = new Map<DestinationName | undefined, RejectedMessage>();

  constructor(private readonly request: HttpRequest) {}

  readonly add: OnRejected = (line, only) => {
    if (line.kind === 'elsewhere') return;
    let message = this.messages.get(only);
    if (message === undefined) {
      message = new RejectedMessage(this.request, only);
      this.messages.set(only, message);
    }
    message.add(line);
  };

  /** @throws StorageUnavailableError if the lines of one do not fit into it, so that Lambda keeps the whole event */
  finish(): DeadLetter[] {
    return [...this.messages.values()].map((message) => message.finish());
  }
}

const gzip = promisify(gzipCallback);

/** A line to keep; with the reason if the destination rejected it. */
type KeptLine = LinePlace & Partial<Pick<LineReason, 'reason'>>;

/**
 * Messages with lines that a destination did not store, for that destination alone.
 * @param lines either all with a reason, or none
 * @throws StorageUnavailableError if a line does not fit into a message
 */
export async function keptMessages(
  request: HttpRequest,
  body: Buffer,
  lines: readonly KeptLine[],
  destination: DestinationName,
): Promise<DeadLetter[]> {
  const messages: DeadLetter[] = [];
  const event = { ...handOverEvent(request), destination };
  for (const group of groupsOf([...lines].sort((a, b) => a.start - b.start))) {
    messages.push(...(await messagesOf(event, body, group)));
  }
  return messages;
}

function* groupsOf(lines: readonly KeptLine[]): Generator<KeptLine[]> {
  let group: KeptLine[] = [];
  let bytes = 0;
  for (const line of lines) {
    const size = line.end - line.start;
    if (group.length > 0 && bytes + size > LINES_BYTES) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(line);
    bytes += size;
  }
  if (group.length > 0) yield group;
}

async function messagesOf(event: WriteEvent, body: Buffer, lines: readonly KeptLine[]): Promise<DeadLetter[]> {
  const text = Buffer.concat(lines.map(({ start, end }) => lineOf(body, start, end)));
  const content = { body: (await gzip(text)).toString('base64'), isBase64Encoded: true };
  const reasons = lines.slice(0, MAX_REASONS_IN_MESSAGE).flatMap(({ reason }) => reason ?? []);
  const rejectedLines = reasons.length > 0 && { rejectedLines: reasons };
  const message = { ...event, headers: { 'Content-Encoding': 'gzip' }, ...content, ...rejectedLines };
  if (bytesOf(message) <= MAX_EVENT_BYTES) return [message];
  if (lines.length === 1) throw new StorageUnavailableError('a line does not fit into a dead-letter message');
  const half = Math.ceil(lines.length / 2);
  const first = await messagesOf(event, body, lines.slice(0, half));
  return [...first, ...(await messagesOf(event, body, lines.slice(half)))];
}

const NEWLINE = 0x0a;

/** The line with a line break, which the last one of a body may lack. */
function lineOf(body: Buffer, start: number, end: number): Uint8Array {
  return body[end - 1] === NEWLINE
    ? body.subarray(start, end)
    : Buffer.concat([body.subarray(start, end), Buffer.from('\n')]);
}
