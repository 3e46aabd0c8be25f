/** HTTP as bytes: requests that no client library would send, and their answers. */
import { connect } from 'node:net';

export interface Answer {
  /** 0 where the connection ended without one. */
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

/** A write as it goes over the wire, on a connection of its own; in HTTP 1.0 its answer comes in one piece. */
export function writeRequest(
  body: string | Uint8Array,
  { query = '', headers = '' }: { query?: string; headers?: string } = {},
): [string, string | Uint8Array] {
  const head = `POST /api/v2/write${query} HTTP/1.0\r\n${headers}`;
  return [`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`, body];
}

/**
 * Sends the parts, all of them before it looks at any answer, and returns what came until the server ended the connection.
 * @param end ends its own side behind them, as a client that leaves does
 */
export function exchange(url: string, parts: readonly (string | Uint8Array)[], { end = false } = {}): Promise<Answer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.on('data', (chunk) => chunks.push(chunk));
    // A server that answers early may cut the connection while parts are still on their way: its answer counts.
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
