/** A small HTTP server in front of the connector's handler: each request becomes the event that API Gateway would make of it. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AcceptedToken } from 'shared/tokens/accepted';
import type { CredentialSource } from 'shared/tokens/presented';
import { scopeContext } from 'shared/tokens/scope';
import { isPreflight, withCors } from '../../functions/write-line-protocol/cors';
import type { WriteEvent } from '../../functions/write-line-protocol/request';
import { ApiError, failure, type HttpResponse } from '../../functions/write-line-protocol/responses';
import type { createHandler } from '../../functions/write-line-protocol/write-handler';
import { countingPoints, requestLine } from './request-log';

export interface ConnectorOptions {
  readonly handler: ReturnType<typeof createHandler>;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Bodies beyond it are refused with 413, as API Gateway does. */
  readonly maxBodyBytes: number;
  /** The token of a request that may come in; undefined for one that may not. Without it every request may. */
  readonly verify?: ((request: CredentialSource) => Promise<AcceptedToken | undefined>) | undefined;
  /** Origins whose pages may send requests from a browser, as the handler's configuration has them. */
  readonly corsAllowedOrigins: readonly string[];
  /** A request that has not arrived within this time is answered 408, ms. */
  readonly arrivalMs: number;
  /** Called with one line a request. */
  readonly log: (line: string) => void;
}

/** How long a stop waits for the requests under way. */
const STOP_MS = 6_000;
/** How long a client that goes on sending what was refused is listened to: one that finds its connection cut sees no answer. */
const LINGER_MS = 2_000;
/** How much of a path a line of the log shows, in characters. */
const MAX_PATH = 200;

export interface RunningConnector {
  readonly url: string;
  /** Answers what was begun and ends all connections. */
  close(): Promise<void>;
}

export async function startConnector(options: ConnectorOptions): Promise<RunningConnector> {
  const limits = {
    // API Gateway takes 10 KB of headers; this is Node's own default, which --max-http-header-size does not move here.
    maxHeaderSize: 16_384,
    headersTimeout: options.arrivalMs,
    requestTimeout: options.arrivalMs,
    connectionsCheckingInterval: Math.ceil(options.arrivalMs / 10),
  };
  const server = createServer(limits, (request, response) => {
    respond(request, response, options).catch((error: unknown) => {
      options.log(
        `${request.method} ${shownPath(request)} failed: ${error instanceof Error ? error.message : String(error)}`,
      );
      response.destroy();
    });
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => refuse(error, socket, options));
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
  const totals = {};
  const body = await readBody(request, options.maxBodyBytes);
  const result =
    body === undefined
      ? TOO_LARGE
      : await countingPoints(totals, () => authorized(request, event(request, body), options));
  const answer = result ?? { statusCode: 202, headers: {}, body: '', isBase64Encoded: false };
  // The handler has not seen every request: the browser is to show each response to its page.
  const { origin } = request.headers;
  const { statusCode, headers, body: text } = withCors(answer, origin, options.corsAllowedOrigins);
  response.writeHead(statusCode, headers);
  response.end(request.method === 'HEAD' ? undefined : text);
  const reason = statusCode < 400 ? '' : text.slice(0, 300);
  const milliseconds = performance.now() - started;
  options.log(requestLine(`${request.method} ${shownPath(request)}`, statusCode, milliseconds, totals, reason));
}

const TOO_LARGE = failure(
  new ApiError(413, 'request too large', 'unable to read data: points batch is too large', { Connection: 'close' }),
);

/** What the handler answers, once the request has been let in as API Gateway's authorizer does it. */
async function authorized(
  { method = '', headers: { origin } }: IncomingMessage,
  event: WriteEvent,
  { handler, verify }: ConnectorOptions,
): Promise<HttpResponse | undefined> {
  // A browser sends no token with a preflight request.
  if (verify === undefined || isPreflight(method, origin)) return await handler(event);
  const token = await verify(event);
  if (token === undefined) return failure(new ApiError(401, 'unauthorized', 'unauthorized access'));
  const requestContext = { ...event.requestContext, authorizer: scopeContext(token.scope) };
  return await handler({ ...event, requestContext });
}

/** The body; undefined where it is too large: it is read to its end all the same, and dropped. */
async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
    else chunks.length = 0;
  }
  return bytes > maxBytes ? undefined : Buffer.concat(chunks);
}

/** Answers what is no request, by the code of Node's parser, and ends the connection. */
function refuse({ code, message }: NodeJS.ErrnoException, socket: Duplex, { log }: ConnectorOptions): void {
  // The parser complains again of each piece that still comes.
  if (!socket.writable || socket.writableEnded) return;
  const error = REFUSALS[code ?? ''] ?? new ApiError(400, 'invalid', 'the request is no HTTP');
  const { statusCode, headers, body } = failure(error);
  const lines = Object.entries({ ...headers, 'Content-Length': String(Buffer.byteLength(body)), Connection: 'close' });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.end(`HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode]}\r\n${head}\r\n${body}`);
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
  log(`${statusCode} ${message}`);
}

const REFUSALS: Readonly<Record<string, ApiError>> = {
  HPE_HEADER_OVERFLOW: new ApiError(431, 'request too large', 'the headers of the request are too large'),
  ERR_HTTP_REQUEST_TIMEOUT: new ApiError(408, 'request timeout', 'the request did not arrive in time'),
};

function event(request: IncomingMessage, body: Buffer): WriteEvent {
  const searchParams = new URLSearchParams(request.url?.replace(/^[^?]*/, ''));
  return {
    httpMethod: request.method ?? '',
    path: pathOf(request),
    headers: request.headers,
    // Of a parameter that comes twice the first value counts.
    queryStringParameters: Object.fromEntries([...searchParams].reverse()),
    body: body.toString('base64'),
    isBase64Encoded: true,
    requestContext: { requestId: randomUUID(), requestTimeEpoch: Date.now() },
  };
}

/** The path of a request target, which a client of a proxy sends with scheme and host. Source: RFC 9112, section 3.2. */
const pathOf = ({ url = '/' }: IncomingMessage): string =>
  url.replace(/[?#].*$/s, '').replace(/^https?:\/\/[^/]*/i, '') || '/';
const shownPath = (request: IncomingMessage): string => pathOf(request).slice(0, MAX_PATH);

function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeIdleConnections();
    // A request that is still being sent may take for ever; one that is being answered does not.
    setTimeout(() => server.closeAllConnections(), STOP_MS).unref();
  });
}
