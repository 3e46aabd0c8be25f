/** Sends requests to one InfluxDB with its token. A write returns a typed outcome. */
import { promisify } from 'node:util';
import { gzip as gzipCallback } from 'node:zlib';
import { untilAborted } from '../resilience/backoff';
import { NO_TRACER, type Tracer } from '../tracing';
import type { WriteOutcome } from './outcome';
import { PROTOCOLS, type Target, type WritePrecision } from './protocol';
import type { TokenProvider } from './token';
import { type Exchange, InfluxTransport, noResponse, type RequestOptions } from './transport';

const gzip = promisify(gzipCallback);

export interface ClientOptions {
  /** The compression level of zlib, 1 to 9; 0 sends plain text. */
  readonly gzipLevel?: number;
  /** Timeout of one request and its response, ms. InfluxDB 2 limits a write to 10 s. */
  readonly timeoutMs?: number;
  /** Precision of the timestamps of the lines; ns by default. */
  readonly precision?: WritePrecision;
  /** Bodies of fewer bytes are sent as they are. */
  readonly minGzipBytes?: number;
  /** Records each write as a part of the invocation's trace. */
  readonly tracer?: Tracer;
}

/** Lines and the request body made from them. Encoded once, so that retries send the same body. */
export interface EncodedLines {
  readonly lines: Uint8Array;
  readonly body: Uint8Array;
}

/** The part of the client that the batch writer uses. */
export interface LineWriter {
  encode(lines: Uint8Array): Promise<EncodedLines>;
  write(encoded: EncodedLines, signal?: AbortSignal): Promise<WriteOutcome>;
}

export class InfluxClient implements LineWriter {
  private readonly options: Required<ClientOptions>;

  constructor(
    readonly target: Target,
    readonly tokens: TokenProvider,
    { gzipLevel = 1, timeoutMs = 15_000, precision = 'ns', minGzipBytes = 1, tracer = NO_TRACER }: ClientOptions = {},
    private readonly transport: Pick<InfluxTransport, 'exchange' | 'close'> = new InfluxTransport(target.url),
  ) {
    this.options = { gzipLevel, timeoutMs, precision, minGzipBytes, tracer };
  }

  /** This client for another organization and bucket, and another precision. Both share their connections and the token. */
  for(place: Pick<Target, 'org' | 'bucket'>, precision: WritePrecision): InfluxClient {
    const options = { ...this.options, precision };
    return new InfluxClient({ ...this.target, ...place }, this.tokens, options, this.transport);
  }

  /** Compresses lines in zlib's threads, not in the main thread. */
  async encode(lines: Uint8Array): Promise<EncodedLines> {
    const { gzipLevel, minGzipBytes } = this.options;
    if (gzipLevel === 0 || lines.length < minGzipBytes) return { lines, body: lines };
    // Large enough for the result in one chunk: each further chunk costs another round trip through the thread pool.
    const chunkSize = Math.max(64 * 1024, lines.length >> 2);
    return { lines, body: await gzip(lines, { level: gzipLevel, chunkSize }) };
  }

  /**
   * Writes lines once, without retries.
   * @throws InfluxDBConnectionError or ConfigurationError if the token cannot be read
   */
  async write({ lines, body }: EncodedLines, signal?: AbortSignal): Promise<WriteOutcome> {
    const protocol = PROTOCOLS[this.target.engine];
    const headers = {
      'content-type': 'text/plain; charset=utf-8',
      ...(body !== lines && { 'content-encoding': 'gzip' }),
    };
    const { precision, timeoutMs, tracer } = this.options;
    const path = protocol.writePath(this.target, precision);
    const send = () => this.send({ method: 'POST', path, headers, body, timeoutMs, signal });
    const exchange = await tracer.trace('InfluxDB write', send);
    return protocol.outcome(exchange, lines);
  }

  /** Sends a request with the token. After a 401 it renews the token and sends the request once more. */
  async send(request: RequestOptions): Promise<Exchange> {
    const { signal } = request;
    const inTime = <T>(reading: Promise<T>): Promise<T> => (signal ? untilAborted(reading, signal) : reading);
    try {
      const token = await inTime(this.tokens.get());
      const exchange = await this.sendAs(token, request);
      if (exchange.kind === 'no-response' || exchange.status !== 401) return exchange;
      const renewed = await inTime(this.tokens.renew(token));
      return renewed === undefined ? exchange : await this.sendAs(renewed, request);
    } catch (error) {
      // The secret of the token may take longer than the caller can wait.
      if (signal?.aborted) return noResponse('stopped');
      throw error;
    }
  }

  private sendAs(token: string, request: RequestOptions): Promise<Exchange> {
    const authorization = PROTOCOLS[this.target.engine].authorization(token);
    return this.transport.exchange({ ...request, headers: { ...request.headers, authorization } });
  }

  /** Closes the keep-alive connections. For long-running programs; a Lambda function keeps them for its next invocation. */
  close(): void {
    this.transport.close();
  }
}
