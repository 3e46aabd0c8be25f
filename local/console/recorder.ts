/** Records what became of the writes, for the console: totals, the last seconds, latencies, and the last writes themselves. */
import { Ring } from './ring';

/** A line that was not stored. */
export interface RefusedLine {
  /** Number in the request, from 1. */
  readonly line: number;
  readonly reason: string;
  /** Empty if the destination only says how many lines it refuses. */
  readonly text: string;
  /** Which destination refuses it, if there are several. */
  readonly destination?: string;
}

export interface RecordedWrite {
  /** When it arrived, ms since 1970. */
  readonly time: number;
  /** User agent and address. */
  readonly client: string;
  readonly path: string;
  readonly precision: string;
  /** Of the body, decompressed if it could be read. */
  readonly bytes: number;
  /** With empty lines and comments. */
  readonly lines: number;
  readonly status: number;
  readonly milliseconds: number;
  /** Points. */
  readonly stored: number;
  /** Of the stored ones: those in InfluxDB only, because of a limit of Timestream. */
  readonly influxdbOnly: number;
  readonly unstored: number;
  readonly faultyLines: number;
  readonly rejectedLines: number;
  /** The first of the faulty and rejected lines. */
  readonly refused: readonly RefusedLine[];
  /** Message of the response; empty if the write succeeded. */
  readonly message: string;
}

export interface Second {
  /** Its start, ms since 1970. */
  readonly time: number;
  /** Points stored. */
  points: number;
  requests: number;
}

const WRITES = 200;
const LATENCIES = 1_000;
const SECONDS = 300;

export class Recorder {
  private readonly last = new Ring<RecordedWrite & { readonly id: string }>(WRITES);
  private readonly latencies = new Ring<number>(LATENCIES);
  /** By second since 1970, modulo SECONDS. */
  private readonly bySecond: Second[] = [];
  private readonly byStatus = new Map<number, number>();
  private writes = 0;
  private readonly totals = { pointsStored: 0, rejectedLines: 0, faultyLines: 0, unstored: 0 };

  add(write: RecordedWrite): void {
    const { status, stored, time, milliseconds } = write;
    this.writes += 1;
    this.last.add({ id: String(this.writes), ...write });
    this.latencies.add(milliseconds);
    this.byStatus.set(status, (this.byStatus.get(status) ?? 0) + 1);
    this.totals.pointsStored += stored;
    this.totals.unstored += write.unstored;
    this.totals.rejectedLines += write.rejectedLines;
    this.totals.faultyLines += write.faultyLines;
    const second = this.second(Math.floor((time + milliseconds) / 1000));
    second.points += stored;
    second.requests += 1;
  }

  private second(number: number): Second {
    const time = number * 1000;
    const found = this.bySecond[number % SECONDS];
    if (found?.time === time) return found;
    const added = { time, points: 0, requests: 0 };
    this.bySecond[number % SECONDS] = added;
    return added;
  }

  /** The last writes, the newest first. */
  newestWrites(): (RecordedWrite & { readonly id: string })[] {
    return this.last.newestFirst();
  }

  /**
   * The counts since the start, the last 300 s with the current one, and the percentiles of the last 1,000 writes (null without a
   * write).
   * @param now ms since 1970
   */
  summary(now: number) {
    const current = Math.floor(now / 1000);
    const seconds: Second[] = [];
    for (let number = current - SECONDS + 1; number <= current; number++) {
      const found = this.bySecond[number % SECONDS];
      const time = number * 1000;
      seconds.push(found?.time === time ? found : { time, points: 0, requests: 0 });
    }
    const sorted = Float64Array.from(this.latencies.newestFirst()).sort();
    return {
      seconds,
      statuses: Object.fromEntries(this.byStatus),
      p50Ms: percentile(sorted, 0.5),
      p99Ms: percentile(sorted, 0.99),
      ...this.totals,
    };
  }
}

/** The nearest-rank percentile; null without values. */
const percentile = (sorted: Float64Array, share: number): number | null =>
  sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
