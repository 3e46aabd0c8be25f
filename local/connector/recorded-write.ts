/** Makes the record of a write that the console shows, from its request, its note and its response. */
import type { IncomingMessage } from 'node:http';
import type { RecordedWrite } from '../console/recorder';
import { parametersOf } from './incoming';
import { copyOf, type WriteNote } from './request-log';

/** Maximum length of a user agent and of a message, in characters. */
const MAX_AGENT = 200;
const MAX_MESSAGE = 1_000;

export const isWrite = ({ method }: IncomingMessage, path: string): boolean =>
  method === 'POST' && /^\/(?:api\/v2\/)?write\/?$/.test(path);

/** How a request was served. `body` is undefined if it was too large, `text` is the body of the response. */
interface Served {
  readonly path: string;
  readonly time: number;
  readonly milliseconds: number;
  readonly body: Buffer | undefined;
  readonly statusCode: number;
  readonly text: string;
}

/** What is recorded of a write. Only texts of failures are copied. */
export function writeOf(
  request: IncomingMessage,
  note: WriteNote,
  { path, body, statusCode, text, time, milliseconds }: Served,
): RecordedWrite {
  const { bytes = body?.length ?? 0, lines = 0, stored = 0, unstored = 0 } = note;
  const { influxdbOnly = 0, faultyLines = 0, rejectedLines = 0 } = note;
  const { headers, socket } = request;
  const agent = copyOf((headers['user-agent'] ?? 'unknown').slice(0, MAX_AGENT));
  return {
    time,
    milliseconds: Math.round(milliseconds * 10) / 10,
    client: `${agent} (${socket.remoteAddress ?? 'closed'})`,
    path,
    precision: parametersOf(request).precision?.slice(0, 10) || 'ns',
    status: statusCode,
    message: statusCode < 400 ? '' : messageOf(text),
    refused: note.refused ?? [],
    ...{ bytes, lines, stored, influxdbOnly, unstored, faultyLines, rejectedLines },
  };
}

/** The message of an error response, shortened. */
function messageOf(text: string): string {
  const { message } = JSON.parse(text) as { message?: unknown };
  return copyOf(String(message).slice(0, MAX_MESSAGE));
}
