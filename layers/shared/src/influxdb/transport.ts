/** One HTTP exchange with InfluxDB over the client library's transport; it never throws for what the network does. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { HttpError, InfluxDB, type Transport } from '@influxdata/influxdb-client';

export type Exchange =
  | {
      readonly kind: 'reply';
      readonly status: number;
      readonly body: string;
      readonly retryAfter?: string;
      readonly version?: string;
    }
  /** No complete answer: whether the request was carried out is unknown. */
  | { readonly kind: 'no-reply'; readonly reason: string; readonly staleSocket: boolean };

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

export class InfluxTransport {
  readonly #transport: Transport;
  readonly #agent: HttpAgent;

  /** @param url the base URL; a path in it is kept as a prefix */
  constructor(url: string) {
    this.#agent = url.startsWith('https:') ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
    // The library's own timeout reports and leaves the request running; ours, below, aborts it.
    this.#transport = new InfluxDB({ url, timeout: 0, transportOptions: { agent: this.#agent } }).transport;
  }

  /** Sends one request and waits for the whole answer, the time limit or the signal, whichever is first. */
  exchange({ method, path, headers, body, timeoutMs, signal }: RequestOptions): Promise<Exchange> {
    if (signal?.aborted) return Promise.resolve(noReply('stopped'));
    return new Promise((resolve) => {
      const abort = new AbortController();
      let ended = 'stopped';
      let status = 0;
      let version: string | undefined;
      const chunks: Uint8Array[] = [];
      const stop = (): void => abort.abort();
      const timer = setTimeout(() => {
        ended = `no answer within ${timeoutMs / 1000} s`;
        stop();
      }, timeoutMs);
      signal?.addEventListener('abort', stop, { once: true });
      const settle = (exchange: Exchange): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', stop);
        resolve(exchange);
      };
      // The type asks for a string, but the transport makes a Buffer of what it gets, which leaves bytes as they are.
      this.#transport.send(
        path,
        (body ?? '') as string,
        { method, headers: { ...headers }, signal: abort.signal },
        {
          responseStarted: (received, code) => {
            status = code ?? 0;
            version = first(received['x-influxdb-version']);
          },
          next: (chunk) => void chunks.push(chunk),
          complete: () =>
            settle({
              kind: 'reply',
              status,
              body: Buffer.concat(chunks).toString('utf8'),
              ...(version && { version }),
            }),
          error: (error) => settle(abort.signal.aborted ? noReply(ended) : this.#failed(error)),
        },
      );
    });
  }

  /** Closes the kept-alive connections. */
  close(): void {
    this.#agent.destroy();
  }

  #failed(error: Error): Exchange {
    if (error instanceof HttpError) {
      const retryAfter = first(error.headers?.['retry-after']);
      const version = first(error.headers?.['x-influxdb-version']);
      const reply = { kind: 'reply', status: error.statusCode, body: error.body ?? '' } as const;
      return { ...reply, ...(retryAfter && { retryAfter }), ...(version && { version }) };
    }
    const code = 'code' in error ? String(error.code) : '';
    const staleSocket = STALE.has(code);
    if (staleSocket) this.#dropIdleSockets();
    // A host with several addresses fails with an AggregateError, which has a code and no message.
    return noReply(error.message || code || error.name, staleSocket);
  }

  /** Where one idle connection was found dead, the others died with it. */
  #dropIdleSockets(): void {
    for (const socket of Object.values(this.#agent.freeSockets).flat()) socket?.destroy();
  }
}

function noReply(reason: string, staleSocket = false): Exchange {
  return { kind: 'no-reply', reason, staleSocket };
}

function first(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
