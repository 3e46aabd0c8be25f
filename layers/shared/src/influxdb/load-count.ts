/** The counts of a load: lines that were written, lines that InfluxDB rejected (with reasons), and lines that failed. */
import type { Rejection } from './outcome';

/** Lines that InfluxDB rejected for one reason, with a few different examples. */
export interface RejectedLines {
  readonly reason: string;
  readonly lines: number;
  readonly examples: readonly string[];
}

/** `pointsWritten + failedLines + all rejected lines` is the number of lines in the batches that were taken from the source. */
export interface LoadCount {
  /** Lines that InfluxDB acknowledged. */
  readonly pointsWritten: number;
  /** Batches taken from the source. */
  readonly batches: number;
  /** Batches with lines in `failedLines`. */
  readonly failedBatches: number;
  /** Lines without an acknowledgement. InfluxDB may have stored some of them; writing them again is safe. */
  readonly failedLines: number;
  readonly rejectedLines: number;
  readonly rejected: readonly RejectedLines[];
  /** Requests that repeated an earlier one. */
  readonly retries: number;
  /** The error that ended the load early; undefined if the source was read to its end. */
  readonly failure: Error | undefined;
}

const MAX_REASONS = 20;
const MAX_EXAMPLES = 3;
const MAX_EXAMPLE_LENGTH = 200;
const OTHER_REASONS = 'other reasons';

export class LoadTally {
  pointsWritten = 0;
  batches = 0;
  failedBatches = 0;
  failedLines = 0;
  retries = 0;
  failure: Error | undefined;
  private rejectedLines = 0;
  private readonly rejected = new Map<string, { lines: number; examples: string[] }>();

  /** Counts rejected lines. Above 20 reasons, further reasons count as `other reasons`, so that the result stays small. */
  reject({ reason, lines, example }: Rejection): void {
    this.rejectedLines += lines;
    const key = this.rejected.has(reason) || this.rejected.size < MAX_REASONS ? reason : OTHER_REASONS;
    const entry = this.rejected.get(key) ?? { lines: 0, examples: [] };
    entry.lines += lines;
    const text = example.slice(0, MAX_EXAMPLE_LENGTH);
    if (entry.examples.length < MAX_EXAMPLES && !entry.examples.includes(text)) entry.examples.push(text);
    this.rejected.set(key, entry);
  }

  result(): LoadCount {
    const rejected = [...this.rejected].map(([reason, entry]) => ({ reason, ...entry }));
    const { pointsWritten, batches, failedBatches, failedLines, retries, failure } = this;
    const rejectedLines = this.rejectedLines;
    return { pointsWritten, batches, failedBatches, failedLines, rejectedLines, rejected, retries, failure };
  }
}
