/**
 * The order in which a request's calls are sent: first those that were not tried, then retries, then the parts of calls that the
 * service refused, and last the calls to tables that were missing a short time ago. So neither failing calls nor bad records hold
 * up what can be stored.
 */
import type { RecordBatch } from './packing';

export interface Call extends RecordBatch {
  readonly version: number;
  /** Its table was missing a short time ago. */
  readonly doubtful: boolean;
  retries: number;
  /** Of its last attempt. */
  failure: CallFailure | undefined;
}

export interface CallFailure {
  /** For the log. */
  readonly reason: string;
  /** The service's error type, or the code of a connection that failed: safe to show to a client. */
  readonly code: string | undefined;
  readonly throttled: boolean;
}

export class CallQueue {
  /** The next one is the last. */
  private readonly untried: Call[] = [];
  private readonly retries: Call[] = [];
  /** The smallest part first: it soon shows which record is refused, so that each resend has fewer left. */
  private readonly parts: Call[] = [];
  private readonly doubtful: Call[] = [];

  /** Adds calls that were not tried, before those that are there. */
  add(calls: readonly Call[]): void {
    for (let i = calls.length - 1; i >= 0; i--) (calls[i].doubtful ? this.doubtful : this.untried).push(calls[i]);
  }

  addRetry(call: Call): void {
    this.retries.push(call);
  }

  addParts(calls: readonly Call[]): void {
    this.parts.push(...calls);
  }

  next(): Call | undefined {
    return this.untried.pop() ?? this.retries.shift() ?? this.parts.pop() ?? this.doubtful.pop();
  }

  /** Empties the queue. */
  drain(): Call[] {
    return [this.untried, this.retries, this.parts, this.doubtful].flatMap((calls) => calls.splice(0));
  }
}
