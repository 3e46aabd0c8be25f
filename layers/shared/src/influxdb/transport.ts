/** One HTTP exchange with InfluxDB; it never throws for what the network does. */
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
  /** No complete answer: whether the request was carried out is unknown. */
  | {
      readonly kind: 'no-response';
      readonly reason: string;
      readonly staleSocket: boolean;
      /** Address or certificate are wrong: trying again cannot help. */
      readonly isPermanent: boolean;
    };

export interface RequestOptions {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Time for the whole exchange, ms. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Codes of a connection that its other end had closed, as happens to kept-alive ones while a container is frozen. */
const STALE = new Set(['ECONNRESET', 'EPIPE']);

/** InfluxDB names each bad line of a batch in its answer; what is longer than this is no answer of InfluxDB. */
const MAX_RESPONSE_BYTES = 16 * 1024 * 1024;

export class InfluxTransport {
  private readonly url: string;
  private readonly agent: http.Agent;
  private readonly http: typeof http | typeof https;

  /** @param url the base URL; a path in it is kept as a prefix */
  constructor(url: string) {
    this.url = url.replace(/\/+$/, '');
    this.http = url.startsWith('https:') ? https : http;
    this.agent = new this.http.Agent({ keepAlive: true });
  }

  /**
   * Sends one request and waits for the whole answer, the time limit or the signal, whichever is first. The body is sent from where
   * it lies, without a copy; once this has settled nothing reads it any more.
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
        // An answer may come before the end of the body, of which the rest is then nobody's business.
        if (!request.writableFinished || exchange.kind === 'no-response') request.destroy();
        resolve(exchange);
      };
      // A request that was given up fails too, which says nothing about the connection.
      const fail = (error: Error): void => {
        if (!isSettled) settle(this.failed(error));
      };
      const onAbort = (): void => settle(noResponse('stopped'));
      const timer = setTimeout(() => settle(noResponse(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);
      signal?.addEventListener('abort', onAbort, { once: true });
      request
        .on('error', fail)
        .on('response', (response) => void readResponse(response).then(settle, fail))
        .end(body);
    });
  }

  /** Closes the kept-alive connections. */
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

  /** Where one idle connection was found dead, the others died with it. */
  private dropIdleSockets(): void {
    for (const socket of Object.values(this.agent.freeSockets).flat()) socket?.destroy();
  }
}

async function readResponse(response: IncomingMessage): Promise<Exchange> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > MAX_RESPONSE_BYTES) throw new Error(`an answer longer than ${MAX_RESPONSE_BYTES} bytes`);
    chunks.push(chunk);
  }
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

function noResponse(reason: string): Exchange {
  return { kind: 'no-response', reason, staleSocket: false, isPermanent: false };
}

function first(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
