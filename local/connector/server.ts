/** A small HTTP server for the connector's handler. It turns each request into the event that API Gateway would send. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AcceptedToken } from 'shared/tokens/accepted';
import type { CredentialSource } from 'shared/tokens/presented';
import { scopeContext } from 'shared/tokens/scope';
import { ApiError } from '../../functions/write-line-protocol/api-error';
import { isPreflight, withCors } from '../../functions/write-line-protocol/cors';
import type { WriteEvent } from '../../functions/write-line-protocol/request';
import { failure, type HttpResponse } from '../../functions/write-line-protocol/responses';
import {
  type createHandler,
  type InvocationContext,
  RESPONSE_MS,
} from '../../functions/write-line-protocol/write-handler';
import type { ConsoleServer } from '../console/console';
import type { RecordedWrite } from '../console/recorder';
import { parametersOf, pathOf, readBody } from './incoming';
import { isWrite, writeOf } from './recorded-write';
import { noting, requestLine, type WriteNote } from './request-log';
import { Turns } from './turns';

export interface ConnectorOptions {
  readonly handler: ReturnType<typeof createHandler>;
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** Larger bodies are refused with 413, as API Gateway does. */
  readonly maxBodyBytes: number;
  /** Resolves to the token of an authorized request, else to undefined. If absent, every request is authorized. */
  readonly verify?: ((request: CredentialSource) => Promise<AcceptedToken | undefined>) | undefined;
  /** The time of a request that has arrived, ms; it includes the wait for its turn. */
  readonly writeDeadlineMs: number;
  /** Origins of browser pages that may send requests; the same as in the handler's configuration. */
  readonly corsAllowedOrigins: readonly string[];
  /** A request that does not arrive completely within this time gets 408, ms. */
  readonly arrivalMs: number;
  readonly console?: ConsoleServer | undefined;
  /** Called after the response to each write. */
  readonly onWrite?: ((write: RecordedWrite) => void) | undefined;
  /** Called with one line per request. */
  readonly log: (line: string) => void;
}

/**
 * Bodies of the requests in progress. More of them at once would share the CPU and all miss their deadlines, and each of them takes several
 * times its size of memory.
 */
const MAX_BYTES_AT_ONCE = 4 * 1024 * 1024;
/** How long a stop waits for requests in progress. */
const STOP_MS = 6_000;
/** How long a refused connection stays open. A client that is still sending must not lose the connection before it reads the response. */
const LINGER_MS = 2_000;
/** Maximum length of a path in the log, in characters. */
const MAX_PATH = 200;

export interface RunningConnector {
  readonly url: string;
  /** Completes the requests in progress and closes all connections. */
  close(): Promise<void>;
}

