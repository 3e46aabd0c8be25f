/** An HTTP or HTTPS server with scripted responses, which records its requests; for the protocol tests. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import type { ServerCertificate } from './certificates';

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Decompressed. */
  readonly body: string;
  /** Bytes on the wire. */
  readonly size: number;
  /** Number of its connection, from 0. */
  readonly connection: number;
}

export type Answer =
  | { readonly status: number; readonly body?: string; readonly headers?: Record<string, string> }
  /** The connection is closed without a response. */
  | 'drop'
  /** No response; the connection stays open. */
  | 'hang'
  /** The head of a response and a part of its body, then the connection is closed. */
  | 'cut';

export class ScriptedServer {
  readonly requests: ReceivedRequest[] = [];
  private readonly server: Server;
  private readonly sockets: unknown[] = [];
  private readonly origin: string;

  private constructor(
    answer: (request: ReceivedRequest, index: number) => Answer | Promise<Answer>,
    certificate: ServerCertificate | undefined,
  ) {
    const listener: RequestListener = async (message, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of message) chunks.push(chunk);
      const raw = Buffer.concat(chunks);
      const url = new URL(message.url ?? '/', 'http://server');
      const request: ReceivedRequest = {
        method: message.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        headers: message.headers,
        body: (message.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw).toString('utf8'),
        size: raw.length,
        connection: this.sockets.indexOf(message.socket),
      };
      const reply = await answer(request, this.requests.push(request) - 1);
      if (reply === 'hang') return;
      if (reply === 'drop') return void message.socket.resetAndDestroy();
      if (reply === 'cut') {
        response.writeHead(500, { 'content-length': '1000' }).write('half an ans');
        return void setImmediate(() => message.socket.destroy());
      }
      response.writeHead(reply.status, reply.headers).end(reply.body);
    };
    this.server = certificate ? createTlsServer(certificate, listener) : createServer(listener);
    this.server.on(certificate ? 'secureConnection' : 'connection', (socket) => this.sockets.push(socket));
    this.origin = certificate ? 'https://localhost' : 'http://127.0.0.1';
  }

  static async start(
    answer: (request: ReceivedRequest, index: number) => Answer | Promise<Answer>,
    certificate?: ServerCertificate,
  ): Promise<ScriptedServer> {
    const server = new ScriptedServer(answer, certificate);
    server.server.listen(0, '127.0.0.1');
    await once(server.server, 'listening');
    return server;
  }

  get url(): string {
    return `${this.origin}:${(this.server.address() as AddressInfo).port}`;
  }

  get connections(): number {
    return this.sockets.length;
  }

  /** Closes idle connections, as a server does after a timeout. */
  dropIdleConnections(): void {
    this.server.closeIdleConnections();
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
