/** HTTP as bytes: requests that no client library would send, and their responses. */
import { connect } from 'node:net';

export interface RawResponse {
  /** 0 if the connection ended without a response. */
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

/** The bytes of a write request with a connection of its own; in HTTP 1.0 its response comes in one piece. */
export function writeRequest(
  body: string | Uint8Array,
  { query = '', headers = '' }: { query?: string; headers?: string } = {},
): [string, string | Uint8Array] {
  const head = `POST /api/v2/write${query} HTTP/1.0\r\n${headers}`;
  return [`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`, body];
}

/**
 * Sends all parts before it reads a response, and returns the bytes that came until the server closed the connection.
 * @param end closes its own side after them, as a leaving client does
 */
export function exchange(
  url: string,
  parts: readonly (string | Uint8Array)[],
  { end = false } = {},
): Promise<RawResponse> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.on('data', (chunk) => chunks.push(chunk));
    // A server may respond early and close the connection while parts are still being sent: its response counts.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      const [head = '', ...rest] = Buffer.concat(chunks).toString().split('\r\n\r\n');
      const [statusLine = '', ...headers] = head.split('\r\n');
      resolve({
        status: Number(statusLine.split(' ')[1] ?? 0),
        headers: headers.join('\n'),
        body: rest.join('\r\n\r\n'),
      });
    });
    for (const part of parts) socket.write(part);
    if (end) socket.end();
  });
}
