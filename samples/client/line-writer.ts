/**
 * Writes lines with @influxdata/influxdb-client, batch by batch. Each batch is awaited, so that no failure is lost. The library's
 * own retries and automatic flushes are not used, because they report failures only to the library's log.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { HttpError, InfluxDB, type Transport, type WriteApi } from '@influxdata/influxdb-client';
import { grouped } from 'shared/count-text';
import { fullJitterDelay } from 'shared/resilience/backoff';

/** Longer than API Gateway waits for the function. */
const TIMEOUT_MS = 30_000;
const GZIP_ABOVE_BYTES = 1_000;
const MAX_RETRIES = 5;
/** Maximum number of refused lines that are reported with their reasons. */
const MAX_REASONS = 5;
const BACKOFF = { baseMs: 500, capMs: 8_000 };
/** Failures that a retry does not fix. */
const NO_RETRY = new Set(['ECONNREFUSED', 'ENOTFOUND', 'CredentialsProviderError']);

export interface LineWriterOptions {
  readonly url: string;
  readonly token?: string | undefined;
  /** ns, us, ms or s. */
  readonly precision: string;
  readonly batchLines: number;
  /** The number of each line in its file; by default 1, 2, 3... */
  readonly lineNumbers?: readonly number[];
  /** Wraps the library's transport, to sign requests. */
  readonly wrapTransport?: (transport: Transport) => Transport;
  /** Called with a message for the user for each failed batch. It reports at most 5 refused lines. */
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
    await writer.write(lines.slice(start, start + options.batchLines), start);
  }
  writer.reportMore();
  return writer.result;
}

class LineWriter {
  readonly result = { stored: 0, accepted: 0, dropped: 0, unstored: 0 };
  private readonly api: WriteApi;
  private readonly options: LineWriterOptions;
  /** Set after a batch has failed all its tries: no further batch is sent. */
  private stopped = false;
  /** Refused lines that were reported, and those that were not. */
  private shown = 0;
  private hidden = 0;

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

  /** @param first index of the first line */
  async write(lines: readonly string[], first: number): Promise<void> {
    const [from, to] = [this.numberOf(first), this.numberOf(first + lines.length - 1)];
    const where = from === to ? `line ${from}` : `lines ${from} to ${to}`;
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
        this.drop(lines, first, where, error as HttpError);
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

  private numberOf(index: number): number {
    return this.options.lineNumbers?.[index] ?? index + 1;
  }

  /** The response states how many lines were dropped; if it does not, all lines were dropped. */
  private drop(lines: readonly string[], first: number, where: string, error: HttpError): void {
    const [ending = '', count = ''] = / dropped=(\d+)$/.exec(error.message) ?? [];
    const dropped = Math.min(lines.length, Number(count || lines.length));
    this.result.dropped += dropped;
    this.result.stored += lines.length - dropped;
    const [reasons, notes] = reasonsOf(error.message.slice(0, error.message.length - ending.length));
    const shown = reasons.slice(0, MAX_REASONS - this.shown);
    this.shown += shown.length;
    this.hidden += count === '' ? 0 : Math.max(0, dropped - shown.length);
    const numbers = lines.flatMap((line, index) => lineBreaks(line).map((at) => this.numberOf(first + index) + at));
    const texts = [...shown.map((reason) => renumbered(reason, numbers)), ...notes];
    if (texts.length > 0) this.options.report(`${where}: HTTP ${error.statusCode}: ${texts.join('\n')}`);
  }

  /** Reports how many refused lines were not reported. */
  reportMore(): void {
    if (this.hidden > 0) this.options.report(`and ${grouped(this.hidden)} more`);
  }
}

/** The reasons in a response, one per line of the batch, and other notes. A reason quotes its line, which may contain newlines. */
function reasonsOf(message: string): [reasons: string[], notes: string[]] {
  const parts = message.split(/\n(?=unable to parse '|line \d+: |and \d+ more lines$|the rejected lines are in )/m);
  const isNote = (part: string): boolean => part.startsWith('the rejected lines are in ');
  return [parts.filter((part) => !isNote(part) && !/^and \d+ more lines$/.test(part)), parts.filter(isNote)];
}

/** Replaces the number of a line in the batch by its number in the file. */
const renumbered = (reason: string, numbers: readonly number[]): string =>
  reason.replace(
    /((?:^|: )line |^(?:[^\n]*: )?unable to parse '.*': at line )(\d+)/s,
    (_, before: string, line: string) => `${before}${numbers[Number(line) - 1] ?? line}`,
  );

/** For each line of a text its index: a string value may contain newlines. */
const lineBreaks = (text: string): number[] => text.split('\n').map((_, index) => index);

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
