/**
 * Writes lines with @influxdata/influxdb-client, batch by batch. Each batch is awaited, so that no failure is lost. The library's
 * own retries and automatic flushes are not used, because they report failures only to the library's log.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { HttpError, InfluxDB, type Transport, type WriteApi } from '@influxdata/influxdb-client';
import { fullJitterDelay } from 'shared/resilience/backoff';

/** Longer than API Gateway waits for the function. */
const TIMEOUT_MS = 30_000;
const GZIP_ABOVE_BYTES = 1_000;
const MAX_RETRIES = 5;
const BACKOFF = { baseMs: 500, capMs: 8_000 };
/** Failures that a retry does not fix. */
const NO_RETRY = new Set(['ECONNREFUSED', 'ENOTFOUND', 'CredentialsProviderError']);

export interface LineWriterOptions {
  readonly url: string;
  readonly token?: string | undefined;
  /** ns, us, ms or s. */
  readonly precision: string;
  readonly batchLines: number;
  /** Wraps the library's transport, to sign requests. */
  readonly wrapTransport?: (transport: Transport) => Transport;
  /** Called with a message for the user for each failed batch. */
  readonly report: (message: string) => void;
  /** Waits between two tries, ms; tests pass their own. */
  readonly delay?: (ms: number) => Promise<unknown>;
}

export interface LineWriterResult {
  readonly stored: number;
  /** Accepted by an endpoint in asynchronous mode, which stores them later. */
  readonly accepted: number;
  /** Refused; a retry would not help. */
  readonly dropped: number;
  /** Lines of a batch that failed all its tries, and all lines after it, which were not sent. */
  readonly unstored: number;
}

/** Writes all lines. Failures are reported and counted, and never thrown. */
export async function writeLines(lines: readonly string[], options: LineWriterOptions): Promise<LineWriterResult> {
  const writer = new LineWriter(options);
  for (let start = 0; start < lines.length; start += options.batchLines) {
    await writer.write(lines.slice(start, start + options.batchLines), start + 1);
  }
  return writer.result;
}

class LineWriter {
  readonly result = { stored: 0, accepted: 0, dropped: 0, unstored: 0 };
  private readonly api: WriteApi;
  private readonly options: LineWriterOptions;
  /** Set after a batch has failed all its tries: no further batch is sent. */
  private stopped = false;

  constructor(options: LineWriterOptions) {
    this.options = options;
    const { url, token } = options;
    const connection = { url, timeout: TIMEOUT_MS, ...(token !== undefined && { token }) };
    const { transport } = new InfluxDB(connection);
    const client = new InfluxDB({ ...connection, transport: options.wrapTransport?.(transport) ?? transport });
    // The endpoint ignores organization and bucket, but the library requires them.
    this.api = client.getWriteApi('sample', 'sample', options.precision as 'ns', {
      batchSize: options.batchLines + 1,
      maxBatchBytes: Number.POSITIVE_INFINITY,
      flushInterval: 0,
      maxRetries: 0,
      gzipThreshold: GZIP_ABOVE_BYTES,
      writeFailed: (error) => Promise.reject(error),
    });
  }

  /** @param first number of the first line, from 1 */
  async write(lines: readonly string[], first: number): Promise<void> {
    const where = `lines ${first} to ${first + lines.length - 1}${first > 1 ? ' (the response counts them from 1)' : ''}`;
    for (let retry = 0; !this.stopped; retry++) {
      const error = await this.attempt(lines);
      if (error === undefined) {
        this.result.stored += lines.length;
        return;
      }
      const status = error instanceof HttpError ? error.statusCode : 0;
      if (status === 202) {
        this.result.accepted += lines.length;
        return;
      }
      if (status === 413 && lines.length > 1) {
        const middle = lines.length >> 1;
        await this.write(lines.slice(0, middle), first);
        return this.write(lines.slice(middle), first + middle);
      }
      if (status === 400 || status === 413 || status === 422) {
        this.drop(lines.length, error);
        this.options.report(`${where}: ${errorText(error)}`);
        return;
      }
      if (retry === MAX_RETRIES || !mayRetry(error, status)) {
        this.stopped = true;
        this.options.report(`${where}: ${errorText(error)}`);
      } else await (this.options.delay ?? wait)(retryDelay(error, retry));
    }
    this.result.unstored += lines.length;
  }

  private async attempt(lines: readonly string[]): Promise<Error | undefined> {
    try {
      this.api.writeRecords([...lines]);
      await this.api.flush();
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }

  /** The response states how many lines were dropped; if it does not, all lines were dropped. */
  private drop(lines: number, error: Error): void {
    const dropped = Math.min(lines, Number(/dropped=(\d+)$/.exec(error.message)?.[1] ?? lines));
    this.result.dropped += dropped;
    this.result.stored += lines - dropped;
  }
}

function mayRetry(error: Error, status: number): boolean {
  if (status !== 0) return status === 429 || status >= 500;
  return !NO_RETRY.has((error as NodeJS.ErrnoException).code ?? error.name);
}

/** The seconds of Retry-After (the library would read them as milliseconds), else an increasing random time. */
function retryDelay(error: Error, retry: number): number {
  const seconds = error instanceof HttpError ? Number(error.headers?.['retry-after']) : Number.NaN;
  return Number.isFinite(seconds) ? seconds * 1000 : fullJitterDelay(retry, BACKOFF);
}

function errorText(error: Error): string {
  if (error instanceof HttpError) return `HTTP ${error.statusCode}: ${error.message}`;
  if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') {
    return 'nothing listens at the endpoint (ECONNREFUSED): start it with npm start, or set another one with --endpoint';
  }
  // For a host with several addresses Node throws an AggregateError, which has a code but no message.
  return error.message || ((error as NodeJS.ErrnoException).code ?? error.name);
}
