/** A server in the place of AWS: records each request as sent over the wire, and returns a given response or that of another server. */
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
  /** The function that sent it: the tap's `by` at that time. */
  readonly by: string;
  /** Status of the response; 0 before it was sent. */
  status: number;
}

/** The response, or the URL of a server to forward the request to. */
export type TapResponse = string | { readonly status: number; readonly body?: string; readonly type?: string };

/** The value of a header, or ''. */
export const headerOf = ({ headers }: WireRequest, name: string): string =>
  headers.find(([each]) => each.toLowerCase() === name)?.[1] ?? '';

/** The service that a request was signed for, by its name in the signature. */
export const serviceOf = (request: WireRequest): string =>
  /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(headerOf(request, 'authorization'))?.[1] ?? '';

/** Headers of a connection, which are not forwarded. */
const OF_THE_CONNECTION = new Set(['connection', 'content-length', 'transfer-encoding', 'host', 'expect']);

export class AwsTap {
  readonly requests: WireRequest[] = [];
  by = '';
  private readonly server: Server;

  private constructor(respond: (request: WireRequest) => TapResponse) {
    this.server = createServer(async (message, response) => {
      const request = await this.read(message);
      this.requests.push(request);
      const given = respond(request);
      if (typeof given === 'string') {
        const { status, headers, body } = await forward(request, given);
        request.status = status;
        response.writeHead(status, headers).end(body);
      } else {
        const { status, body = '', type = 'application/json' } = given;
        request.status = status;
        response.writeHead(status, { 'content-type': type }).end(body);
      }
    });
  }

  static async start(respond: (request: WireRequest) => TapResponse): Promise<AwsTap> {
    const tap = new AwsTap(respond);
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

/** Forwards the request to another server and returns its response. */
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
