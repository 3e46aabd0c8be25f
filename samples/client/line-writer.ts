/**
 * Writes lines with @influxdata/influxdb-client, batch by batch. Each batch is awaited, so that no failure is lost: the library's
 * own retries and automatic flushes report theirs to its log alone, and are not used.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { HttpError, InfluxDB, type Transport, type WriteApi } from '@influxdata/influxdb-client';
import { fullJitterDelay } from 'shared/resilience/backoff';

/** More than API Gateway waits for the function. */
const TIMEOUT_MS = 30_000;
const GZIP_ABOVE_BYTES = 1_000;
const MAX_RETRIES = 5;
const BACKOFF = { baseMs: 500, capMs: 8_000 };
/** Failures that another try a second later does not mend. */
const NO_RETRY = new Set(['ECONNREFUSED', 'ENOTFOUND', 'CredentialsProviderError']);

export interface LineWriterOptions {
  readonly url: string;
  readonly token?: string | undefined;
  /** ns, us, ms or s. */
  readonly precision: string;
  readonly batchLines: number;
  /** Wraps the library's transport, to sign requests. */
  readonly wrapTransport?: (transport: Transport) => Transport;
  /** Called with each failure of a batch, in words for the user. */
  readonly report: (message: string) => void;
  /** Between two tries, ms; a test passes its own. */
  readonly delay?: (ms: number) => Promise<unknown>;
}

export interface LineWriterResult {
  readonly stored: number;
  /** Taken by an endpoint in asynchronous mode, which stores them later. */
  readonly accepted: number;
  /** Refused for good. */
  readonly dropped: number;
  /** Of unknown fate or not sent, once the endpoint refused everything. */
  readonly unstored: number;
}

/** Writes all lines; what fails is reported and counted, and never thrown. */
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
  /** No batch can succeed any more. */
  private stopped = false;

  constructor(options: LineWriterOptions) {
    this.options = options;
    const { url, token } = options;
    const connection = { url, timeout: TIMEOUT_MS, ...(token !== undefined && { token }) };
    const { transport } = new InfluxDB(connection);
    const client = new InfluxDB({ ...connection, transport: options.wrapTransport?.(transport) ?? transport });
    // The endpoint ignores organization and bucket, but the API has them.
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
    const where = `lines ${first} to ${first + lines.length - 1}${first > 1 ? ' (the answer counts from 1)' : ''}`;
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
        this.options.report(`${where}: ${describe(error)}`);
        return;
      }
      if (retry === MAX_RETRIES || !mayRetry(error, status)) {
        this.stopped = true;
        this.options.report(`${where}: ${describe(error)}`);
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

  /** The answer tells how many lines were dropped; where it does not, all were. */
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

/** Seconds of Retry-After (the library takes them for milliseconds), else a growing random time. */
function retryDelay(error: Error, retry: number): number {
  const seconds = error instanceof HttpError ? Number(error.headers?.['retry-after']) : Number.NaN;
  return Number.isFinite(seconds) ? seconds * 1000 : fullJitterDelay(retry, BACKOFF);
}

function describe(error: Error): string {
  if (error instanceof HttpError) return `HTTP ${error.statusCode}: ${error.message}`;
  if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') {
    return 'nothing listens there (ECONNREFUSED): is npm start running? --endpoint names another endpoint';
  }
  // A host with several addresses fails with an AggregateError, which has a code and no message.
  return error.message || ((error as NodeJS.ErrnoException).code ?? error.name);
}
