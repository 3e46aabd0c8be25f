/** What the tests of writing to InfluxDB share: clients, batches, a logger that remembers. */
import { type WriterOptions, writeBatches } from 'shared/influxdb/batch-writer';
import { type ClientOptions, InfluxClient, type LineWriter } from 'shared/influxdb/client';
import type { HealthAdvice } from 'shared/influxdb/health';
import type { LoadCount } from 'shared/influxdb/load-count';
import type { Engine } from 'shared/influxdb/protocol';
import { staticToken, type TokenProvider } from 'shared/influxdb/token';
import type { LogFields, Logger } from 'shared/logger';
import type { LineBatch } from 'shared/points/batch-buffer';
import { BUCKET, ORG, TOKEN } from './influxd';

export interface ClientSettings extends ClientOptions {
  readonly engine?: Engine;
  readonly bucket?: string;
  readonly org?: string;
  readonly tokens?: TokenProvider;
}

export const ADVICE: HealthAdvice = {
  unreachable: 'look at the address',
  unauthorized: 'look at the token',
  useEngine: (engine) => `use engine ${engine}`,
};

export function clientOf(url: string, settings: ClientSettings = {}): InfluxClient {
  const { engine = 'v2', bucket = BUCKET, org = ORG, tokens = staticToken(TOKEN), ...options } = settings;
  return new InfluxClient({ engine, url, org, bucket }, tokens, options);
}

/** Batches of `m,series=<i> v=<i> <time>` lines, each with its own series and time. */
export async function* numberedBatches(batches: number, linesEach: number): AsyncGenerator<LineBatch> {
  for (let batch = 0; batch < batches; batch++) {
    const numbers = Array.from({ length: linesEach }, (_, line) => batch * linesEach + line);
    yield await Promise.resolve(
      batchOf(numbers.map((n) => `m,series=${n % 10} v=${n} ${1_700_000_000_000_000_000n + BigInt(n)}`)),
    );
  }
}

export function batchOf(lines: readonly string[]): LineBatch {
  return { bytes: Buffer.from(lines.map((line) => `${line}\n`).join('')), lines: lines.length };
}

export async function* streamOf(...batches: LineBatch[]): AsyncGenerator<LineBatch> {
  for (const batch of batches) yield await Promise.resolve(batch);
}

export interface Entry {
  readonly message: string;
  readonly fields: LogFields;
}

/** A logger that keeps its entries, and reports each one at once. */
export function recordingLogger(onEntry: (entry: Entry) => void = () => undefined): Logger & { entries: Entry[] } {
  const entries: Entry[] = [];
  const log = (message: string, fields: LogFields = {}): void => {
    entries.push({ message, fields });
    onEntry({ message, fields });
  };
  return { entries, debug: log, info: log, warn: log, error: log };
}

export function write(
  client: LineWriter,
  batches: AsyncIterable<LineBatch>,
  options: Partial<WriterOptions> = {},
): Promise<LoadCount> {
  const limits = { maxRetries: 3, concurrency: 4, maxBytesInFlight: 16 * 1024 * 1024 };
  const defaults = { ...limits, skipFailedBatches: false, logger: recordingLogger() };
  return writeBatches(batches, client, { ...defaults, ...options });
}
