/** A small HTTP server in front of the connector's handler: each request becomes the event that API Gateway would make of it. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AcceptedToken } from 'shared/tokens/accepted';
import type { CredentialSource } from 'shared/tokens/presented';
import { scopeContext } from 'shared/tokens/scope';
import type { WriteEvent } from '../../functions/write-line-protocol/request';
import { ApiError, failure, type HttpResponse } from '../../functions/write-line-protocol/responses';
import type { createHandler } from '../../functions/write-line-protocol/write-handler';

export interface ConnectorOptions {
  readonly handler: ReturnType<typeof createHandler>;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Bodies beyond it are refused with 413, as API Gateway does. */
  readonly maxBodyBytes: number;
  /** The token of a request that may come in; undefined for one that may not. Without it every request may. */
  readonly verify?: ((request: CredentialSource) => Promise<AcceptedToken | undefined>) | undefined;
  /** Called with one line a request. */
  readonly log: (line: string) => void;
}

/** How long a stop waits for the requests under way. */
const STOP_MS = 6_000;

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
  const answer = body === undefined ? TOO_LARGE : await authorized(event(request, body), options);
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

/** What the handler answers, once the request has been let in as API Gateway's authorizer does it. */
async function authorized(event: WriteEvent, { handler, verify }: ConnectorOptions): Promise<HttpResponse | undefined> {
  if (verify === undefined) return await handler(event);
  const token = await verify(event);
  if (token === undefined) return failure(new ApiError(401, 'unauthorized', 'unauthorized access'));
  const requestContext = { ...event.requestContext, authorizer: scopeContext(token.scope) };
  return await handler({ ...event, requestContext });
}

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

function event(request: IncomingMessage, body: Buffer): WriteEvent {
  const searchParams = new URLSearchParams(request.url?.replace(/^[^?]*/, ''));
  return {
    httpMethod: request.method ?? '',
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
    // A request that is still being sent may take for ever; one that is being answered does not.
    setTimeout(() => server.closeAllConnections(), STOP_MS).unref();
  });
}
