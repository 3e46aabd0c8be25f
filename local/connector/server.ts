/** A small HTTP server in front of the connector's handler: each request becomes the event that API Gateway would make of it. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { createHandler } from '../../functions/write-line-protocol/write-handler';

export interface ConnectorOptions {
  readonly handler: ReturnType<typeof createHandler>;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Bodies beyond it are refused with 413, as API Gateway does. */
  readonly maxBodyBytes: number;
  /** Called with one line a request. */
  readonly log: (line: string) => void;
}

export interface RunningConnector {
  readonly url: string;
  /** Answers what was begun and ends all connections. */
  close(): Promise<void>;
}

export async function startConnector(options: ConnectorOptions): Promise<RunningConnector> {
  const server = createServer((request, response) => {
    respond(request, response, options).catch((error: unknown) => {
      options.log(
        `${request.method} ${pathOf(request)} failed: ${error instanceof Error ? error.message : String(error)}`,
      );
      response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return { url: `http://${host}:${port}`, close: () => close(server) };
}

async function respond(request: IncomingMessage, response: ServerResponse, options: ConnectorOptions): Promise<void> {
  const started = performance.now();
  const body = await readBody(request, options.maxBodyBytes);
  const answer = body === undefined ? TOO_LARGE : await options.handler(event(request, body));
  const { statusCode, headers, body: text } = answer ?? { statusCode: 202, headers: {}, body: '' };
  response.writeHead(statusCode, { ...headers, ...(body === undefined && { Connection: 'close' }) });
  response.end(request.method === 'HEAD' ? undefined : text);
  const reason = statusCode < 400 ? '' : `  ${text.slice(0, 300)}`;
  options.log(
    `${request.method} ${pathOf(request)} ${statusCode} ${Math.round(performance.now() - started)} ms${reason}`,
  );
}

const TOO_LARGE = {
  statusCode: 413,
  headers: { 'Content-Type': 'application/json; charset=utf-8' },
  body: '{"code":"request too large","message":"unable to read data: points batch is too large"}',
};

/** The body; undefined where it is too large, with the rest of it left unread. */
async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function event(request: IncomingMessage, body: Buffer): Record<string, unknown> {
  const searchParams = new URLSearchParams(request.url?.replace(/^[^?]*/, ''));
  return {
    httpMethod: request.method,
    path: pathOf(request),
    headers: request.headers,
    queryStringParameters: Object.fromEntries(searchParams),
    body: body.toString('base64'),
    isBase64Encoded: true,
    requestContext: { requestId: randomUUID(), requestTimeEpoch: Date.now() },
  };
}

const pathOf = (request: IncomingMessage): string => (request.url ?? '/').replace(/\?.*$/s, '');

function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeIdleConnections();
  });
}
