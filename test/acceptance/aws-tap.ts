/** A server in the place of AWS: keeps each request as it came over the wire, and has it answered by the server that can. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface WireRequest {
  readonly method: string;
  /** With the query, as sent. */
  readonly path: string;
  /** As sent, in order. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
  /** Who made it: what `by` of the tap was. */
  readonly by: string;
  /** Of the answer; 0 while there is none. */
  status: number;
}

/** The URL of a server that answers in its place, or the answer. */
export type Answer = string | { readonly status: number; readonly body?: string; readonly type?: string };

/** The value of a header, or ''. */
export const headerOf = ({ headers }: WireRequest, name: string): string =>
  headers.find(([each]) => each.toLowerCase() === name)?.[1] ?? '';

/** The service that a request was signed for, as its signature names it. */
export const serviceOf = (request: WireRequest): string =>
  /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(headerOf(request, 'authorization'))?.[1] ?? '';

/** Belong to a connection, or are made anew by who forwards. */
const OF_THE_CONNECTION = new Set(['connection', 'content-length', 'transfer-encoding', 'host', 'expect']);

export class AwsTap {
  readonly requests: WireRequest[] = [];
  by = '';
  private readonly server: Server;

  private constructor(answer: (request: WireRequest) => Answer) {
    this.server = createServer(async (message, response) => {
      const request = await this.read(message);
      this.requests.push(request);
      const answered = answer(request);
      if (typeof answered === 'string') {
        const { status, headers, body } = await forward(request, answered);
        request.status = status;
        response.writeHead(status, headers).end(body);
      } else {
        const { status, body = '', type = 'application/json' } = answered;
        request.status = status;
        response.writeHead(status, { 'content-type': type }).end(body);
      }
    });
  }

  static async start(answer: (request: WireRequest) => Answer): Promise<AwsTap> {
    const tap = new AwsTap(answer);
    tap.server.listen(0, '127.0.0.1');
    await once(tap.server, 'listening');
    return tap;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The requests since the last call. */
  take(): WireRequest[] {
    return this.requests.splice(0);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async read(message: IncomingMessage): Promise<WireRequest> {
    const chunks: Buffer[] = [];
    for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk);
    const headers = Array.from({ length: message.rawHeaders.length / 2 }, (_, n): [string, string] => [
      message.rawHeaders[2 * n] ?? '',
      message.rawHeaders[2 * n + 1] ?? '',
    ]);
    const { method = '', url: path = '' } = message;
    return { method, path, headers, body: Buffer.concat(chunks), by: this.by, status: 0 };
  }
}

/** The answer of another server to the request. */
export async function forward(request: WireRequest, url: string) {
  const headers = request.headers.filter(([name]) => !OF_THE_CONNECTION.has(name.toLowerCase()));
  const hasBody = request.method !== 'GET' && request.method !== 'HEAD';
  const response = await fetch(url + request.path, {
    method: request.method,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
    ...(hasBody && { body: new Uint8Array(request.body) }),
  });
  const kept = [...response.headers].filter(([name]) => !OF_THE_CONNECTION.has(name) || request.method === 'HEAD');
  return {
    status: response.status,
    headers: Object.fromEntries(kept.filter(([name]) => name !== 'connection' && name !== 'transfer-encoding')),
    body: Buffer.from(await response.arrayBuffer()),
  };
}