export async function startConnector(options: ConnectorOptions): Promise<RunningConnector> {
  const limits = {
    // API Gateway accepts 10 KB of headers. This is Node's default, set here so that --max-http-header-size does not change it.
    maxHeaderSize: 16_384,
    headersTimeout: options.arrivalMs,
    requestTimeout: options.arrivalMs,
    connectionsCheckingInterval: Math.ceil(options.arrivalMs / 10),
  };
  const turns = new Turns(MAX_BYTES_AT_ONCE);
  const server = createServer(limits, (request, response) => {
    respond(request, response, turns, options).catch((error: unknown) => {
      options.log(
        `${request.method} ${shown(pathOf(request))} failed: ${error instanceof Error ? error.message : String(error)}`,
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

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  turns: Turns,
  options: ConnectorOptions,
): Promise<void> {
  const path = pathOf(request);
  if (options.console?.serves(path)) return await options.console.respond(path, request, response);
  const time = Date.now();
  const started = performance.now();
  const note: WriteNote = {};
  const body = await readBody(request, options.maxBodyBytes);
  const deadline = performance.now() + options.writeDeadlineMs + RESPONSE_MS;
  const context = { getRemainingTimeInMillis: () => deadline - performance.now() };
  const result =
    body === undefined
      ? TOO_LARGE
      : await turns.run(body.length, () =>
          noting(note, () => authorized(request, event(request, path, body), context, options)),
        );
  const complete = result ?? { statusCode: 202, headers: {}, body: '', isBase64Encoded: false };
  // Responses that do not come from the handler need the headers too, or the browser hides them from its page.
  const { origin } = request.headers;
  const { statusCode, headers, body: text } = withCors(complete, origin, options.corsAllowedOrigins);
  response.writeHead(statusCode, headers);
  response.end(request.method === 'HEAD' ? undefined : text);
  const reason = statusCode < 400 ? '' : text.slice(0, 300);
  const milliseconds = performance.now() - started;
  options.log(requestLine(`${request.method} ${shown(path)}`, statusCode, milliseconds, note, reason));
  if (options.onWrite && isWrite(request, path)) {
    options.onWrite(writeOf(request, note, { path, time, milliseconds, body, statusCode, text }));
  }
}

const TOO_LARGE = failure(
  new ApiError(413, 'request too large', 'unable to read data: points batch is too large', { Connection: 'close' }),
);

/** Authorizes a request as the authorizer of API Gateway does, then calls the handler. */
async function authorized(
  { method = '', headers: { origin } }: IncomingMessage,
  event: WriteEvent,
  context: InvocationContext,
  { handler, verify }: ConnectorOptions,
): Promise<HttpResponse | undefined> {
  // A browser sends no token with a preflight request.
  if (verify === undefined || isPreflight(method, origin)) return await handler(event, context);
  const token = await verify(event);
  if (token === undefined) return failure(new ApiError(401, 'unauthorized', 'unauthorized access'));
  const requestContext = { ...event.requestContext, authorizer: scopeContext(token.scope) };
  return await handler({ ...event, requestContext }, context);
}

/** Responds to input that Node's parser refuses, and closes the connection. */
function refuse({ code, message, rawPacket }: ParserError, socket: Duplex, { log }: ConnectorOptions): void {
  // The parser reports the error again for each chunk that still arrives.
  if (!socket.writable || socket.writableEnded) return;
  const error = REFUSALS[code ?? ''] ?? new ApiError(400, 'invalid', 'the request is not valid HTTP');
  const { statusCode, headers, body } = failure(error);
  const lines = Object.entries({ ...headers, 'Content-Length': String(Buffer.byteLength(body)), Connection: 'close' });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.end(`HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode]}\r\n${head}\r\n${body}`);
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
  log(`${statusCode} ${message}${isTlsHandshake(rawPacket) ? ' (https sent to an http port?)' : ''}`);
}

interface ParserError extends NodeJS.ErrnoException {
  readonly rawPacket?: Uint8Array;
}

/** A TLS record of type handshake. Source: RFC 8446, section 5.1. */
const isTlsHandshake = (packet: Uint8Array | undefined): boolean => packet?.[0] === 0x16 && packet[1] === 0x03;

const REFUSALS: Readonly<Record<string, ApiError>> = {
  HPE_HEADER_OVERFLOW: new ApiError(431, 'request too large', 'the headers of the request are too large'),
  ERR_HTTP_REQUEST_TIMEOUT: new ApiError(408, 'request timeout', 'the request did not arrive in time'),
};

function event(request: IncomingMessage, path: string, body: Buffer): WriteEvent {
  return {
    httpMethod: request.method ?? '',
    path,
    headers: request.headers,
    queryStringParameters: parametersOf(request),
    body: body.toString('base64'),
    isBase64Encoded: true,
    requestContext: { requestId: randomUUID(), requestTimeEpoch: Date.now() },
  };
}

const shown = (path: string): string => path.slice(0, MAX_PATH);

function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeIdleConnections();
    // A client may never finish sending its request; a response always ends.
    setTimeout(() => server.closeAllConnections(), STOP_MS).unref();
  });
}
