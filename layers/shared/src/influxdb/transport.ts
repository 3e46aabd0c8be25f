/** One HTTP exchange with InfluxDB. Network errors are returned, not thrown. */
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { connectionFailure } from './connection-failures';

export type Exchange =
  | {
      readonly kind: 'response';
      readonly status: number;
      readonly body: string;
      readonly retryAfter?: string;
      readonly version?: string;
    }
  /** No complete response: InfluxDB may or may not have processed the request. */
  | {
      readonly kind: 'no-response';
      readonly reason: string;
      readonly staleSocket: boolean;
      /** The address or the certificate is wrong, so a retry fails the same way. */
      readonly isPermanent: boolean;
    };

export interface RequestOptions {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Timeout of the whole exchange, ms. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Error codes of a connection that the server had closed. This happens to keep-alive connections while a container is frozen. */
const STALE = new Set(['ECONNRESET', 'EPIPE']);

/** InfluxDB lists each invalid line of a batch in its response. A longer response is not from InfluxDB. */
const MAX_RESPONSE_BYTES = 16 * 1024 * 1024;

export class InfluxTransport {
  private readonly url: string;
  private readonly agent: http.Agent;
  private readonly http: typeof http | typeof https;

  /** @param url the base URL; its path is kept as a prefix */
  constructor(url: string) {
    this.url = url.replace(/\/+$/, '');
    this.http = url.startsWith('https:') ? https : http;
    this.agent = new this.http.Agent({ keepAlive: true });
  }

  /**
   * Sends one request and waits for the whole response, the timeout or the signal, whichever comes first. The body is sent without a
   * copy, and is not read after the promise has settled.
   */
  exchange({ method, path, headers, body, timeoutMs, signal }: RequestOptions): Promise<Exchange> {
    if (signal?.aborted) return Promise.resolve(noResponse('stopped'));
    return new Promise((resolve) => {
      const length = { 'content-length': body?.length ?? 0 };
      const options = { method, agent: this.agent, headers: { ...headers, ...length } };
      const request = this.http.request(this.url + path, options);
      let isSettled = false;
      const settle = (exchange: Exchange): void => {
        isSettled = true;
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        // The response may come before the end of the request body. The rest of the body need not be sent.
        if (!request.writableFinished || exchange.kind === 'no-response') request.destroy();
        resolve(exchange);
      };
      // A request that was aborted fails too. That error is not about the connection.
      const fail = (error: Error): void => {
        if (!isSettled) settle(this.failed(error));
      };
      const onAbort = (): void => settle(noResponse('stopped'));
      const timer = setTimeout(() => settle(noResponse(`no response within ${timeoutMs / 1000} s`)), timeoutMs);
      signal?.addEventListener('abort', onAbort, { once: true });
      request
        .on('error', fail)
        .on('response', (response) => void readResponse(response).then(settle, fail))
        .end(body);
    });
  }

  /** Closes the keep-alive connections. */
  close(): void {
    this.agent.destroy();
  }

  private failed(error: Error): Exchange {
    const code = 'code' in error ? String(error.code) : '';
    const staleSocket = STALE.has(code);
    if (staleSocket) this.dropIdleSockets();
    const { reason, isPermanent } = connectionFailure(error, this.url);
    return { kind: 'no-response', reason, staleSocket, isPermanent };
  }

  /** If one idle connection is closed, the others are closed too: the container was frozen. */
  private dropIdleSockets(): void {
    for (const socket of Object.values(this.agent.freeSockets).flat()) socket?.destroy();
  }
}

/** By events: an async iterator of the response took another 20 µs. */
function readResponse(response: IncomingMessage): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let length = 0;
    response
      .on('data', (chunk: Uint8Array) => {
        length += chunk.length;
        if (length > MAX_RESPONSE_BYTES) reject(new Error(`the response is longer than ${MAX_RESPONSE_BYTES} bytes`));
        else chunks.push(chunk);
      })
      .on('error', reject)
      .on('end', () => resolve(responseOf(response, chunks)));
  });
}

function responseOf(response: IncomingMessage, chunks: readonly Uint8Array[]): Exchange {
  const retryAfter = response.headers['retry-after'];
  const version = first(response.headers['x-influxdb-version']);
  return {
    kind: 'response',
    status: response.statusCode ?? 0,
    body: Buffer.concat(chunks).toString('utf8'),
    ...(retryAfter && { retryAfter }),
    ...(version && { version }),
  };
}

export function noResponse(reason: string): Exchange {
  return { kind: 'no-response', reason, staleSocket: false, isPermanent: false };
}

function first(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
